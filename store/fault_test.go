package store

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// powerCut is what a faultDisk panics with when the power goes.
type powerCut struct{}

// faultDisk is the real disk until its step number at, which fails with err or, if err is nil, is where the power goes. What was not
// synced by then may be lost: the contents of files, the names in folders, the last lose renames.
type faultDisk struct {
	osDisk
	t    *testing.T
	at   int
	err  error
	lose int

	steps   []string // what was asked for so far
	dead    bool
	files   []string    // files whose contents are not synced
	names   []string    // files and folders whose names are not synced
	renames [][3]string // renames that are not synced: from, to, a link to the file that was replaced
}

// calm is the real disk without the wait for syncs.
type calm struct{ osDisk }

func (calm) SyncDir(string) error { return nil }

func (d calm) Create(path string) (diskFile, error) {
	f, err := d.osDisk.Create(path)
	return calmFile{f}, err
}

type calmFile struct{ diskFile }

func (calmFile) Sync() error { return nil }

// step counts a step and says whether it goes wrong.
func (d *faultDisk) step(what, path string) error {
	if d.dead {
		return errors.New("there is no power")
	}
	d.steps = append(d.steps, what+" "+filepath.Base(path))
	if len(d.steps) != d.at {
		return nil
	}
	if d.err != nil {
		return d.err
	}
	d.cut()
	panic(powerCut{})
}

// cut loses what was not synced.
func (d *faultDisk) cut() {
	d.dead = true
	if d.lose == 0 {
		return
	}
	for range min(d.lose, len(d.renames)) {
		last := d.renames[len(d.renames)-1]
		d.renames = d.renames[:len(d.renames)-1]
		if err := os.Rename(last[1], last[0]); err != nil {
			d.t.Fatal(err)
		}
		if last[2] != "" {
			if err := os.Rename(last[2], last[1]); err != nil {
				d.t.Fatal(err)
			}
		}
	}
	for _, path := range d.files {
		if err := os.Truncate(path, 0); err != nil && !errors.Is(err, os.ErrNotExist) {
			d.t.Fatal(err)
		}
	}
	for _, path := range d.names {
		os.RemoveAll(path)
	}
}

func (d *faultDisk) MkdirAll(path string) error {
	if err := d.step("mkdirall", path); err != nil {
		return err
	}
	return d.osDisk.MkdirAll(path)
}

func (d *faultDisk) Mkdir(path string) error {
	if err := d.step("mkdir", path); err != nil {
		return err
	}
	d.names = append(d.names, path)
	return d.osDisk.Mkdir(path)
}

func (d *faultDisk) Create(path string) (diskFile, error) {
	if err := d.step("create", path); err != nil {
		return nil, err
	}
	f, err := d.osDisk.Create(path)
	d.names = append(d.names, path)
	d.files = append(d.files, path)
	return &faultFile{f, d, path}, err
}

func (d *faultDisk) Rename(from, to string) error {
	if err := d.step("rename", to); err != nil {
		return err
	}
	kept := ""
	if s, err := os.Stat(to); err == nil && s.Mode().IsRegular() {
		kept = filepath.Join(d.t.TempDir(), "kept")
		if err := os.Link(to, kept); err != nil {
			d.t.Fatal(err)
		}
	}
	d.renames = append(d.renames, [3]string{from, to, kept})
	return d.osDisk.Rename(from, to)
}

func (d *faultDisk) RemoveAll(path string) error {
	if err := d.step("remove", path); err != nil {
		return err
	}
	if len(d.renames) > 0 && exists(path) && len(leftovers(path, "old")) > 0 {
		d.t.Errorf("%s is removed while renames are not synced", path)
	}
	return d.osDisk.RemoveAll(path)
}

func (d *faultDisk) SyncDir(path string) error {
	if err := d.step("syncdir", path); err != nil {
		return err
	}
	d.names = slices.DeleteFunc(d.names, func(n string) bool { return filepath.Dir(n) == path })
	d.renames = slices.DeleteFunc(d.renames, func(r [3]string) bool { return filepath.Dir(r[1]) == path })
	return nil // what is synced is known here; the disk need not be troubled
}

// faultFile is a file on a faultDisk.
type faultFile struct {
	diskFile
	d    *faultDisk
	path string
}

// Write writes half of b when it fails, as a full disk does.
func (f *faultFile) Write(b []byte) (int, error) {
	dead := f.d.dead
	defer func() {
		if f.d.dead && !dead { // the power went within this write
			f.diskFile.Write(b[:len(b)/2])
			if f.d.lose > 0 {
				os.Truncate(f.path, 0)
			}
		}
	}()
	if err := f.d.step("write", f.path); err != nil {
		n, _ := f.diskFile.Write(b[:len(b)/2])
		return n, err
	}
	return f.diskFile.Write(b)
}

func (f *faultFile) Sync() error {
	if err := f.d.step("sync", f.path); err != nil {
		return err
	}
	f.d.files = slices.DeleteFunc(f.d.files, func(p string) bool { return p == f.path })
	return nil
}

func (f *faultFile) Close() error {
	err := f.d.step("close", f.path)
	return errors.Join(err, f.diskFile.Close())
}

// until runs f with the power on or until it goes.
func until(f func() error) (err error, cut bool) {
	defer func() {
		if p := recover(); p != nil {
			if _, ok := p.(powerCut); !ok {
				panic(p)
			}
			cut = true
		}
	}()
	return f(), false
}
