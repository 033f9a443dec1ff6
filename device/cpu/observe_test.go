package cpu_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/kun-ml/kun/array"
	"github.com/kun-ml/kun/device"
	"github.com/kun-ml/kun/device/cpu"
	"github.com/kun-ml/kun/tensor"
)

func TestCheck_NamesTheOperationThatGaveNaN(t *testing.T) {
	g, err := tensor.Trace(tensor.Options{}, func(in []*tensor.Tensor) []*tensor.Tensor {
		return []*tensor.Tensor{in[0].AddScalar(-1).Log().Scale(2)}
	}, tensor.Spec{DType: array.Float32, Shape: array.Shape{3}})
	if err != nil {
		t.Fatal(err)
	}
	d := cpu.New(cpu.Options{Threads: 1, Check: true})
	defer d.Close()
	exe, err := d.Compile(g)
	if err != nil {
		t.Fatal(err)
	}
	inst, err := exe.Instance(nil)
	if err != nil {
		t.Fatal(err)
	}
	err = inst.Run(&device.Run{Inputs: []*array.Array{array.From([]float32{2, 0.5, 3})}})
	var bad *device.NotFiniteError
	if !errors.As(err, &bad) || bad.Op != "Log" || bad.Index != 1 || !strings.Contains(bad.Where, "observe_test.go") {
		t.Errorf("error is %v", err)
	}
}

func TestProfile_ListsEveryStep(t *testing.T) {
	g := network(t, 8, 20, 16, 5)
	d := cpu.New(cpu.Options{Threads: 1, Profile: true})
	defer d.Close()
	exe, err := d.Compile(g)
	if err != nil {
		t.Fatal(err)
	}
	inst, err := exe.Instance(variables(g))
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := inst.Run(&device.Run{Inputs: batch(8, 20, 5)}); err != nil {
			t.Fatal(err)
		}
	}
	flops := 0.0
	for _, s := range inst.(device.Profiler).Profile() {
		if s.Runs != 2 || s.Bytes == 0 {
			t.Errorf("%+v", s)
		}
		flops += s.FLOPs
	}
	if flops < 2*8*20*16 {
		t.Errorf("%v floating-point operations in the profile", flops)
	}
}

// TestCheck_FindsWhatAnOptimizerMakes: the step that gives NaN is named and no variable has changed.
func TestCheck_FindsWhatAnOptimizerMakes(t *testing.T) {
	g, err := tensor.Trace(tensor.Options{Training: true}, func(in []*tensor.Tensor) []*tensor.Tensor {
		v := func(name string) *tensor.Tensor {
			return in[0].Graph().Variable(name, tensor.State, nil, array.Float32, 2)
		}
		n := v("n")
		tensor.Assign(n, n.AddScalar(1))
		w, m, s := v("w"), v("m"), v("v")
		w2, m2, s2 := w.AdamUpdate(m, s, in[0], tensor.Full(w, 0.1), tensor.Full(w, 0), tensor.AdamAttr{Beta1: 0.9, Beta2: 0.99})
		tensor.Assign(w, w2)
		tensor.Assign(m, m2)
		tensor.Assign(s, s2)
		return nil
	}, tensor.Spec{DType: array.Float32, Shape: array.Shape{2}})
	if err != nil {
		t.Fatal(err)
	}
	d := cpu.New(cpu.Options{Threads: 1, Check: true})
	defer d.Close()
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
	err = inst.Run(&device.Run{Inputs: []*array.Array{array.From([]float32{1, 0})}}) // 0 / (sqrt(0) + 0)
	var bad *device.NotFiniteError
	if !errors.As(err, &bad) || bad.Op != "AdamUpdate" || bad.Index != 1 {
		t.Errorf("error is %v", err)
	}
	for p, v := range vars {
		if x := v.Value.Float64s(); x[0] != 0 || x[1] != 0 {
			t.Errorf("%s has become %v", p, x)
		}
	}
}
