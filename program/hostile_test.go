package program_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/kun-ml/kun/array"
	"github.com/kun-ml/kun/device"
	"github.com/kun-ml/kun/device/cpu"
	"github.com/kun-ml/kun/device/ref"
	"github.com/kun-ml/kun/program"
	"github.com/kun-ml/kun/tensor"
)

// seeds are programs of every operation's every case and of a small network, as they stand in files.
func seeds(t testing.TB) (all [][]byte) {
	t.Helper()
	add := func(f func(int) (*tensor.Graph, error)) {
		p, err := program.Generalise(f)
		if err != nil {
			t.Fatal(err)
		}
		b, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, b)
	}
	add(trace(model))
	for _, op := range tensor.Ops() {
		for _, c := range op.Cases {
			var specs []tensor.Spec
			elements := 0
			for _, ty := range c.In {
				specs = append(specs, tensor.Spec{DType: ty.DType, Shape: ty.Shape})
				elements += ty.Shape.Size()
			}
			if elements > 1000 {
				continue
			}
			add(func(int) (*tensor.Graph, error) {
				return tensor.Trace(tensor.Options{}, func(in []*tensor.Tensor) []*tensor.Tensor { return op.ApplyAll(c.Attr, in...) }, specs...)
			})
		}
	}
	return all
}

// work bounds what a run of a graph takes: elements, with empty axes counted as 1, and operations.
func work(g *tensor.Graph) float64 {
	sum := 0.0
	for _, n := range g.Nodes {
		times := 1.0
		if a, ok := n.Attr.(*tensor.ScanAttr); ok {
			sum += float64(a.Len+1) * work(n.Body)
		} else {
			sum += math.Abs(n.FLOPs())
		}
		for i := range n.NumOut() {
			e := times
			for _, d := range n.Type(i).Shape {
				e *= float64(max(d, 1))
			}
			sum += e
		}
	}
	return sum
}

// runSmall compiles and runs a graph on a device, if it is small. An error is fine, a panic is not.
func runSmall(d device.Device, g *tensor.Graph) {
	if work(g) > 1<<18 {
		return
	}
	exe, err := d.Compile(g)
	if err != nil {
		return
	}
	vars := map[string]*tensor.Var{}
	for _, v := range g.Trace().Decls {
		vars[v.Path] = v.Materialise(1)
	}
	inst, err := exe.Instance(vars)
	if err != nil {
		return
	}
	r := &device.Run{Seed: 1, Step: 2}
	for _, x := range g.Inputs {
		a := array.New(x.DType(), x.Shape()...)
		v := make([]float64, a.Len())
		for i := range v {
			v[i] = float64(i%7) - 2
		}
		a.SetFloat64s(v)
		r.Inputs = append(r.Inputs, a)
	}
	for _, y := range g.Outs {
		r.Outputs = append(r.Outputs, array.New(y.DType(), y.Shape()...))
	}
	inst.Run(r)
}

func bindAndRun(b []byte, batch int, d ...device.Device) (bound bool) {
	var q program.Poly
	if json.Unmarshal(b, &q) != nil {
		return false
	}
	g, err := q.Bind(batch % 100)
	if err != nil {
		return false
	}
	program.Dump(program.Optimize(g))
	for _, d := range d {
		runSmall(d, g)
		runSmall(d, program.Optimize(g))
	}
	return true
}

