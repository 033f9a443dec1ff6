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
