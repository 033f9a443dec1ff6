package store

import (
	"errors"
	"io"
	"os"
	"runtime"
	"syscall"
)

// disk is what writing needs of the file system; tests put one in its place that fails or loses power at any step.
type disk interface {
	MkdirAll(path string) error
	Mkdir(path string) error
	Create(path string) (diskFile, error) // a new file; an error when there is one
	Rename(from, to string) error
	RemoveAll(path string) error
	SyncDir(path string) error // makes the names in a folder durable
}

// diskFile is a file that is being written.
type diskFile interface {
	io.WriteCloser
	Sync() error
}

// osDisk is the file system itself.
type osDisk struct{}

func (osDisk) MkdirAll(path string) error   { return os.MkdirAll(path, 0o755) }
func (osDisk) Mkdir(path string) error      { return os.Mkdir(path, 0o755) }
func (osDisk) Rename(from, to string) error { return os.Rename(from, to) }
func (osDisk) RemoveAll(path string) error  { return os.RemoveAll(path) }

func (osDisk) Create(path string) (diskFile, error) {
	return os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
}

func (osDisk) SyncDir(path string) error {
	if runtime.GOOS == "windows" || runtime.GOOS == "plan9" {
		return nil // folders cannot be synced there; their journal orders the renames
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := f.Sync(); err != nil && !errors.Is(err, syscall.EINVAL) && !errors.Is(err, errors.ErrUnsupported) {
		return err // EINVAL: a file system without durable folders
	}
	return nil
}
