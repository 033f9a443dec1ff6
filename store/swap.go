package store

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// A directory is replaced in four steps, all of them beside it:
//
//	.NAME.new-ID   written and synced, its manifest last
//	NAME           renamed to .NAME.old-ID
//	.NAME.new-ID   renamed to NAME, the folder synced
//	.NAME.old-ID   removed
//
// A crash between the two renames leaves no NAME but both of the others; settle then goes on with the second rename, which a
// reader may do as well as a writer. A .new-ID alone is a write that did not finish.

// staleAfter is how long nothing may have changed in an unfinished write before it counts as left behind by a crash.
const staleAfter = time.Hour

// swapping orders the renames of this process. Other processes may write too: the worst is an error for one of them.
var swapping sync.Mutex

// sibling is the hidden name beside path for a stage ("new" or "old") of the write id.
func sibling(path, stage, id string) string {
	return filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+"."+stage+"-"+id)
}

// idLength is the number of characters of an id.
const idLength = 12

func newID() string {
	b := make([]byte, idLength/2)
	rand.Read(b)
	return hex.EncodeToString(b)
}

// leftovers lists the ids of the stages that lie beside path.
func leftovers(path, stage string) []string {
	list, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		return nil // the folder itself will be complained about where it matters
	}
	var ids []string
	prefix := filepath.Base(sibling(path, stage, ""))
	for _, e := range list {
		if id, ok := strings.CutPrefix(e.Name(), prefix); ok && len(id) == idLength {
			ids = append(ids, id)
		}
	}
	return ids
}

// halfDone is the id of a swap of path that stopped between its renames, "" when there is none.
func halfDone(path string) string {
	for _, id := range leftovers(path, "old") {
		if _, err := os.Lstat(sibling(path, "new", id)); err == nil && !exists(path) {
			return id
		}
	}
	return ""
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return !errors.Is(err, fs.ErrNotExist)
}

// settle finishes a swap that stopped half way. It is right to do so while its writer is alive: both want the same rename.
func settle(d disk, path string) error {
	id := halfDone(path)
	if id == "" {
		return nil
	}
	if err := d.Rename(sibling(path, "new", id), path); err != nil && !exists(path) {
		return err
	}
	return d.SyncDir(filepath.Dir(path))
}

// sweep removes what earlier writes left behind. The names are listed before path is looked for: an old directory that was
// there before path was is no longer part of a swap.
func sweep(d disk, path string, stale time.Duration) {
	old, fresh := leftovers(path, "old"), leftovers(path, "new")
	if exists(path) {
		for _, id := range old {
			d.RemoveAll(sibling(path, "old", id))
		}
	}
	for _, id := range fresh {
		tmp := sibling(path, "new", id)
		if !exists(sibling(path, "old", id)) && time.Since(lastChange(tmp)) > stale {
			d.RemoveAll(tmp)
		}
	}
}

// lastChange is when path, or a file in it, was last written.
func lastChange(path string) time.Time {
	var last time.Time
	filepath.WalkDir(path, func(_ string, e fs.DirEntry, err error) error {
		if err == nil {
			if s, err := e.Info(); err == nil && s.ModTime().After(last) {
				last = s.ModTime()
			}
		}
		return nil
	})
	return last
}

// swapIn puts the finished write id in the place of path. When it fails, path is what it was before or can be settled.
func swapIn(d disk, path, id string) error {
	next, old := sibling(path, "new", id), sibling(path, "old", id)
	parent := filepath.Dir(path)
	if err := d.SyncDir(parent); err != nil {
		return err
	}
	moved := exists(path)
	if moved {
		if err := d.Rename(path, old); err != nil {
			return err
		}
	}
	if err := d.Rename(next, path); err != nil && exists(next) {
		if moved {
			err = errors.Join(err, d.Rename(old, path))
		}
		return err
	}
	if err := d.SyncDir(parent); err != nil {
		return err
	}
	if moved {
		d.RemoveAll(old) // the next write tries again
	}
	return nil
}
