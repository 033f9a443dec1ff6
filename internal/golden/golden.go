package golden

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/kun-ml/kun/array"
	"github.com/kun-ml/kun/device"
	"github.com/kun-ml/kun/device/cpu"
	"github.com/kun-ml/kun/device/ref"
	"github.com/kun-ml/kun/internal/testdata"
	"github.com/kun-ml/kun/program"
	"github.com/kun-ml/kun/tensor"
)

// Tolerances relative to 1 + |value|: Keras computed in float32, and differs from itself on another backend by 4e-7.
const (
	Value = 2e-6 // of an output
	Grad  = 4e-6 // of a gradient
)

// Tensor is an array as the files hold it.
type Tensor struct {
	Shape []int
	DType string // read when the values are asked for: some files hold types that no case needs
	Data  string
}

// Array decodes the values.
func (g *Tensor) Array(t testing.TB) *array.Array {
	t.Helper()
	b, err := base64.StdEncoding.DecodeString(g.Data)
	if err != nil {
		t.Fatal(err)
	}
	var d array.DType
	if err := d.UnmarshalText([]byte(g.DType)); err != nil {
		t.Fatal(err)
	}
	a := array.New(d, g.Shape...)
	if len(b) != len(a.Bytes()) {
		t.Fatalf("%d bytes for %s%v", len(b), g.DType, g.Shape)
	}
	copy(a.Bytes(), b)
	return a
}

// Read reads the cases of a family into a pointer to a slice.
func Read(t testing.TB, file string, cases any) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(testdata.Golden(t), file))
	if err != nil {
		t.Fatal(err)
	}
	all := struct{ Cases any }{cases}
	if err := json.Unmarshal(b, &all); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}

// Strict reads JSON into a struct that must know every key.
func Strict(t testing.TB, b []byte, into any) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		t.Fatalf("%s: %v", b, err)
	}
}

// Devices are those that cases run on: the reference and the processor.
func Devices(t testing.TB) []device.Device {
	c := cpu.New(cpu.Options{Threads: 2})
	t.Cleanup(c.Close)
	return []device.Device{ref.New(), c}
}

// Program is a trace ready to run on a device, with its variables by path.
type Program struct {
	Graph *tensor.Graph
	Vars  map[string]*tensor.Var
	in    device.Instance
}

// Compile traces f over inputs of the given types. values are the variables' values by path; others are made fresh from
// seed 1. A variable that has another shape than its value ends the test.
func Compile(t testing.TB, d device.Device, o tensor.Options, values map[string]*array.Array, like []*array.Array, f func(in []*tensor.Tensor) []*tensor.Tensor) *Program {
	t.Helper()
	specs := make([]tensor.Spec, len(like))
	for i, a := range like {
		specs[i] = tensor.Spec{DType: a.DType(), Shape: a.Shape()}
	}
	g, err := tensor.Trace(o, f, specs...)
	if err != nil {
		t.Fatal(err)
	}
	if d.Name() != "ref" {
		g = program.Optimize(g)
	}
	p := &Program{Graph: g, Vars: map[string]*tensor.Var{}}
	for _, c := range g.Trace().Decls {
		v := values[c.Path]
		if v == nil {
			p.Vars[c.Path] = c.Materialise(1)
			continue
		}
		if !v.Shape().Equal(c.Type.Shape) {
			t.Fatalf("%s has shape %v, Keras's %v", c.Path, c.Type.Shape, v.Shape())
		}
		p.Vars[c.Path] = tensor.NewVar(c.Path, c.Role, v.Clone())
	}
	exe, err := d.Compile(g)
	if err != nil {
		t.Fatal(err)
	}
	if p.in, err = exe.Instance(p.Vars); err != nil {
		t.Fatal(err)
	}
	return p
}

// Run computes the program once and gives its outputs.
func (p *Program) Run(t testing.TB, step int64, inputs ...*array.Array) []*array.Array {
	t.Helper()
	out := make([]*array.Array, len(p.Graph.Outs))
	for i, o := range p.Graph.Outs {
		out[i] = array.New(o.DType(), o.Shape()...)
	}
	if err := p.in.Run(&device.Run{Inputs: inputs, Outputs: out, Step: step, Seed: 1}); err != nil {
		t.Fatal(err)
	}
	return out
}

// Near compares arrays; the tolerance is relative to 1 + |want|.
func Near(t testing.TB, what string, got, want *array.Array, tol float64) {
	t.Helper()
	if !got.Shape().Equal(want.Shape()) {
		t.Errorf("%s has shape %v, want %v", what, got.Shape(), want.Shape())
		return
	}
	g, w := got.Float64s(), want.Float64s()
	for i := range w {
		if !(math.Abs(g[i]-w[i]) <= tol*(1+math.Abs(w[i]))) && !(g[i] != g[i] && w[i] != w[i]) && g[i] != w[i] {
			t.Errorf("%s[%d] is %.9g, want %.9g", what, i, g[i], w[i])
			return
		}
	}
}

// Tally counts the cases of a family by class.
type Tally struct {
	Later        map[string]int // cases of classes that are not there yet, or of a reason why they did not run
	passed, with map[string]int
}

// NewTally counts from 0.
func NewTally() *Tally { return &Tally{map[string]int{}, map[string]int{}, map[string]int{}} }

// Add counts a case that ran.
func (c *Tally) Add(class string, pass bool) {
	c.with[class]++
	if pass {
		c.passed[class]++
	}
}

// Log writes how many cases of each class passed, which were left for later, and which of want have no case in the folder.
// No case at all fails the test.
func (c *Tally) Log(t testing.TB, family string, want ...string) {
	t.Helper()
	passed, all := 0, 0
	for k, n := range c.with {
		passed, all = passed+c.passed[k], all+n
	}
	t.Logf("%s: %d of %d cases pass: %v", family, passed, all, c.passed)
	if len(c.Later) > 0 {
		t.Logf("%s: later: %v", family, slices.Sorted(maps.Keys(c.Later)))
	}
	if all == 0 {
		t.Errorf("%s: no case ran", family)
	}
	for _, w := range want {
		if c.with[w] == 0 {
			t.Logf("%s: no case of %s in this folder", family, w)
		}
	}
}