// mutate changes one number, element type or operation somewhere in v.
func mutate(r *rand.Rand, v any) any {
	numbers := []float64{0, 1, 2, 3, 5, -1, -2, 7, 100, 1 << 31, 1<<31 - 1, -1 << 31, 1 << 32, 1 << 40, 1 << 52, 1 << 53, -1 << 53, 1<<62 + 1, 0.5}
	switch x := v.(type) {
	case map[string]any:
		if len(x) == 0 {
			return x
		}
		keys := slices.Sorted(maps.Keys(x))
		k := keys[r.IntN(len(keys))]
		if k == "op" && r.IntN(2) == 0 {
			ops := tensor.Ops()
			x[k] = ops[r.IntN(len(ops))].Name
			return x
		}
		x[k] = mutate(r, x[k])
	case []any:
		if len(x) == 0 || r.IntN(12) == 0 {
			return append(x, numbers[r.IntN(len(numbers))])
		}
		if r.IntN(20) == 0 {
			return x[1:]
		}
		i := r.IntN(len(x))
		x[i] = mutate(r, x[i])
	case float64:
		if r.IntN(3) == 0 {
			return x + float64(r.IntN(5)-2)
		}
		return numbers[r.IntN(len(numbers))]
	case string:
		if slices.ContainsFunc(array.DTypes(), func(d array.DType) bool { return d.String() == x }) {
			return array.DTypes()[r.IntN(len(array.DTypes()))].String()
		}
	case bool:
		return !x
	}
	return v
}

// TestBind_ChangedProgramsRunOrAreRefused changes programs at a few places; what still binds must run on every device.
func TestBind_ChangedProgramsRunOrAreRefused(t *testing.T) {
	d := cpu.New(cpu.Options{Threads: 1})
	defer d.Close()
	r := rand.New(rand.NewPCG(1, 2))
	bound := 0
	for i, b := range seeds(t) {
		rounds := 60
		if i == 0 {
			rounds = 600
		}
		for range rounds {
			var v any
			if err := json.Unmarshal(b, &v); err != nil {
				t.Fatal(err)
			}
			p := v.(map[string]any)
			for range 1 + r.IntN(3) {
				p["program"] = mutate(r, p["program"])
			}
			c, _ := json.Marshal(v)
			func() {
				defer func() {
					if e := recover(); e != nil {
						t.Errorf("%v for the program\n%s", e, c)
					}
				}()
				if bindAndRun(c, 1+r.IntN(3), ref.New(), d) {
					bound++
				}
			}()
		}
	}
	if bound < 1000 {
		t.Errorf("only %d changed programs bind", bound)
	}
}

func FuzzBind(f *testing.F) {
	for _, b := range seeds(f) {
		f.Add(b, 2)
	}
	d := cpu.New(cpu.Options{Threads: 1})
	f.Cleanup(d.Close)
	f.Fuzz(func(t *testing.T, b []byte, batch int) { bindAndRun(b, batch, ref.New(), d) })
}

