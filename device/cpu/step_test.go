package cpu_test

import (
	"testing"

	"github.com/kun-ml/kun/array"
	"github.com/kun-ml/kun/device"
	"github.com/kun-ml/kun/device/cpu"
	"github.com/kun-ml/kun/device/ref"
	"github.com/kun-ml/kun/internal/rng"
	"github.com/kun-ml/kun/program"
	"github.com/kun-ml/kun/tensor"
)

// network traces a training step of a two-layer network with dropout and Adam on variables of its own.
func network(t testing.TB, b, in, hidden, out int) *tensor.Graph {
	t.Helper()
	g, err := tensor.Trace(tensor.Options{Training: true}, func(x []*tensor.Tensor) []*tensor.Tensor {
		g := x[0].Graph()
		w := func(name string, dims ...int) *tensor.Tensor {
			return g.Variable(name, tensor.Weight, nil, array.Float32, dims...)
		}
		w1, b1, w2, b2 := w("w1", in, hidden), w("b1", hidden), w("w2", hidden, out), w("b2", out)
		h := x[0].Cast(array.Float32).Scale(1. / 255).MatMul(w1).Add(b1).ReLU()
		h = h.MaskScale(h.RandomBernoulli(0.8, h.Shape()...), 1.25)
		loss := h.MatMul(w2).Add(b2).SparseCrossEntropy(x[1]).Mean()
		alpha := g.HostScalar("alpha", func(step int64) float64 { return 1e-3 * float64(step+1) })
		decay := tensor.Full(alpha, 0)
		params := []*tensor.Tensor{w1, b1, w2, b2}
		grads := tensor.Grad(loss, params...)
		for i, p := range params {
			m := g.Variable(p.Label()+"/m", tensor.Slot, nil, array.Float32, p.Shape()...)
			v := g.Variable(p.Label()+"/v", tensor.Slot, nil, array.Float32, p.Shape()...)
			nw, nm, nv := p.AdamUpdate(m, v, grads[i], alpha, decay, tensor.AdamAttr{Beta1: 0.9, Beta2: 0.999, Eps: 1e-7})
			tensor.Assign(p, nw)
			tensor.Assign(m, nm)
			tensor.Assign(v, nv)
		}
		return []*tensor.Tensor{loss}
	}, tensor.Spec{Name: "x", DType: array.Uint8, Shape: array.Shape{b, in}}, tensor.Spec{Name: "y", DType: array.Int32, Shape: array.Shape{b}})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func variables(g *tensor.Graph) map[string]*tensor.Var {
	vars := map[string]*tensor.Var{}
	for _, d := range g.Trace().Decls {
		v := d.Materialise(1)
		if d.Role == tensor.Weight {
			r, f := rng.New(1, d.Path), array.Data[float32](v.Value)
			for i := range f {
				f[i] = float32(r.Normal() * 0.05)
			}
		}
		vars[d.Path] = v
	}
	return vars
}

func batch(b, in, out int) []*array.Array {
	x, y := array.New(array.Uint8, b, in), array.New(array.Int32, b)
	r := rng.New(1, "batch")
	for i := range x.Bytes() {
		x.Bytes()[i] = byte(r.IntN(256))
	}
	for i := range array.Data[int32](y) {
		array.Data[int32](y)[i] = int32(r.IntN(out))
	}
	return []*array.Array{x, y}
}

func train(t *testing.T, d device.Device, g *tensor.Graph, in []*array.Array, steps int) (float32, map[string]*tensor.Var) {
	t.Helper()
	vars := variables(g)
	exe, err := d.Compile(g)
	if err != nil {
		t.Fatal(err)
	}
	inst, err := exe.Instance(vars)
	if err != nil {
		t.Fatal(err)
	}
	loss := array.New(array.Float32)
	for s := range steps {
		if err := inst.Run(&device.Run{Inputs: in, Outputs: []*array.Array{loss}, Step: int64(s), Seed: 9}); err != nil {
			t.Fatal(err)
		}
	}
	return array.Data[float32](loss)[0], vars
}

func TestTrainingStep_MatchesReference(t *testing.T) {
	g := network(t, 8, 20, 16, 5)
	in := batch(8, 20, 5)
	want, wantVars := train(t, ref.New(), g, in, 10)
	d := cpu.New(cpu.Options{Threads: 2})
	defer d.Close()
	got, vars := train(t, d, program.Optimize(g), in, 10)
	compare(t, "loss", array.Float32, []float64{float64(got)}, []float64{float64(want)})
	for p, v := range wantVars {
		for i, w := range v.Value.Float64s() {
			if g := vars[p].Value.Float64s()[i]; g-w > 1e-4 || w-g > 1e-4 {
				t.Fatalf("%s[%d] is %v, want %v", p, i, g, w)
			}
		}
	}
}

func TestTrainingStep_SameBitsForAnyThreads(t *testing.T) {
	g := program.Optimize(network(t, 32, 784, 128, 10))
	in := batch(32, 784, 10)
	var first map[string]*tensor.Var
	for _, threads := range []int{1, 2, 3, 5} {
		d := cpu.New(cpu.Options{Threads: threads})
		_, vars := train(t, d, g, in, 3)
		d.Close()
		if first == nil {
			first = vars
			continue
		}
		for p, v := range first {
			if string(v.Value.Bytes()) != string(vars[p].Value.Bytes()) {
				t.Errorf("%s differs with %d threads", p, threads)
			}
		}
	}
}

func TestTrainingStep_AllocatesNothing(t *testing.T) {
	g := program.Optimize(network(t, 32, 784, 128, 10))
	in := batch(32, 784, 10)
	d := cpu.New(cpu.Options{Threads: 1})
	defer d.Close()
	exe, err := d.Compile(g)
	if err != nil {
		t.Fatal(err)
	}
	if s := exe.Stats().SlowOps; len(s) > 0 {
		t.Errorf("operations without a kernel: %v\n%s", s, program.Dump(g))
	}
	inst, err := exe.Instance(variables(g))
	if err != nil {
		t.Fatal(err)
	}
	r := device.Run{Inputs: in, Outputs: []*array.Array{array.New(array.Float32)}}
	if n := testing.AllocsPerRun(5, func() {
		if err := inst.Run(&r); err != nil {
			t.Fatal(err)
		}
		r.Step++
	}); n > 0 {
		t.Errorf("%v allocations a step", n)
	}
}
