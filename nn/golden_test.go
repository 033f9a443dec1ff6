package nn_test

import (
	"encoding/base64"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"sort"
	"testing"

	"github.com/kun-ml/kun/array"
	"github.com/kun-ml/kun/device"
	"github.com/kun-ml/kun/device/ref"
	"github.com/kun-ml/kun/tensor"
)

// Tolerances relative to 1 + |value|: Keras computed in float32; it differs from itself on another backend by 4e-7.
const (
	goldenValue = 1e-6
	goldenGrad  = 2e-6
)

// goldenTensor is an array as the golden files hold it.
type goldenTensor struct {
	Shape []int
	DType array.DType
	Data  string
}

// Array decodes the values.
func (g *goldenTensor) Array(t testing.TB) *array.Array {
	t.Helper()
	b, err := base64.StdEncoding.DecodeString(g.Data)
	if err != nil {
		t.Fatal(err)
	}
	a := array.New(g.DType, g.Shape...)
	if len(b) != len(a.Bytes()) {
		t.Fatalf("%d bytes for %v%v", len(b), g.DType, g.Shape)
	}
	copy(a.Bytes(), b)
	return a
}

// readGolden reads the cases of a family; the folder is KUN_GOLDEN or shared/golden/keras beside the checkout.
func readGolden(t *testing.T, file string, cases any) {
	t.Helper()
	dir := os.Getenv("KUN_GOLDEN")
	if at, err := os.Getwd(); dir == "" && err == nil {
		for ; ; at = filepath.Dir(at) {
			d := filepath.Join(at, "..", "shared", "golden", "keras")
			if _, err := os.Stat(d); err == nil {
				dir = d
				break
			}
			if at == filepath.Dir(at) {
				break
			}
		}
	}
	b, err := os.ReadFile(filepath.Join(dir, file))
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("golden vectors are needed here: %v", err)
		}
		t.Skipf("no golden vectors (set KUN_GOLDEN to their folder): %v", err)
	}
	all := struct{ Cases any }{cases}
	if err := json.Unmarshal(b, &all); err != nil {
		t.Fatal(err)
	}
}

// devices are those that golden cases run on.
func devices() []device.Device { return []device.Device{ref.New()} }

// run traces f over inputs of the given values, with the variables of vars, and gives the outputs.
func run(t testing.TB, d device.Device, o tensor.Options, vars map[string]*array.Array, inputs []*array.Array, f func(in []*tensor.Tensor) []*tensor.Tensor) []*array.Array {
	t.Helper()
	specs := make([]tensor.Spec, len(inputs))
	for i, a := range inputs {
		specs[i] = tensor.Spec{DType: a.DType(), Shape: a.Shape()}
	}
	g, err := tensor.Trace(o, f, specs...)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]*tensor.Var{}
	for _, c := range g.Trace().Decls {
		v := vars[c.Path]
		if v == nil {
			all[c.Path] = c.Materialise(1)
			continue
		}
		if !v.Shape().Equal(c.Type.Shape) {
			t.Fatalf("%s has shape %v, Keras's %v", c.Path, c.Type.Shape, v.Shape())
		}
		all[c.Path] = tensor.NewVar(c.Path, c.Role, v.Clone())
	}
	exe, err := d.Compile(g)
	if err != nil {
		t.Fatal(err)
	}
	in, err := exe.Instance(all)
	if err != nil {
		t.Fatal(err)
	}
	out := make([]*array.Array, len(g.Outs))
	for i, o := range g.Outs {
		out[i] = array.New(o.DType(), o.Shape()...)
	}
	if err := in.Run(&device.Run{Inputs: inputs, Outputs: out, Seed: 1}); err != nil {
		t.Fatal(err)
	}
	for path, v := range all {
		if vars[path] != nil {
			vars[path].CopyFrom(v.Value)
		}
	}
	return out
}

// near compares arrays; the tolerance is relative to 1 + |want|.
func near(t testing.TB, what string, got, want *array.Array, tol float64) {
	t.Helper()
	if !got.Shape().Equal(want.Shape()) {
		t.Errorf("%s has shape %v, want %v", what, got.Shape(), want.Shape())
		return
	}
	g, w := got.Float64s(), want.Float64s()
	for i := range w {
		if !(math.Abs(g[i]-w[i]) <= tol*(1+math.Abs(w[i]))) && !(g[i] != g[i] && w[i] != w[i]) {
			t.Errorf("%s[%d] is %.9g, want %.9g", what, i, g[i], w[i])
			return
		}
	}
}

// count logs how many cases of each name ran and which were left out.
func count(t *testing.T, family string, ran, left map[string]int) {
	t.Helper()
	n := 0
	for _, c := range ran {
		n += c
	}
	t.Logf("%s: %d cases pass: %v", family, n, ran)
	names := make([]string, 0, len(left))
	for k := range left {
		names = append(names, k)
	}
	sort.Strings(names)
	t.Logf("%s: not in this release: %v", family, names)
	if n == 0 {
		t.Errorf("%s: no case ran", family)
	}
}
