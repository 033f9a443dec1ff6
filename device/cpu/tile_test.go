package cpu_test

import (
	"math"
	"testing"

	"github.com/kun-ml/kun/array"
	"github.com/kun-ml/kun/device/cpu"
	"github.com/kun-ml/kun/device/ref"
	"github.com/kun-ml/kun/program"
	"github.com/kun-ml/kun/tensor"
	"github.com/kun-ml/kun/tensortest"
)

// softplus is an operation defined outside of package tensor, with its gradient and a fast loop.
var softplus = tensor.Define(tensor.Op{
	Name:  "example.com/Softplus",
	Doc:   "log(1 + exp(x)).",
	Class: tensor.Elementwise,
	Ref:   func(x []float64) float64 { return math.Log1p(math.Exp(x[0])) },
	Grad: func(n *tensor.Node, dy []*tensor.Tensor) []*tensor.Tensor {
		return []*tensor.Tensor{dy[0].Mul(n.In[0].Sigmoid())}
	},
	Flops: 20,
	Cases: []tensor.Case{{In: []tensor.Type{tensor.F(3, 700)}}},
})

func init() {
	cpu.Tile(softplus, func(dst, x []float32) {
		for i, v := range x {
			dst[i] = float32(math.Log1p(math.Exp(float64(v))))
		}
	})
}

func TestTile_RunsAnOperationFromOutside(t *testing.T) {
	if tensortest.Gradient(t, softplus) == 0 {
		t.Error("no gradient was compared")
	}
	g, err := tensor.Trace(tensor.Options{}, func(x []*tensor.Tensor) []*tensor.Tensor {
		return []*tensor.Tensor{softplus.Apply(nil, x[0]).Scale(2)}
	}, tensor.Spec{DType: array.Float32, Shape: array.Shape{3}})
	if err != nil {
		t.Fatal(err)
	}
	d := cpu.New(cpu.Options{Threads: 1})
	defer d.Close()
	exe, err := d.Compile(program.Optimize(g))
	if err != nil {
		t.Fatal(err)
	}
	if s := exe.Stats(); len(s.SlowOps) > 0 || s.Steps != 1 {
		t.Errorf("%d steps, slow %v: want one fused step", s.Steps, s.SlowOps)
	}
	out := run(t, d, program.Optimize(g), []*array.Array{array.From([]float32{-1, 0, 2})})[0].Float64s()
	compare(t, "softplus", array.Float32, out, []float64{2 * math.Log1p(math.Exp(-1)), 2 * math.Ln2, 2 * math.Log1p(math.Exp(2))})
}

// TestTiles_KeepASingleNumberOverManyTiles has a temporary before the first use of a broadcast number.
func TestTiles_KeepASingleNumberOverManyTiles(t *testing.T) {
	g, err := tensor.Trace(tensor.Options{}, func(x []*tensor.Tensor) []*tensor.Tensor {
		y := x[0].Sin().Mul(x[0].Cos()).Add(x[0])
		return []*tensor.Tensor{y.Mul(x[1]).Tanh()}
	}, tensor.Spec{DType: array.Float32, Shape: array.Shape{5000}}, tensor.Spec{DType: array.Float32, Shape: array.Shape{}})
	if err != nil {
		t.Fatal(err)
	}
	x := array.New(array.Float32, 5000)
	for i := range array.Data[float32](x) {
		array.Data[float32](x)[i] = float32(i) / 1000
	}
	in := []*array.Array{x, array.Scalar[float32](0.3)}
	d := cpu.New(cpu.Options{Threads: 1})
	defer d.Close()
	compare(t, "chain", array.Float32, run(t, d, g, in)[0].Float64s(), run(t, ref.New(), g, in)[0].Float64s())
}
