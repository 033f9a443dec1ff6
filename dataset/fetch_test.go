package dataset

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestFetch_RefusesAServerWithoutEnd(t *testing.T) {
	defer func(p time.Duration) { pause = p }(pause)
	pause = time.Millisecond
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			if _, err := w.Write(make([]byte, 4096)); err != nil {
				return
			}
		}
	}))
	defer s.Close()
	dir := t.TempDir()
	err := fetch(t.Context(), file{name: "f", size: 10000, sha256: "x", mirrors: []string{s.URL + "/"}}, filepath.Join(dir, "f"), Options{})
	if err == nil || !strings.Contains(err.Error(), "more than the 10000 bytes") {
		t.Errorf("%v", err)
	}
	for _, e := range entries(t, dir) {
		if i, err := os.Stat(filepath.Join(dir, e)); err != nil || i.Size() > 1<<20 {
			t.Errorf("%s holds %d bytes, %v", e, i.Size(), err)
		}
	}
}

func entries(t *testing.T, dir string) (out []string) {
	t.Helper()
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range list {
		out = append(out, e.Name())
	}
	return out
}

// TestFetch_TwoAtOnce: neither takes the other's part away.
func TestFetch_TwoAtOnce(t *testing.T) {
	body := bytes.Repeat([]byte("kun"), 100000)
	sum := sha256.Sum256(body)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.ServeContent(w, r, "f", time.Time{}, bytes.NewReader(body))
	}))
	defer s.Close()
	dir := t.TempDir()
	path := filepath.Join(dir, "f")
	if err := os.WriteFile(path+".part", body[:1000], 0o644); err != nil {
		t.Fatal(err)
	}
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			if err := fetch(t.Context(), file{name: "f", size: int64(len(body)), sha256: hex.EncodeToString(sum[:]), mirrors: []string{s.URL + "/"}}, path, Options{}); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	got, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(got, body) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	if left := entries(t, dir); len(left) != 1 {
		t.Errorf("left %v", left)
	}
}

// TestFetch_GoesOnWithWhatWasLeft: by a call that failed, or by a process that is gone.
func TestFetch_GoesOnWithWhatWasLeft(t *testing.T) {
	body := bytes.Repeat([]byte("kun"), 1000)
	sum := sha256.Sum256(body)
	for _, name := range []string{"f.part", "f.part.0123"} {
		asked := ""
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			asked = r.Header.Get("Range")
			http.ServeContent(w, r, "f", time.Time{}, bytes.NewReader(body))
		}))
		defer s.Close()
		dir := t.TempDir()
		left := filepath.Join(dir, name)
		if err := os.WriteFile(left, body[:1000], 0o644); err != nil {
			t.Fatal(err)
		}
		old := time.Now().Add(-time.Hour)
		if err := os.Chtimes(left, old, old); err != nil {
			t.Fatal(err)
		}
		err := fetch(t.Context(), file{name: "f", sha256: hex.EncodeToString(sum[:]), mirrors: []string{s.URL + "/"}}, filepath.Join(dir, "f"), Options{})
		if err != nil || asked != "bytes=1000-" {
			t.Errorf("%s: %v, asked for %q", name, err, asked)
		}
	}
}

// archive is a CIFAR-10 file of one record each, with other members between.
func archive(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	add := func(name string, body []byte) {
		if err := w.WriteHeader(&tar.Header{Name: "c/" + name, Mode: 0o644, Size: int64(len(body))}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(body); err != nil {
			t.Fatal(err)
		}
	}
	for i, name := range cifarParts {
		add(fmt.Sprintf("data_batch_%d.txt", i), nil)
		add(name, append([]byte{byte(i)}, make([]byte, cifarRecord-1)...))
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestCIFAR10_ReadsToTheChecksum(t *testing.T) {
	defer func(n int) { cifarBatch = n }(cifarBatch)
	cifarBatch = 1
	whole := archive(t)
	wrong := bytes.Clone(whole)
	wrong[len(wrong)-6] ^= 1 // of the checksum
	for _, c := range []struct {
		file []byte
		want string
	}{{whole, ""}, {wrong, "checksum"}, {whole[:len(whole)-8], "EOF"}} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "cifar-10-binary.tar.gz"), c.file, 0o644); err != nil {
			t.Fatal(err)
		}
		train, test, err := Load(t.Context(), "cifar10", Options{Dir: dir})
		if c.want == "" && (err != nil || fmt.Sprint(train.Array("y").Bytes(), test.Array("y").Bytes()) != "[0 1 2 3 4] [5]") {
			t.Errorf("%v", err)
		}
		if c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%v, want %q", err, c.want)
		}
	}
}
