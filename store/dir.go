package store

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
)

// Dir is a directory that WriteDir wrote, checked against its manifest. Its methods may be called from several goroutines.
type Dir struct {
	path  string
	files map[string]os.FileInfo // as they were when they were checked
	names []string
}

// OpenDir reads the manifest of dir and checks every file against it by length and SHA-256. A file that is missing,
// truncated, altered or exchanged for another, one that the manifest does not list, a symbolic link, or a manifest that is
// not right itself is a *CorruptError. A directory that is not there is os.ErrNotExist, unless a crash stopped it from being replaced:
// then the replacement is finished.
func OpenDir(dir string) (*Dir, error) {
	path, err := target(dir)
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	for tries := 1; ; tries++ {
		before, _ := os.Stat(path)
		d, err := openDir(path)
		if err == nil || tries == readTries {
			return d, err
		}
		after, _ := os.Stat(path)
		if same(before, after) && (before != nil || errors.Is(err, os.ErrNotExist) && halfDone(path) == "") {
			return nil, err // nobody replaced the directory meanwhile
		}
	}
}

// same reports whether two looks at a path, nil for nothing there, saw the same thing unchanged. The number of a file or folder
// that was removed may be given to a new one, so the time of the last change counts too.
func same(a, b os.FileInfo) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	return os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime())
}

// readTries is how often a directory is read anew that is replaced while it is read.
const readTries = 100

func openDir(path string) (*Dir, error) {
	if !exists(path) {
		path = finished(path)
	}
	s, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	if !s.IsDir() {
		return nil, fmt.Errorf("store: %s is not a folder", path)
	}
	m, err := readManifest(path)
	if err != nil {
		return nil, err
	}
	return check(path, m)
}

// finished finishes a swap of path that stopped half way; in a folder that may not be written, it is the path of the new
// directory where it lies.
func finished(path string) string {
	swapping.Lock()
	defer swapping.Unlock()
	id := halfDone(path)
	if id == "" {
		return path
	}
	if err := settle(osDisk{}, path); err != nil && !exists(path) {
		return sibling(path, "new", id)
	}
	return path
}

// check compares the files of a directory with its manifest.
func check(path string, m *manifest) (*Dir, error) {
	list, err := os.ReadDir(path)
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	d := &Dir{path: path, files: map[string]os.FileInfo{}}
	for _, e := range list {
		name := e.Name()
		if name == manifestName || litter(name) {
			continue
		}
		want, ok := m.Files[name]
		if !ok {
			return nil, &CorruptError{filepath.Join(path, name), "the manifest does not list it", "move it out of the directory"}
		}
		s, err := checkFile(filepath.Join(path, name), want, m)
		if err != nil {
			return nil, err
		}
		d.files[name] = s
		d.names = append(d.names, name)
	}
	for name := range m.Files {
		if d.files[name] == nil {
			return nil, &CorruptError{filepath.Join(path, name), "the file is missing", hintCopy}
		}
	}
	slices.Sort(d.names)
	return d, nil
}

// checkFile compares one file with what the manifest says of it.
func checkFile(path string, want file, m *manifest) (os.FileInfo, error) {
	s, err := os.Lstat(path)
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	if !s.Mode().IsRegular() {
		return nil, &CorruptError{path, "it is a link or a folder, not a file", hintCopy}
	}
	if s.Size() < want.Size {
		return nil, &CorruptError{path, fmt.Sprintf("truncated: %d of %d bytes", s.Size(), want.Size), hintCopy}
	}
	if s.Size() > want.Size {
		return nil, &CorruptError{path, fmt.Sprintf("altered: %d bytes instead of %d", s.Size(), want.Size), hintCopy}
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	defer f.Close()
	opened, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	if got := hex.EncodeToString(h.Sum(nil)); got != want.SHA256 {
		why := fmt.Sprintf("altered: its SHA-256 is %s, the manifest says %s", got, want.SHA256)
		for name, f := range m.Files {
			if f.SHA256 == got {
				why = fmt.Sprintf("exchanged: it holds what %s should hold", name)
			}
		}
		return nil, &CorruptError{path, why, hintCopy}
	}
	return opened, nil
}

// Names lists the files, sorted, without the manifest.
func (d *Dir) Names() []string { return slices.Clone(d.names) }

// Has reports whether there is a file called name.
func (d *Dir) Has(name string) bool { return d.files[name] != nil }

// Path is where the file name lies, or would lie.
func (d *Dir) Path(name string) string { return filepath.Join(d.path, name) }

// Open opens a file for reading, anywhere and from several goroutines. A file that was replaced or written since OpenDir checked
// it is a *CorruptError; one that never was there is os.ErrNotExist.
func (d *Dir) Open(name string) (*os.File, error) {
	was := d.files[name]
	if was == nil {
		return nil, fmt.Errorf("store: %s: %w", d.Path(name), os.ErrNotExist)
	}
	f, err := os.Open(d.Path(name))
	if err == nil {
		var s os.FileInfo
		if s, err = f.Stat(); err == nil && !same(s, was) {
			err = os.ErrNotExist
		}
		if err == nil {
			return f, nil
		}
		f.Close()
	}
	if errors.Is(err, os.ErrNotExist) {
		return nil, &CorruptError{d.Path(name), "it was replaced while the directory was being read", "read the directory again"}
	}
	return nil, fmt.Errorf("store: %w", err)
}

// ReadFile reads a whole file into memory.
func (d *Dir) ReadFile(name string) ([]byte, error) {
	f, err := d.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b := make([]byte, d.files[name].Size())
	if _, err := io.ReadFull(f, b); err != nil {
		return nil, at(d.Path(name), err)
	}
	return b, nil
}

// ReadSafetensors reads a safetensors file of the directory; see the function of that name.
func (d *Dir) ReadSafetensors(name string) (*Tensors, error) {
	f, err := d.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	t, err := ReadSafetensorsFrom(f, d.files[name].Size())
	if err != nil {
		return nil, at(d.Path(name), err)
	}
	return t, nil
}
