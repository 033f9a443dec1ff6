package store

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
)

// WriteDir makes the directory dir of the files that f writes, or replaces what an earlier WriteDir put there. Everything is
// written beside dir and synced, manifest.json with sizes and hashes last, and then renamed into place: after an error or a
// crash, OpenDir finds the old directory or the new one, whole. Missing parents are made; a symbolic link at dir is followed.
//
// A directory that holds anything that WriteDir did not write is never replaced: CheckTarget tells so beforehand.
func WriteDir(dir string, f func(*DirWriter) error) error {
	if err := writeDir(osDisk{}, dir, f); err != nil {
		return fmt.Errorf("store: writing %s: %w", dir, err)
	}
	return nil
}

// CheckTarget says why WriteDir would refuse to write dir: it is a file, or a folder with files of other origin in it.
// Programs that save after hours of work ask first.
func CheckTarget(dir string) error {
	path, err := target(dir)
	if err == nil {
		err = replaceable(path)
	}
	if err != nil {
		return fmt.Errorf("store: writing %s: %w", dir, err)
	}
	return nil
}

func writeDir(d disk, dir string, f func(*DirWriter) error) (err error) {
	if dir, err = target(dir); err != nil {
		return err
	}
	if err := makeParents(d, filepath.Dir(dir)); err != nil {
		return err
	}
	if err := prepare(d, dir); err != nil {
		return err
	}
	id := newID()
	tmp := sibling(dir, "new", id)
	if err := d.Mkdir(tmp); err != nil {
		return err
	}
	done := false
	defer func() { // also when f panics; what a swap that stopped half way needs stays
		if !done && !exists(sibling(dir, "old", id)) {
			d.RemoveAll(tmp)
		}
	}()
	w := &DirWriter{disk: d, dir: tmp, files: map[string]file{}, taken: map[string]string{}}
	if err := f(w); err != nil {
		return err
	}
	if err := w.finish(); err != nil {
		return err
	}
	swapping.Lock()
	defer swapping.Unlock()
	err = swapIn(d, dir, id)
	done = err == nil
	return err
}

// makeParents makes a folder and those above it, and syncs the names of what it made, up to the folder that was there.
func makeParents(d disk, path string) error {
	var made []string
	for p := path; !exists(p) && p != filepath.Dir(p); p = filepath.Dir(p) {
		made = append(made, p)
	}
	if err := d.MkdirAll(path); err != nil {
		return err
	}
	for _, p := range made {
		if err := d.SyncDir(filepath.Dir(p)); err != nil {
			return err
		}
	}
	return nil
}

// prepare finishes or removes what earlier writes left, and demands that dir may be replaced.
func prepare(d disk, dir string) error {
	swapping.Lock()
	defer swapping.Unlock()
	if err := settle(d, dir); err != nil {
		return err
	}
	sweep(d, dir, staleAfter)
	return replaceable(dir)
}

// replaceable demands that dir is absent, empty, or holds nothing but files that its manifest lists.
func replaceable(dir string) error {
	s, err := os.Lstat(dir)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil
	case err != nil:
		return err
	case !s.IsDir():
		return errors.New("it exists and is not a folder")
	}
	if here, err := os.Stat("."); err == nil && os.SameFile(s, here) {
		return errors.New("it is the current folder, which cannot be replaced; name a folder inside it")
	}
	list, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	var m *manifest
	for _, e := range list {
		if e.Name() == manifestName {
			if m, err = readManifest(dir); err != nil {
				return fmt.Errorf("it cannot be told what the folder holds (%w); remove it first or choose another", err)
			}
		}
	}
	for _, e := range list {
		name := e.Name()
		if name == manifestName || litter(name) {
			continue
		}
		if m == nil {
			return fmt.Errorf("the folder is not empty and has no %s (it holds %s, for example); choose another", manifestName, name)
		}
		if _, ok := m.Files[name]; !ok {
			return fmt.Errorf("the folder holds %s, which is not part of what was saved there and would be lost; move it or choose another folder", name)
		}
	}
	return nil
}

