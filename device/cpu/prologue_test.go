package cpu_test

import (
	"testing"

	"github.com/kun-ml/kun/array"
	"github.com/kun-ml/kun/device"
	"github.com/kun-ml/kun/device/cpu"
	"github.com/kun-ml/kun/program"
	"github.com/kun-ml/kun/tensor"
)

// TestPrologue_RunsAgainWhenAWeightChanges: what depends on weights alone is computed once and follows their versions.
func TestPrologue_RunsAgainWhenAWeightChanges(t *testing.T) {
	g, err := tensor.Trace(tensor.Options{}, func(x []*tensor.Tensor) []*tensor.Tensor {
		w := x[0].Graph().Variable("w", tensor.Weight, nil, array.Float32, 4, 3)
		folded := w.Square().Sum(0).Add(tensor.Const(w, array.From([]float32{1, 2, 3})).Exp())
		return []*tensor.Tensor{x[0].Mul(folded)}
	}, tensor.Spec{DType: array.Float32, Shape: array.Shape{2, 3}})
	if err != nil {
		t.Fatal(err)
	}
	d := cpu.New(cpu.Options{Threads: 1, Profile: true})
	defer d.Close()
	exe, err := d.Compile(program.Optimize(g))
	if err != nil {
		t.Fatal(err)
	}
	v := tensor.NewVar("w", tensor.Weight, array.New(array.Float32, 4, 3))
	inst, err := exe.Instance(map[string]*tensor.Var{"w": v})
	if err != nil {
		t.Fatal(err)
	}
	x := array.From([]float32{1, 1, 1, 1, 1, 1}, 2, 3)
	out := array.New(array.Float32, 2, 3)
	run := func() float32 {
		if err := inst.Run(&device.Run{Inputs: []*array.Array{x}, Outputs: []*array.Array{out}}); err != nil {
			t.Fatal(err)
		}
		return array.Data[float32](out)[0]
	}
	first := run()
	array.Data[float32](v.Value)[0] = 3
	if got := run(); got != first {
		t.Errorf("without a new version the result went from %v to %v", first, got)
	}
	v.Touch()
	if got := run(); got != first+9 {
		t.Errorf("with a new version the result is %v, want %v", got, first+9)
	}
}

// TestPrologue_DrawsAnew: a loop over constants whose step draws random numbers is no constant.
func TestPrologue_DrawsAnew(t *testing.T) {
	g, err := tensor.Trace(tensor.Options{}, func(x []*tensor.Tensor) []*tensor.Tensor {
		zero := tensor.Full(x[0], 0, 4)
		last, _ := tensor.Scan([]*tensor.Tensor{tensor.Full(x[0], 1, 2, 4)}, []*tensor.Tensor{zero}, func(x, c []*tensor.Tensor) (next, ys []*tensor.Tensor) {
			in, _ := tensor.Scan([]*tensor.Tensor{x[0]}, []*tensor.Tensor{c[0]}, func(x, d []*tensor.Tensor) (next, ys []*tensor.Tensor) {
				return []*tensor.Tensor{d[0].RandomUniform(0, 1, 4)}, nil
			})
			return in, nil
		})
		return []*tensor.Tensor{last[0].Exp()}
	}, tensor.Spec{DType: array.Float32, Shape: array.Shape{}})
	if err != nil {
		t.Fatal(err)
	}
	d := cpu.New(cpu.Options{Threads: 1})
	defer d.Close()
	exe, err := d.Compile(program.Optimize(g))
	if err != nil {
		t.Fatal(err)
	}
	inst, err := exe.Instance(nil)
	if err != nil {
		t.Fatal(err)
	}
	var seen [2]float32
	out := array.New(array.Float32, 4)
	for step := range seen {
		if err := inst.Run(&device.Run{Inputs: []*array.Array{array.Scalar[float32](0)}, Outputs: []*array.Array{out}, Step: int64(step)}); err != nil {
			t.Fatal(err)
		}
		seen[step] = array.Data[float32](out)[0]
	}
	if seen[0] == seen[1] {
		t.Errorf("both steps draw %v", seen[0])
	}
}
