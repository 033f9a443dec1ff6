package dataset

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// file is a file of a data set.
type file struct {
	name    string
	sha256  string
	size    int64    // in bytes; a download that goes beyond is given up; 0: not known
	mirrors []string // base addresses, tried in order
}

// MissingError tells which files of a data set could not be had, and what to do.
type MissingError struct {
	Set     string
	Files   []string // their names
	Folders []string // where they were looked for
	Err     error    // why the download failed; nil: none was tried
}

// Error lists the files, the places, and where to put them.
func (e *MissingError) Error() string {
	s := fmt.Sprintf("dataset: %s: %s not found in %s", e.Set, strings.Join(e.Files, ", "), strings.Join(e.Folders, ", "))
	if e.Err != nil {
		s += ", and the download failed: " + e.Err.Error()
	}
	return s + "; put the files into one of these folders, or name their folder (--data DIR, KUN_DATA)"
}

// Unwrap is why the download failed.
func (e *MissingError) Unwrap() error { return e.Err }

// idleLimit is how long a download may stand still, and pause how long to wait before another try; tests shorten them.
var idleLimit, pause = 30 * time.Second, time.Second

const triesPerMirror = 3

// mirrorsOf are the addresses to try. KUN_MIRROR, a base address, comes before all others.
func (f file) mirrorsOf(set string) []string {
	if m := os.Getenv("KUN_MIRROR"); m != "" {
		return append([]string{strings.TrimSuffix(m, "/") + "/" + set + "/"}, f.mirrors...)
	}
	return f.mirrors
}

// fetch downloads a file to path: mirror by mirror, going on where an earlier try stopped, also one of another process,
// checked against its hash before it gets its name.
func fetch(ctx context.Context, f file, path string, o Options) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	part := claim(path)
	err := f.download(ctx, part, filepath.Base(filepath.Dir(path)), o)
	if err == nil {
		return os.Rename(part, path)
	}
	if isFile(part) {
		_ = os.Rename(part, path+".part") // for the next try; what fails here is downloaded again
	}
	return err
}

// claim gives the name of a part of path that this call alone writes to. A part that another one left becomes it: path.part,
// or one of a process that has written nothing for longer than a download may stand still.
func claim(path string) string {
	var b [6]byte
	_, _ = rand.Read(b[:]) // it never fails
	own := path + ".part." + hex.EncodeToString(b[:])
	if os.Rename(path+".part", own) == nil {
		return own
	}
	list, _ := os.ReadDir(filepath.Dir(path))
	for _, e := range list {
		s, err := e.Info()
		if err != nil || !strings.HasPrefix(e.Name(), filepath.Base(path)+".part.") || time.Since(s.ModTime()) < 4*idleLimit {
			continue
		}
		if os.Rename(filepath.Join(filepath.Dir(path), e.Name()), own) == nil {
			break
		}
	}
	return own
}

// download fills part from the mirrors and checks it.
func (f file) download(ctx context.Context, part, set string, o Options) error {
	var failed error
	for _, m := range f.mirrorsOf(set) {
		for try := range triesPerMirror {
			if try > 0 {
				select {
				case <-ctx.Done():
					return ctx.Err()
				case <-time.After(pause << (try - 1)):
				}
			}
			again, err := f.get(ctx, m+f.name, part, o.Progress)
			if err == nil {
				if err = f.check(part); err == nil {
					return nil
				}
				os.Remove(part)
			}
			failed = errors.Join(failed, fmt.Errorf("%s: %w", m+f.name, err))
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if !again {
				break
			}
		}
	}
	return failed
}

// get downloads url to the end of part. again says whether another try at the same mirror may help.
func (f file) get(ctx context.Context, url, part string, progress func(string, int64, int64)) (again bool, err error) {
	out, err := os.OpenFile(part, os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	done, err := out.Seek(0, io.SeekEnd)
	if err != nil {
		return false, err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	idle := time.AfterFunc(idleLimit, func() { cancel(fmt.Errorf("no data for %v", idleLimit)) })
	defer idle.Stop()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return false, err
	}
	if done > 0 {
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-", done))
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return true, cause(ctx, err)
	}
	defer resp.Body.Close()
	switch resp.StatusCode {
	case http.StatusPartialContent:
	case http.StatusOK: // from the beginning
		if done, err = 0, out.Truncate(0); err != nil {
			return false, err
		}
		if _, err := out.Seek(0, io.SeekStart); err != nil {
			return false, err
		}
	case http.StatusRequestedRangeNotSatisfiable: // what we have is no beginning of the file
		return true, errors.Join(fmt.Errorf("the server answers %s", resp.Status), out.Truncate(0))
	default:
		return resp.StatusCode >= 500, fmt.Errorf("the server answers %s", resp.Status)
	}
	total := int64(0)
	if resp.ContentLength > 0 {
		total = done + resp.ContentLength
	}
	buf := make([]byte, 64<<10)
	for {
		n, err := resp.Body.Read(buf)
		if n > 0 {
			idle.Reset(idleLimit)
			if f.size > 0 && done+int64(n) > f.size {
				return false, errors.Join(fmt.Errorf("the server sends more than the %d bytes that the file has", f.size), out.Truncate(0))
			}
			if _, err := out.Write(buf[:n]); err != nil {
				return false, err
			}
			if done += int64(n); progress != nil {
				progress(f.name, done, total)
			}
		}
		if errors.Is(err, io.EOF) {
			return true, out.Sync()
		}
		if err != nil {
			return true, cause(ctx, err)
		}
	}
}

// cause is why a context ended, when it did.
func cause(ctx context.Context, err error) error {
	if c := context.Cause(ctx); c != nil {
		return c
	}
	return err
}

// check compares a file with its published hash.
func (f file) check(path string) error {
	h, want := sha256.New(), f.sha256
	r, err := os.Open(path)
	if err != nil {
		return err
	}
	defer r.Close()
	if _, err := io.Copy(h, r); err != nil {
		return err
	}
	if got := hex.EncodeToString(h.Sum(nil)); got != want {
		return fmt.Errorf("the file has the hash %s, want %s", got, want)
	}
	return nil
}