// TestBind_RefusesWhatLeadsOutside lists operations whose attributes or operands would lead outside of their memory.
func TestBind_RefusesWhatLeadsOutside(t *testing.T) {
	f := func(d array.DType, dims ...int) tensor.Type { return tensor.Type{DType: d, Shape: dims} }
	x, k := array.Float32, array.Int32
	for i, c := range []struct {
		op   string
		attr any
		in   []tensor.Type
	}{
		{"Slice", &tensor.SliceAttr{Axis: 0, From: 1, Len: 2049, Step: math.MaxInt/1024 + 1, Of: 4}, []tensor.Type{f(x, 4)}},
		{"Slice", &tensor.SliceAttr{Axis: 0, From: 1, Len: 2049, Step: -math.MaxInt/1024 - 1, Of: 4}, []tensor.Type{f(x, 4)}},
		{"Slice", &tensor.SliceAttr{Axis: 0, From: 0, Len: 2, Step: math.MinInt, Of: 4}, []tensor.Type{f(x, 4)}},
		{"Slice", &tensor.SliceAttr{Axis: 0, From: 3, Len: 5, Step: -1, Of: 4}, []tensor.Type{f(x, 4)}},
		{"Slice", &tensor.SliceAttr{Axis: 0, From: 4, Len: 1, Step: 1, Of: 4}, []tensor.Type{f(x, 4)}},
		{"Unslice", &tensor.SliceAttr{Axis: 0, From: 1, Len: 2049, Step: math.MaxInt/1024 + 1, Of: 4}, []tensor.Type{f(x, 2049)}},
		{"Unslice", &tensor.SliceAttr{Axis: 0, From: 1, Len: 2049, Step: -math.MaxInt/1024 - 1, Of: 4}, []tensor.Type{f(x, 2049)}},
		{"SparseCrossEntropyGrad", nil, []tensor.Type{f(x), f(k), f(x)}},
		{"SparseCrossEntropyGrad", nil, []tensor.Type{f(x, 5, 3), f(k, 1), f(x, 5)}},
		{"SparseCrossEntropyGrad", nil, []tensor.Type{f(x, 5, 3), f(array.Uint8, 5), f(x, 5)}},
		{"SparseCrossEntropyGrad", nil, []tensor.Type{f(x, 5, 3), f(k, 5), f(x)}},
		{"SparseCrossEntropyGrad", nil, []tensor.Type{f(x, 5, 3), f(k, 5), f(array.BFloat16, 5)}},
		{"AdamUpdate", &tensor.AdamAttr{}, []tensor.Type{f(x, 3), f(x, 3), f(x, 3), f(x, 3), f(x, 0), f(x)}},
		{"AdamUpdate", &tensor.AdamAttr{}, []tensor.Type{f(x, 3), f(x, 3), f(x, 3), f(x, 3), f(x), f(array.Uint8)}},
		{"Pad", &tensor.PadAttr{Before: []int{math.MaxInt}, After: []int{math.MaxInt}}, []tensor.Type{f(x, 4)}},
		{"RandomBernoulli", &tensor.RandomAttr{A: math.NaN(), DType: array.Bool, Shape: array.Shape{2}}, nil},
		{"Const", &tensor.ConstAttr{DType: array.Bool, Shape: array.Shape{2}, Data: []byte{1, 3}}, nil},
	} {
		b := tensor.NewGraphBuilder(nil)
		var in []*tensor.Tensor
		for _, ty := range c.in {
			o, err := b.Node(tensor.OpNamed("Input"), &tensor.InputAttr{DType: ty.DType, Shape: ty.Shape}, nil, "")
			if err != nil {
				t.Fatal(err)
			}
			in = append(in, o[0])
		}
		if _, err := b.Node(tensor.OpNamed(c.op), c.attr, nil, "", in...); err == nil {
			t.Errorf("case %d: %s with %+v of %v is accepted", i, c.op, c.attr, c.in)
		}
	}
}

// TestBind_BoundsLoops: a loop without sequences has no length that its data gives.
func TestBind_BoundsLoops(t *testing.T) {
	loop := func(n string) error {
		_, err := bindText(fmt.Sprintf(`{"nodes":[{"op":"Scan","version":1,"attr":{"Len":%s,"NX":0,"NC":0,"Reverse":false},"body":{"nodes":[],"outputs":[]}}],"outputs":[]}`, n))
		return err
	}
	if err := loop("5"); err != nil {
		t.Error(err)
	}
	if err := loop("1099511627776"); err == nil || !strings.Contains(err.Error(), "longer") {
		t.Errorf("error is %v", err)
	}
}

// TestCompile_RefusesNumbersThatNothingComputes: a program file cannot hold the function behind a number of the host.
func TestCompile_RefusesNumbersThatNothingComputes(t *testing.T) {
	g, err := bindText(`{"nodes":[{"op":"HostScalar","version":1,"attr":{"Name":"rate"}}],"outputs":[[0,0]]}`)
	if err != nil {
		t.Fatal(err)
	}
	d := cpu.New(cpu.Options{Threads: 1})
	defer d.Close()
	for _, d := range []device.Device{d, ref.New()} {
		if _, err := d.Compile(g); err == nil || !strings.Contains(err.Error(), "rate") {
			t.Errorf("%s: error is %v", d.Name(), err)
		}
	}
}

func bindText(s string) (*tensor.Graph, error) {
	var q program.Poly
	if err := json.Unmarshal([]byte(`{"format":"kun-program-1","program":`+s+`}`), &q); err != nil {
		return nil, err
	}
	return q.Bind(1)
}
