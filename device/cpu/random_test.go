package cpu_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/kun-ml/kun/array"
	"github.com/kun-ml/kun/device"
	"github.com/kun-ml/kun/device/cpu"
	"github.com/kun-ml/kun/device/ref"
	"github.com/kun-ml/kun/program"
	"github.com/kun-ml/kun/tensor"
)

// randomGraph records a graph of random operations over values of a few shapes that broadcast, with variables that are
// read and set at random places.
func randomGraph(t *testing.T, seed uint64) *tensor.Graph {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 1))
	shapes := []array.Shape{{7, 33}, {33}, {7, 1}, {}, {7, 33}, {33, 7}}
	specs := []tensor.Spec{}
	for _, s := range shapes {
		specs = append(specs, tensor.Spec{DType: array.Float32, Shape: s})
	}
	g, err := tensor.Trace(tensor.Options{}, func(in []*tensor.Tensor) []*tensor.Tensor {
		vals := append([]*tensor.Tensor(nil), in...)
		var vars []*tensor.Tensor
		for i := range 2 {
			v := in[0].Graph().Variable(fmt.Sprintf("v%d", i), tensor.State, nil, array.Float32, 7, 33)
			vars, vals = append(vars, v), append(vals, v)
		}
		pick := func() *tensor.Tensor { return vals[r.IntN(len(vals))] }
		like := func(s array.Shape) *tensor.Tensor {
			for {
				if v := pick(); v.Shape().Equal(s) {
					return v
				}
			}
		}
		for range 40 {
			x := pick()
			var y *tensor.Tensor
			switch r.IntN(14) {
			case 0, 1, 2:
				if z := pick(); fits(x, z) {
					y = []func(*tensor.Tensor) *tensor.Tensor{x.Add, x.Sub, x.Mul, x.Maximum}[r.IntN(4)](z)
				}
			case 3, 4:
				y = []func() *tensor.Tensor{x.Tanh, x.ReLU, x.Sigmoid, x.Neg, x.Sin}[r.IntN(5)]()
			case 5:
				y = x.Scale(0.75).AddScalar(0.1)
			case 6:
				if x.Rank() == 2 {
					y = x.Transpose(0, 1)
				}
			case 7:
				if x.Rank() == 2 {
					y = x.MeanKeep(-1)
				}
			case 8:
				if x.Rank() == 2 {
					y = x.Sum(0).Scale(0.2)
				}
			case 9:
				if x.Shape().Equal(array.Shape{7, 33}) {
					y = x.MatMul(like(array.Shape{33, 7})).Scale(0.1).MatMul(x).Scale(0.1)
				}
			case 10:
				if z := pick(); fits(x, z) {
					y = tensor.Where(x.Less(z), x.Scale(0.5), z)
				}
			case 11:
				y = x.Reshape(x.Shape().Size()).Reshape(x.Shape()...)
			case 12:
				if x.Rank() > 0 {
					y = x.Softmax(-1)
				}
			case 13:
				v := vars[r.IntN(len(vars))]
				if x.Shape().Equal(v.Shape()) {
					tensor.Assign(v, []func() *tensor.Tensor{x.Tanh, func() *tensor.Tensor { return x }, vars[r.IntN(len(vars))].StopGradient}[r.IntN(3)]())
				}
			}
			if y != nil && y.Shape().Size() <= 7*33 {
				vals = append(vals, y.Clip(-4, 4))
			}
		}
		var outs []*tensor.Tensor
		for range 4 {
			outs = append(outs, pick())
		}
		return outs
	}, specs...)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func fits(x, y *tensor.Tensor) bool {
	_, err := tensor.Broadcast(x.Shape(), y.Shape())
	return err == nil
}

