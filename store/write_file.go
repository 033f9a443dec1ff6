package store

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// WriteFile writes one file whole or not at all: f writes beside path, the bytes are synced, and a rename puts them in place.
// On any failure the file that was there before stays. A symbolic link at path is followed. The folder must exist.
func WriteFile(path string, f func(io.Writer) error) error {
	if err := writeFile(osDisk{}, path, f); err != nil {
		return fmt.Errorf("store: writing %s: %w", path, err)
	}
	return nil
}

func writeFile(d disk, path string, f func(io.Writer) error) (err error) {
	if path, err = target(path); err != nil {
		return err
	}
	if s, err := os.Lstat(path); err == nil && !s.Mode().IsRegular() {
		return errors.New("it exists and is not a file")
	}
	sweep(d, path, staleAfter)
	tmp := sibling(path, "new", newID())
	done := false
	defer func() { // also when f panics
		if !done {
			d.RemoveAll(tmp)
		}
	}()
	if err := fill(d, tmp, f); err != nil {
		return err
	}
	if err := d.Rename(tmp, path); err != nil {
		return err
	}
	done = true
	return d.SyncDir(filepath.Dir(path))
}

// fill makes the file path, has f write it, and syncs it.
func fill(d disk, path string, f func(io.Writer) error) error {
	file, err := d.Create(path)
	if err != nil {
		return err
	}
	b := bufio.NewWriterSize(file, 64<<10)
	err = f(b)
	if err == nil {
		err = b.Flush()
	}
	if err == nil {
		err = file.Sync()
	}
	return errors.Join(err, file.Close())
}

// target is path made absolute, with symbolic links followed where they lead somewhere.
func target(path string) (string, error) {
	if path == "" {
		return "", errors.New("the path is empty")
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	if real, err := filepath.EvalSymlinks(abs); err == nil {
		return real, nil
	}
	return abs, nil
}
