package kun_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/kun-ml/kun"
	"github.com/kun-ml/kun/array"
	"github.com/kun-ml/kun/data"
	"github.com/kun-ml/kun/loss"
	"github.com/kun-ml/kun/metric"
	"github.com/kun-ml/kun/nn"
	"github.com/kun-ml/kun/prep"
	"github.com/kun-ml/kun/store"
	"github.com/kun-ml/kun/tensor"
)

// forge replaces a file of a model directory and puts the right hash into the manifest.
func forge(t testing.TB, dir, name string, b []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), b, 0o644); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "manifest.json")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal(text, &m); err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(b)
	m["files"].(map[string]any)[name] = map[string]any{"size": len(b), "sha256": hex.EncodeToString(sum[:])}
	if text, err = json.Marshal(m); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, text, 0o644); err != nil {
		t.Fatal(err)
	}
}

// served is a saved model whose network only its program knows.
func served(t testing.TB) string {
	t.Helper()
	m, dir := classifier(), filepath.Join(t.TempDir(), "m")
	m.Net = newTower()
	fit(t, m, kun.FitOptions{})
	if err := m.Save(dir); err != nil {
		t.Fatal(err)
	}
	return dir
}

func readFile(t testing.TB, dir, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestLoad_RefusesHostileFilesOfTheRightHash(t *testing.T) {
	program := func(change func(p map[string]any)) func([]byte) []byte {
		return func(b []byte) []byte {
			var p map[string]any
			if err := json.Unmarshal(b, &p); err != nil {
				t.Fatal(err)
			}
			change(p["program"].(map[string]any))
			b, err := json.Marshal(p)
			if err != nil {
				t.Fatal(err)
			}
			return b
		}
	}
	replace := func(old, now string) func([]byte) []byte {
		return func(b []byte) []byte { return bytes.Replace(b, []byte(old), []byte(now), 1) }
	}
	shape := func(now string) func([]byte) []byte {
		return func(b []byte) []byte {
			return regexp.MustCompile(`"shape": \[[^\]]*\]`).ReplaceAll(b, []byte(`"shape": `+now))
		}
	}
	for what, c := range map[string]struct {
		file   string
		change func([]byte) []byte
		blamed string // empty: file
	}{
		"no outputs":     {"program.json", program(func(p map[string]any) { p["outputs"] = []any{} }), ""},
		"a weight":       {"program.json", program(func(p map[string]any) { p["outputs"] = []any{[]any{weightNode(p), 0}} }), ""},
		"no nodes":       {"program.json", program(func(p map[string]any) { p["nodes"] = []any{} }), ""},
		"scalar input":   {"config.json", shape("[]"), "program.json"},
		"wide input":     {"config.json", shape("[9]"), "program.json"},
		"known settings": {"config.json", replace(`"net_type"`, `"net": {"dense": {"units": "many"}}, "net_type"`), ""},
		"other network":  {"config.json", replace(`"net_type"`, `"net": [{"dense": {"units": 3}}], "net_type"`), "model.safetensors"},
	} {
		dir := served(t)
		before := readFile(t, dir, c.file)
		after := c.change(bytes.Clone(before))
		if bytes.Equal(before, after) {
			t.Fatalf("%s: nothing was changed", what)
		}
		forge(t, dir, c.file, after)
		_, err := kun.Load(dir)
		var corrupt *store.CorruptError
		if !errors.As(err, &corrupt) {
			t.Errorf("%s: %v", what, err)
		} else if c.blamed == "" && filepath.Base(corrupt.Path) != c.file || c.blamed != "" && filepath.Base(corrupt.Path) != c.blamed {
			t.Errorf("%s: %s is blamed: %v", what, corrupt.Path, err)
		}
	}
}

// weightNode is the number of the node that reads the first weight.
func weightNode(p map[string]any) int {
	for i, n := range p["nodes"].([]any) {
		if n.(map[string]any)["op"] == "Var" {
			return i
		}
	}
	return 0
}

func FuzzLoad(f *testing.F) {
	dir := served(f)
	f.Add(readFile(f, dir, "config.json"), readFile(f, dir, "program.json"))
	f.Fuzz(func(t *testing.T, config, program []byte) {
		to := t.TempDir()
		if err := os.CopyFS(to, os.DirFS(dir)); err != nil {
			t.Fatal(err)
		}
		forge(t, to, "config.json", config)
		forge(t, to, "program.json", program)
		m, err := kun.Load(to)
		if err != nil {
			return
		}
		var in []*array.Array
		for _, fd := range m.InputFields() {
			if fd.Shape.Size() > 1<<16 {
				return
			}
			in = append(in, array.New(fd.DType, append(array.Shape{3}, fd.Shape...)...))
		}
		_, _ = m.PredictAll(ctx, in...) // an error is fine, a panic is not
	})
}

// odd gives outputs that are no rows.
type odd struct {
	Dense nn.Dense
	out   func(y *tensor.Tensor) *tensor.Tensor
}

func (n *odd) Forward(x *tensor.Tensor) *tensor.Tensor { return n.out(n.Dense.Forward(x)) }

func TestPredict_RefusesOutputsThatAreNoRows(t *testing.T) {
	for what, out := range map[string]func(y *tensor.Tensor) *tensor.Tensor{
		"scalar": func(y *tensor.Tensor) *tensor.Tensor { return y.Mean() },
		"mean":   func(y *tensor.Tensor) *tensor.Tensor { return y.Mean(0) },
		"one":    func(y *tensor.Tensor) *tensor.Tensor { return y.Mean().Reshape(1, 1) },
		"flat":   func(y *tensor.Tensor) *tensor.Tensor { return y.Reshape(y.Dim(0) * 2) },
	} {
		m := &kun.Model{Net: &odd{Dense: nn.Dense{Units: 2}, out: out}, Loss: loss.MeanSquaredError{}}
		if err := m.Build(0, data.Field{Name: "x", DType: array.Float32, Shape: array.Shape{2}}); err != nil {
			t.Fatal(err)
		}
		for _, rows := range []int{1, 2, 3} {
			if _, err := m.Predict(ctx, array.New(array.Float32, rows, 2)); err == nil || !strings.Contains(err.Error(), "first axis must be the samples") {
				t.Errorf("%s of %d rows: %v", what, rows, err)
			}
		}
	}
}

// TestModel_BesideFit: everything that may run beside Fit does so from before it begins; the race detector looks on.
func TestModel_BesideFit(t *testing.T) {
	m, built := classifier(), classifier()
	built.Prepare = prep.Pipeline{&prep.Normalize{}}
	if err := built.Build(1, data.Field{Name: "x", DType: array.Uint8, Shape: array.Shape{8}}); err == nil {
		t.Fatal("built with a preparation that has not been fitted")
	}
	loaded := classifier()
	loaded.Metrics = []metric.Metric{metric.Accuracy{}}
	fit(t, loaded, kun.FitOptions{})
	x, test := blobs(t, 40, 5).Array("x"), blobs(t, 40, 6)
	for _, m := range []*kun.Model{m, built, loaded} {
		var wait sync.WaitGroup
		stop := make(chan struct{})
		for i, f := range []func(){
			func() { _, _ = m.Predict(ctx, x) },
			func() {
				if m != loaded {
					return // it would make the weights
				}
				_, _ = m.Evaluate(ctx, test)
			},
			func() { _ = m.Save(filepath.Join(t.TempDir(), "m")) },
			func() {
				m.Info()
				m.InputFields()
				m.Params()
				m.Paths()
				m.WeightsSHA256()
				_, _ = m.Layers()
			},
		} {
			_ = i
			wait.Go(func() {
				for {
					select {
					case <-stop:
						return
					default:
						f()
					}
				}
			})
		}
		for range 2 {
			fit(t, m, kun.FitOptions{Epochs: 3})
		}
		close(stop)
		wait.Wait()
	}
}