// TestRandomGraphs_MatchReference compares outputs and variables after three runs: fusion, memory plan and writing in place
// must not show.
func TestRandomGraphs_MatchReference(t *testing.T) {
	for seed := range uint64(300) {
		g := randomGraph(t, seed)
		r := rand.New(rand.NewPCG(seed, 2))
		var in []*array.Array
		for _, x := range g.Inputs {
			a := array.New(array.Float32, x.Shape()...)
			for i := range array.Data[float32](a) {
				array.Data[float32](a)[i] = float32(r.NormFloat64())
			}
			in = append(in, a)
		}
		want := outputs(t, ref.New(), g, in)
		for _, o := range []cpu.Options{{Threads: 1}, {Threads: 3}, {Threads: 1, Check: true}} {
			d := cpu.New(o)
			got := outputs(t, d, program.Optimize(g), in)
			d.Close()
			for i := range want {
				for k := range want[i] {
					if diff := got[i][k] - want[i][k]; !(diff < 2e-4 && diff > -2e-4) {
						t.Fatalf("seed %d, %+v: result %d, element %d is %v, want %v\n%s", seed, o, i, k, got[i][k], want[i][k], program.Dump(program.Optimize(g)))
					}
				}
			}
		}
	}
}

// outputs runs a graph three times and gives its outputs and variables.
func outputs(t *testing.T, d device.Device, g *tensor.Graph, in []*array.Array) (all [][]float64) {
	t.Helper()
	exe, err := d.Compile(g)
	if err != nil {
		t.Fatal(err)
	}
	vars := map[string]*tensor.Var{}
	for _, decl := range g.Trace().Decls {
		vars[decl.Path] = decl.Materialise(1)
	}
	inst, err := exe.Instance(vars)
	if err != nil {
		t.Fatal(err)
	}
	outs := make([]*array.Array, len(g.Outs))
	for i, o := range g.Outs {
		outs[i] = array.New(o.DType(), o.Shape()...)
	}
	for step := range int64(3) {
		if err := inst.Run(&device.Run{Inputs: in, Outputs: outs, Step: step}); err != nil {
			t.Fatal(err)
		}
		for _, o := range outs {
			all = append(all, o.Float64s())
		}
		for _, p := range []string{"v0", "v1"} {
			all = append(all, vars[p].Value.Float64s())
		}
	}
	return all
}

// TestAssign_TakesOldValues: variables that take each other's values change places, and one that keeps the old value of
// another gets it however the new one is written.
func TestAssign_TakesOldValues(t *testing.T) {
	g, err := tensor.Trace(tensor.Options{}, func(in []*tensor.Tensor) []*tensor.Tensor {
		v := func(name string) *tensor.Tensor {
			return in[0].Graph().Variable(name, tensor.State, nil, array.Float32, 3)
		}
		cur, prev, a, b := v("cur"), v("prev"), v("a"), v("b")
		tensor.Assign(cur, in[0].Add(cur))
		tensor.Assign(prev, cur)
		tensor.Assign(a, b)
		tensor.Assign(b, a.Reshape(3, 1).Reshape(3))
		return nil
	}, tensor.Spec{DType: array.Float32, Shape: array.Shape{3}})
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range []cpu.Options{{Threads: 1}, {Threads: 1, Check: true}} {
		d := cpu.New(o)
		defer d.Close()
		exe, err := d.Compile(g) // as recorded: the order of assignments is that above
		if err != nil {
			t.Fatal(err)
		}
		vars := map[string]*tensor.Var{}
		for i, p := range []string{"cur", "prev", "a", "b"} {
			x := float32(i)
			vars[p] = tensor.NewVar(p, tensor.State, array.From([]float32{x, x, x}))
		}
		inst, err := exe.Instance(vars)
		if err != nil {
			t.Fatal(err)
		}
		if err := inst.Run(&device.Run{Inputs: []*array.Array{array.From([]float32{5, 5, 5})}}); err != nil {
			t.Fatal(err)
		}
		for p, want := range map[string]float64{"cur": 5, "prev": 0, "a": 3, "b": 2} {
			if got := vars[p].Value.Float64s()[1]; got != want {
				t.Errorf("%+v: %s is %v, want %v", o, p, got, want)
			}
		}
	}
}
