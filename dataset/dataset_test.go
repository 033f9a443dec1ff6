package dataset

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kun-ml/kun/internal/testdata"
)

func TestMNIST_FromAFolder(t *testing.T) {
	train, test, err := Load(t.Context(), "mnist", Options{Dir: testdata.Dir(t, "mnist")})
	if err != nil {
		t.Fatal(err)
	}
	if train.Len() != 60000 || test.Len() != 10000 || train.Name != "mnist" || len(test.Classes) != 10 {
		t.Errorf("%d and %d samples of %s", train.Len(), test.Len(), train.Name)
	}
	if got := fmt.Sprint(train.Array("y").Bytes()[:10]); got != "[5 0 4 1 9 2 1 3 1 4]" {
		t.Errorf("labels %s", got)
	}
	sum := 0
	for _, v := range train.Array("x").Bytes() {
		sum += int(v)
	}
	if mean := fmt.Sprintf("%.4f", float64(sum)/60000/784); mean != "33.3184" {
		t.Errorf("mean %s", mean)
	}
}

func TestLoad_Unknown(t *testing.T) {
	if _, _, err := Load(t.Context(), "minst", Options{}); err == nil || !strings.Contains(err.Error(), "mnist") {
		t.Errorf("%v", err)
	}
}

func TestLoad_OfflineSaysWhatToPutWhere(t *testing.T) {
	dir := t.TempDir()
	_, _, err := Load(t.Context(), "mnist", Options{Dir: dir})
	var m *MissingError
	if !errors.As(err, &m) || !strings.Contains(err.Error(), "train-images-idx3-ubyte.gz") || !strings.Contains(err.Error(), dir) {
		t.Errorf("%v", err)
	}
}

// idx is an IDX file of bytes, packed.
func idx(dims []int, values []byte) []byte {
	b := []byte{0, 0, 8, byte(len(dims))}
	for _, d := range dims {
		b = append(b, byte(d>>24), byte(d>>16), byte(d>>8), byte(d))
	}
	var z bytes.Buffer
	w := gzip.NewWriter(&z)
	w.Write(append(b, values...))
	w.Close()
	return z.Bytes()
}

func TestIDX_DamageNamesTheFile(t *testing.T) {
	good := map[string][]byte{
		"train-images-idx3-ubyte.gz": idx([]int{2, 28, 28}, make([]byte, 2*784)), "train-labels-idx1-ubyte.gz": idx([]int{2}, []byte{1, 9}),
		"t10k-images-idx3-ubyte.gz": idx([]int{1, 28, 28}, make([]byte, 784)), "t10k-labels-idx1-ubyte.gz": idx([]int{1}, []byte{0}),
	}
	for _, c := range []struct {
		name string
		file []byte
		want string
	}{
		{"", nil, ""},
		{"train-labels-idx1-ubyte.gz", idx([]int{2}, []byte{1, 10}), "label 10"},
		{"train-labels-idx1-ubyte.gz", idx([]int{3}, []byte{1, 2, 3}), "3 labels"},
		{"train-images-idx3-ubyte.gz", idx([]int{2, 27, 28}, make([]byte, 2*27*28)), "28"},
		{"train-images-idx3-ubyte.gz", idx([]int{1 << 30, 28, 28}, make([]byte, 784)), "train-images"},
		{"t10k-images-idx3-ubyte.gz", good["t10k-images-idx3-ubyte.gz"][:20], "t10k-images"},
		{"t10k-images-idx3-ubyte.gz", idx([]int{0, 28, 28}, nil), "t10k"},
	} {
		dir := t.TempDir()
		for n, b := range good {
			if n == c.name {
				b = c.file
			}
			if err := os.WriteFile(filepath.Join(dir, n), b, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		_, _, err := Load(t.Context(), "mnist", Options{Dir: dir})
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// TestFetch_FromServersThatMisbehave: each handler is a mirror.
func TestFetch_FromServersThatMisbehave(t *testing.T) {
	defer func(i, p time.Duration) { idleLimit, pause = i, p }(idleLimit, pause)
	idleLimit, pause = 200*time.Millisecond, time.Millisecond
	body := bytes.Repeat([]byte("kun"), 50000)
	sum := sha256.Sum256(body)
	good := func(w http.ResponseWriter, r *http.Request) {
		http.ServeContent(w, r, "f", time.Time{}, bytes.NewReader(body))
	}
	for name, c := range map[string]struct {
		mirrors []http.HandlerFunc
		ok      bool
	}{
		"good":           {[]http.HandlerFunc{good}, true},
		"404, then good": {[]http.HandlerFunc{http.NotFound, good}, true},
		"404 only":       {[]http.HandlerFunc{http.NotFound}, false},
		"wrong bytes":    {[]http.HandlerFunc{func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "something else") }}, false},
		"500, then good": {[]http.HandlerFunc{first(1, func(w http.ResponseWriter, r *http.Request) { http.Error(w, "no", 500) }, good)}, true},
		"cut, resumed":   {[]http.HandlerFunc{first(1, cut(body), good)}, true},
		"cut, no ranges": {[]http.HandlerFunc{first(1, cut(body), func(w http.ResponseWriter, r *http.Request) { w.Write(body) })}, true},
		"never ends":     {[]http.HandlerFunc{endless, good}, true},
		"never ends 1":   {[]http.HandlerFunc{endless}, false},
		"stands still":   {[]http.HandlerFunc{stall, good}, true},
		"stands still 1": {[]http.HandlerFunc{stall}, false},
	} {
		f := file{name: "f", sha256: hex.EncodeToString(sum[:]), size: int64(len(body))}
		for _, h := range c.mirrors {
			s := httptest.NewServer(h)
			defer s.Close()
			f.mirrors = append(f.mirrors, s.URL+"/")
		}
		path := filepath.Join(t.TempDir(), "set", "f")
		last := int64(0)
		err := fetch(t.Context(), f, path, Options{Progress: func(_ string, done, _ int64) { last = done }})
		got, _ := os.ReadFile(path)
		if c.ok && (err != nil || !bytes.Equal(got, body) || last != int64(len(body))) {
			t.Errorf("%s: %v, %d bytes, progress %d", name, err, len(got), last)
		}
		if !c.ok && (err == nil || got != nil) {
			t.Errorf("%s: no error, %d bytes", name, len(got))
		}
	}
}

// first answers the first n requests by a, later ones by b.
func first(n int, a, b http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if n--; n >= 0 {
			a(w, r)
			return
		}
		b(w, r)
	}
}

// cut sends half of the body and closes the connection.
func cut(body []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", fmt.Sprint(len(body)))
		w.Write(body[:len(body)/2])
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	}
}

// endless sends until the other end has enough.
func endless(w http.ResponseWriter, r *http.Request) {
	for b := make([]byte, 1<<16); ; {
		if _, err := w.Write(b); err != nil {
			return
		}
	}
}

func stall(w http.ResponseWriter, r *http.Request) {
	w.Write([]byte("x"))
	w.(http.Flusher).Flush()
	<-r.Context().Done()
}

func TestFetch_StopsWithItsContext(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(stall))
	defer s.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	err := fetch(ctx, file{name: "f", mirrors: []string{s.URL + "/"}}, filepath.Join(t.TempDir(), "f"), Options{})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
}
