package cli

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/kun-ml/kun/array"
	"github.com/kun-ml/kun/data"
	"github.com/kun-ml/kun/dataset"
)

// invoke runs the command in this process, without the environment's KUN_ variables, and gives what it wrote and its exit code.
func invoke(t *testing.T, args ...string) (out, log string, code int) {
	t.Helper()
	return invokeIn(t, context.Background(), nil, args...)
}

func invokeIn(t *testing.T, ctx context.Context, env []string, args ...string) (out, log string, code int) {
	t.Helper()
	var o, e bytes.Buffer
	code = Run(ctx, args, Streams{In: strings.NewReader(""), Out: &o, Err: &e, Env: append([]string{"LC_ALL=C.UTF-8"}, env...)})
	return o.String(), e.String(), code
}

// must runs the command and demands that it went well.
func must(t *testing.T, args ...string) (out, log string) {
	t.Helper()
	out, log, code := invoke(t, args...)
	if code != OK {
		t.Fatalf("kun %v: exit code %d\n%s", args, code, log)
	}
	return out, log
}

// object runs the command with --json and reads the one object that it prints.
func object(t *testing.T, args ...string) map[string]any {
	t.Helper()
	out, _ := must(t, append(args, "--json")...)
	return asObject(t, out)
}

func asObject(t *testing.T, out string) map[string]any {
	t.Helper()
	var v map[string]any
	if err := json.Unmarshal([]byte(out), &v); err != nil {
		t.Fatalf("not one object: %v\n%s", err, out)
	}
	return v
}

// refused runs the command and demands an exit code and words of the message, on standard error.
func refused(t *testing.T, code int, words []string, args ...string) string {
	t.Helper()
	_, log, got := invoke(t, args...)
	if got != code {
		t.Errorf("kun %v: exit code %d, want %d\n%s", args, got, code, log)
	}
	for _, w := range words {
		if !strings.Contains(log, w) && !strings.Contains(strings.Join(strings.Fields(log), " "), w) {
			t.Errorf("kun %v: the message lacks %q:\n%s", args, w, log)
		}
	}
	if strings.Contains(log, "goroutine") || strings.Contains(log, "failed inside") {
		t.Errorf("kun %v: a trace reached the user:\n%s", args, log)
	}
	return log
}

// write writes a file below a fresh folder, or at an absolute path, and gives its path.
func write(t *testing.T, name string, content []byte) string {
	t.Helper()
	if !filepath.IsAbs(name) {
		name = filepath.Join(t.TempDir(), name)
	}
	if err := os.WriteFile(name, content, 0o644); err != nil {
		t.Fatal(err)
	}
	return name
}

// small is a configuration that trains in some milliseconds; lines of edits, "old => new", change it.
func small(t *testing.T, edits ...string) string {
	t.Helper()
	text := `data: {source: idx, path: ` + digitFiles(t) + `/x, labels: ` + digitFiles(t) + `/y, test_path: ` + digitFiles(t) + `/tx, test_labels: ` + digitFiles(t) + `/ty}
prepare: [{rescale: {scale: 1/255}}]
model:
  - flatten
  - dense: {units: 16, activation: relu}
  - dense: {units: 10, activation: softmax}
loss: sparse_categorical_crossentropy
optimizer: {adam: {learning_rate: 0.01}}
metrics: [accuracy]
train: {epochs: 2, batch_size: 32, seed: 1}
`
	for _, e := range edits {
		old, with, ok := strings.Cut(e, " => ")
		if !ok || !strings.Contains(text, old) {
			t.Fatalf("the edit %q fits nothing", e)
		}
		text = strings.Replace(text, old, with, 1)
	}
	return write(t, "small.yaml", []byte(text))
}

var digitDir struct {
	once sync.Once
	path string
	err  error
}

// digitFiles is a folder with 300 training and 100 test digits as IDX files x, y, tx and ty, made once.
func digitFiles(t *testing.T) string {
	t.Helper()
	d := &digitDir
	d.once.Do(func() {
		var train, test *data.Set
		if train, test, d.err = dataset.Digits(context.Background()); d.err != nil {
			return
		}
		if d.path, d.err = os.MkdirTemp("", "kun-cli-test-*"); d.err != nil {
			return
		}
		for prefix, s := range map[string]*data.Set{"": train, "t": test} {
			n := map[string]int{"": 300, "t": 100}[prefix]
			for _, f := range []string{data.X, data.Y} {
				a := s.Array(f).Rows(0, n)
				var shape []uint32
				for _, dim := range a.Shape() {
					shape = append(shape, uint32(dim))
				}
				if err := os.WriteFile(filepath.Join(d.path, prefix+f), idxBytes(shape, a.Bytes()), 0o644); err != nil {
					d.err = err
				}
			}
		}
	})
	if d.err != nil {
		t.Fatal(d.err)
	}
	return d.path
}

// trained is a model that small trains.
func trained(t *testing.T, edits ...string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "model")
	must(t, "train", small(t, edits...), "--out", dir)
	return dir
}

// saveNPY writes an array.
func saveNPY(t *testing.T, path string, a *array.Array) string {
	t.Helper()
	var b bytes.Buffer
	if err := array.WriteNPY(&b, a); err != nil {
		t.Fatal(err)
	}
	return write(t, path, b.Bytes())
}

// idxBytes is an IDX file of bytes.
func idxBytes(shape []uint32, values []byte) []byte {
	b := []byte{0, 0, 8, byte(len(shape))}
	for _, d := range shape {
		b = binary.BigEndian.AppendUint32(b, d)
	}
	return append(b, values...)
}

func packed(t *testing.T, b []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	if _, err := z.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// flowers is a table of two measures and a kind that follows from them; header says whether columns are named.
func flowers(rows int) string {
	var b strings.Builder
	b.WriteString("length,colour,width,kind\n")
	for i := range rows {
		l, w := float64(i%7), float64(i%5)
		colour, kind := "blue", "small"
		if i%2 == 0 {
			colour = "red"
		}
		if l+w > 5 {
			kind = "large"
		}
		fmt.Fprintf(&b, "%g,%s,%g,%s\n", l, colour, w, kind)
	}
	return b.String()
}

const flowersModel = `prepare: [normalize]
model:
  - dense: {units: 8, activation: relu}
  - dense: {units: 2, activation: softmax}
loss: sparse_categorical_crossentropy
optimizer: {adam: {learning_rate: 0.02}}
metrics: [accuracy]
train: {epochs: 60, batch_size: 8, seed: 1}
`
