package program_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/kun-ml/kun/array"
	"github.com/kun-ml/kun/device"
	"github.com/kun-ml/kun/device/ref"
	"github.com/kun-ml/kun/internal/rng"
	"github.com/kun-ml/kun/program"
	"github.com/kun-ml/kun/tensor"
)

// model is a small network with a loop: (B,6) to (B,3).
func model(x *tensor.Tensor) *tensor.Tensor {
	g, b := x.Graph(), x.Dim(0)
	w := g.Variable("w", tensor.Weight, nil, array.Float32, 2, 3)
	u := g.Variable("u", tensor.Weight, nil, array.Float32, 3, 3)
	seq := x.Reshape(b, 3, 2).Permute(1, 0, 2).MatMul(w) // (3,B,3)
	last, _ := tensor.Scan([]*tensor.Tensor{seq}, []*tensor.Tensor{tensor.Full(x, 0, b, 3)}, func(x, h []*tensor.Tensor) (next, ys []*tensor.Tensor) {
		return []*tensor.Tensor{x[0].Add(h[0].MatMul(u)).Tanh()}, nil
	})
	return last[0].Sub(last[0].MeanKeep(0)).Softmax(-1)
}

func trace(f func(x *tensor.Tensor) *tensor.Tensor) func(int) (*tensor.Graph, error) {
	return func(batch int) (*tensor.Graph, error) {
		return tensor.Trace(tensor.Options{}, func(in []*tensor.Tensor) []*tensor.Tensor { return []*tensor.Tensor{f(in[0])} },
			tensor.Spec{Name: "x", DType: array.Float32, Shape: array.Shape{batch, 6}})
	}
}

func evaluate(t *testing.T, g *tensor.Graph, x *array.Array) string {
	t.Helper()
	exe, _ := ref.New().Compile(g)
	vars := map[string]*tensor.Var{}
	for _, d := range g.Trace().Decls {
		v := array.New(d.Type.DType, d.Type.Shape...)
		r := rng.New(1, d.Path)
		for i := range array.Data[float32](v) {
			array.Data[float32](v)[i] = float32(r.Normal())
		}
		vars[d.Path] = tensor.NewVar(d.Path, d.Role, v)
	}
	inst, err := exe.Instance(vars)
	if err != nil {
		t.Fatal(err)
	}
	out := array.New(g.Outs[0].DType(), g.Outs[0].Shape()...)
	if err := inst.Run(&device.Run{Inputs: []*array.Array{x}, Outputs: []*array.Array{out}}); err != nil {
		t.Fatal(err)
	}
	return string(out.Bytes())
}

func TestGeneralise_HoldsForAnyBatchSize(t *testing.T) {
	p, err := program.Generalise(trace(model))
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	var q program.Poly
	if err := json.Unmarshal(b, &q); err != nil {
		t.Fatal(err)
	}
	for _, batch := range []int{1, 2, 7, 64} {
		bound, err := q.Bind(batch)
		if err != nil {
			t.Fatal(err)
		}
		direct, err := trace(model)(batch)
		if err != nil {
			t.Fatal(err)
		}
		x := array.New(array.Float32, batch, 6)
		for i := range array.Data[float32](x) {
			array.Data[float32](x)[i] = float32(i%13) - 6
		}
		if evaluate(t, bound, x) != evaluate(t, direct, x) {
			t.Errorf("batch %d: the bound program differs from the traced one", batch)
		}
	}
}

func TestInline_PutsAProgramIntoATrace(t *testing.T) {
	p, err := program.Generalise(trace(model))
	if err != nil {
		t.Fatal(err)
	}
	inlined := trace(func(x *tensor.Tensor) *tensor.Tensor {
		g, err := p.Bind(x.Dim(0))
		if err != nil {
			t.Fatal(err)
		}
		return tensor.Inline(g, x.Scale(2))[0].Scale(3)
	})
	direct := trace(func(x *tensor.Tensor) *tensor.Tensor { return model(x.Scale(2)).Scale(3) })
	a, err := inlined(4)
	if err != nil {
		t.Fatal(err)
	}
	b, err := direct(4)
	if err != nil {
		t.Fatal(err)
	}
	x := array.New(array.Float32, 4, 6)
	for i := range array.Data[float32](x) {
		array.Data[float32](x)[i] = float32(i%7) - 3
	}
	if evaluate(t, a, x) != evaluate(t, b, x) {
		t.Error("the inlined program differs from the traced one")
	}
}

func TestGeneralise_NamesWhatDependsOnTheBatch(t *testing.T) {
	_, err := program.Generalise(trace(func(x *tensor.Tensor) *tensor.Tensor { return x.Scale(1 / float64(x.Dim(0))) }))
	if err == nil || !strings.Contains(err.Error(), "Scale") || !strings.Contains(err.Error(), "batch size") {
		t.Errorf("error is %v", err)
	}
}

// TestOps_SurviveTheFile saves and loads a program of every operation's every case.
func TestOps_SurviveTheFile(t *testing.T) {
	count := 0
	for _, op := range tensor.Ops() {
		for _, c := range op.Cases {
			var specs []tensor.Spec
			for _, ty := range c.In {
				specs = append(specs, tensor.Spec{DType: ty.DType, Shape: ty.Shape})
			}
			p, err := program.Generalise(func(int) (*tensor.Graph, error) {
				return tensor.Trace(tensor.Options{}, func(in []*tensor.Tensor) []*tensor.Tensor { return op.ApplyAll(c.Attr, in...) }, specs...)
			})
			if err != nil {
				t.Fatalf("%s: %v", op.Name, err)
			}
			b, err := json.Marshal(p)
			if err != nil {
				t.Fatal(err)
			}
			var q program.Poly
			if err := json.Unmarshal(b, &q); err != nil {
				t.Fatal(err)
			}
			g, err := q.Bind(1)
			if err != nil {
				t.Fatalf("%s: %v", op.Name, err)
			}
			if h, _ := p.Bind(1); program.Dump(g) != program.Dump(h) {
				t.Errorf("%s changed on the way", op.Name)
			}
			count++
		}
	}
	t.Logf("%d programs saved and loaded", count)
}