// DirWriter takes the files of a directory that WriteDir makes. Several files may be open at once, on several goroutines.
type DirWriter struct {
	disk disk
	dir  string

	mu    sync.Mutex
	files map[string]file   // those that are whole
	taken map[string]string // names in use, by lower case: some systems see no difference
	open  int
	err   error // the first failure; nothing can follow it
}

// Create begins the file name. What is written counts once Close has returned nil; every file must be closed before the
// function given to WriteDir returns. A name is a plain file name of letters, digits and ._-+=@; using it twice is an error.
func (w *DirWriter) Create(name string) (io.WriteCloser, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	err := w.err
	if err == nil {
		err = checkName(name)
	}
	low := strings.ToLower(name)
	if other, ok := w.taken[low]; ok && err == nil {
		err = fmt.Errorf("the file %s is written twice (first as %s)", name, other)
	}
	if err != nil {
		return nil, w.fail(err)
	}
	f, err := w.disk.Create(filepath.Join(w.dir, name))
	if err != nil {
		return nil, w.fail(err)
	}
	w.taken[low] = name
	w.open++
	return &dirFile{w: w, name: name, f: f, hash: sha256.New()}, nil
}

// WriteFile writes a whole file from memory.
func (w *DirWriter) WriteFile(name string, data []byte) error {
	f, err := w.Create(name)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Close())
}

// fail notes the first failure; w.mu is held.
func (w *DirWriter) fail(err error) error {
	if w.err == nil {
		w.err = err
	}
	return err
}

// finish writes the manifest and syncs the folder.
func (w *DirWriter) finish() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err != nil {
		return w.err
	}
	if w.open > 0 {
		return w.fail(fmt.Errorf("%d files were not closed", w.open))
	}
	b, err := json.MarshalIndent(manifest{manifestFormat, manifestVersion, w.files}, "", "  ")
	if err != nil {
		return w.fail(err)
	}
	err = fill(w.disk, filepath.Join(w.dir, manifestName), func(f io.Writer) error {
		_, err := f.Write(append(b, '\n'))
		return err
	})
	if err == nil {
		err = w.disk.SyncDir(w.dir)
	}
	if err != nil {
		return w.fail(err)
	}
	w.err = errors.New("the directory is finished")
	return nil
}

// gather is the number of bytes that small writes are collected into.
const gather = 64 << 10

// dirFile is one file of a directory that is being written; it is hashed and counted on the way. It has one writer.
type dirFile struct {
	w    *DirWriter
	name string
	f    diskFile
	hash hash.Hash
	buf  []byte // small writes, not yet on disk
	size int64
	done bool
}

// Write appends b. Small pieces are gathered, large ones go to the disk as they are.
func (f *dirFile) Write(b []byte) (int, error) {
	if f.done {
		return 0, os.ErrClosed
	}
	if len(f.buf)+len(b) > gather {
		if err := f.flush(); err != nil {
			return 0, err
		}
	}
	if len(b) < gather {
		f.buf = append(f.buf, b...)
		return len(b), nil
	}
	return len(b), f.put(b)
}

func (f *dirFile) flush() error {
	err := f.put(f.buf)
	f.buf = f.buf[:0]
	return err
}

func (f *dirFile) put(b []byte) error {
	if len(b) == 0 {
		return nil
	}
	f.hash.Write(b)
	f.size += int64(len(b))
	_, err := f.f.Write(b)
	return f.note(err)
}

// note makes a failure that of the whole directory, so that it cannot be overlooked.
func (f *dirFile) note(err error) error {
	if err != nil {
		f.w.mu.Lock()
		defer f.w.mu.Unlock()
		return f.w.fail(err)
	}
	return nil
}

// Close writes the rest, syncs the file and enters it in the manifest.
func (f *dirFile) Close() error {
	if f.done {
		return os.ErrClosed
	}
	f.done = true
	err := f.put(f.buf)
	if err == nil {
		err = f.f.Sync()
	}
	err = f.note(errors.Join(err, f.f.Close()))
	f.w.mu.Lock()
	defer f.w.mu.Unlock()
	f.w.open--
	if err == nil {
		f.w.files[f.name] = file{f.size, hex.EncodeToString(f.hash.Sum(nil))}
	}
	return err
}
