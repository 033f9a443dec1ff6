package program_test

import (
	"bytes"
	"testing"

	"github.com/kun-ml/kun/array"
	"github.com/kun-ml/kun/device"
	"github.com/kun-ml/kun/device/cpu"
	"github.com/kun-ml/kun/program"
	"github.com/kun-ml/kun/tensor"
)

// TestOptimize_KeepsTheBits compares programs as recorded with what Optimize makes of them.
func TestOptimize_KeepsTheBits(t *testing.T) {
	d := cpu.New(cpu.Options{Threads: 1})
	defer d.Close()
	big := array.From([]int64{1<<53 + 1, -1<<53 - 1, 7})
	half := array.New(array.BFloat16, 100)
	for i := range array.Data[array.BF16](half) {
		array.Data[array.BF16](half)[i] = array.ToBF16(float32(i))
	}
	whole := array.New(array.Int32, 2, 3, 2)
	whole.SetFloat64s([]float64{1, 2, 0, 0, 5, 6, 2, 3, 0, 0, 11, 13})
	for _, c := range []struct {
		name string
		x    *array.Array
		f    func(x *tensor.Tensor) *tensor.Tensor
	}{
		{"int64 + 1", big, func(x *tensor.Tensor) *tensor.Tensor { return x.Add(tensor.Full(x, 1)) }},
		{"int64 * 3", big, func(x *tensor.Tensor) *tensor.Tensor { return tensor.Full(x, 3, 3).Mul(x) }},
		{"bfloat16 * 0.1", half, func(x *tensor.Tensor) *tensor.Tensor { return x.Mul(tensor.Full(x, 0.1)) }},
		{"bfloat16 + 0.1", half, func(x *tensor.Tensor) *tensor.Tensor { return x.Add(tensor.Full(x, 0.1)) }},
		{"float64 * 0.1", array.From([]float64{3}), func(x *tensor.Tensor) *tensor.Tensor { return x.Mul(tensor.Full(x, 0.1)) }},
		{"mean of int32", whole, func(x *tensor.Tensor) *tensor.Tensor { return x.Mean(0, 2) }},
		{"logsumexp of int32", whole, func(x *tensor.Tensor) *tensor.Tensor { return x.LogSumExp(0, 2) }},
		{"gradient of a mean", array.New(array.Float32, 97), func(x *tensor.Tensor) *tensor.Tensor { return meanOf07(x) }},
		{"gradient of a mean, exact", array.New(array.Float64, 49), func(x *tensor.Tensor) *tensor.Tensor { return meanOf07(x) }},
	} {
		g, err := tensor.Trace(tensor.Options{}, func(in []*tensor.Tensor) []*tensor.Tensor { return []*tensor.Tensor{c.f(in[0])} },
			tensor.Spec{DType: c.x.DType(), Shape: c.x.Shape()})
		if err != nil {
			t.Fatal(err)
		}
		var out [2]*array.Array
		for i, g := range []*tensor.Graph{g, program.Optimize(g)} {
			exe, err := d.Compile(g)
			if err != nil {
				t.Fatal(err)
			}
			inst, err := exe.Instance(nil)
			if err != nil {
				t.Fatal(err)
			}
			out[i] = array.New(g.Outs[0].DType(), g.Outs[0].Shape()...)
			if err := inst.Run(&device.Run{Inputs: []*array.Array{c.x}, Outputs: out[i : i+1]}); err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.Equal(out[0].Bytes(), out[1].Bytes()) {
			t.Errorf("%s: as recorded %v, optimized %v", c.name, out[0].Float64s(), out[1].Float64s())
		}
	}
}

// TestOptimize_DropsReductionsOverNothing: a reduction over no axes is its operand.
func TestOptimize_DropsReductionsOverNothing(t *testing.T) {
	g, err := tensor.Trace(tensor.Options{}, func(in []*tensor.Tensor) []*tensor.Tensor {
		var out []*tensor.Tensor
		for _, op := range []string{"Sum", "Mean", "Max", "Min", "Prod", "LogSumExp"} {
			out = append(out, tensor.OpNamed(op).Apply(&tensor.AxesAttr{Axes: []int{}}, in[0]))
		}
		return append(out, in[0].Exp().Reshape().Sum())
	}, tensor.Spec{DType: array.Float32, Shape: array.Shape{}})
	if err != nil {
		t.Fatal(err)
	}
	g = program.Optimize(g)
	for _, o := range g.Outs[:6] {
		if o.Node().Op.Name != "Input" {
			t.Errorf("%s is left", o.Node().Op.Name)
		}
	}
	if op := g.Outs[6].Node().Op.Name; op != "Exp" {
		t.Errorf("%s is left", op)
	}
}

// meanOf07 is the gradient of 0.7 times a mean.
func meanOf07(x *tensor.Tensor) *tensor.Tensor {
	return tensor.VJP([]*tensor.Tensor{x.Mean()}, []*tensor.Tensor{tensor.Full(x, 0.7)}, x)[0]
}
