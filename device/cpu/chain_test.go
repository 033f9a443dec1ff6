package cpu_test

import (
	"bytes"
	"slices"
	"testing"

	"github.com/kun-ml/kun/array"
	"github.com/kun-ml/kun/device"
	"github.com/kun-ml/kun/device/cpu"
	"github.com/kun-ml/kun/device/ref"
	"github.com/kun-ml/kun/program"
	"github.com/kun-ml/kun/tensor"
)

// TestChain_ChangesNoBits: steps that run as a chain, products cut along K and gradients made beside Adam give on any number
// of threads what one thread gives, also when the rows do not come out even; and they are in use.
func TestChain_ChangesNoBits(t *testing.T) {
	for _, rows := range []int{8, 33} {
		g := network(t, rows, 900, 48, 5)
		in := batch(rows, 900, 5)
		one := cpu.New(cpu.Options{Threads: 1})
		defer one.Close()
		want, wantVars := train(t, one, program.Optimize(g), in, 5)
		for _, threads := range []int{2, 3, 8} {
			d := cpu.New(cpu.Options{Threads: threads, Profile: true})
			defer d.Close()
			got, vars := train(t, d, program.Optimize(g), in, 5)
			if got != want {
				t.Errorf("%d rows, %d threads: loss %v, want %v", rows, threads, got, want)
			}
			for p, v := range wantVars {
				if !bytes.Equal(vars[p].Value.Bytes(), v.Value.Bytes()) {
					t.Errorf("%d rows, %d threads: %s differs", rows, threads, p)
				}
			}
			exe, err := d.Compile(program.Optimize(g))
			if err != nil {
				t.Fatal(err)
			}
			inst, err := exe.Instance(variables(g))
			if err != nil {
				t.Fatal(err)
			}
			if !slices.ContainsFunc(inst.(device.Profiler).Profile(), func(s device.StepTime) bool { return s.Op == "rows" }) {
				t.Errorf("%d rows, %d threads: no chain", rows, threads)
			}
		}
	}
}

// TestChain_WaitsForWhatItNeeds: a step joins a chain only when all that it reads comes from before or from its own rows.
func TestChain_WaitsForWhatItNeeds(t *testing.T) {
	spec := tensor.Spec{DType: array.Float32, Shape: array.Shape{16, 16}}
	g, err := tensor.Trace(tensor.Options{}, func(in []*tensor.Tensor) []*tensor.Tensor {
		a := in[0].Softmax(-1)
		before := in[1].Sum(0)                  // can be moved before the chain
		after := a.Sum(0)                       // needs all rows of it
		b := a.Mul(before).Softmax(-1)          // goes on with the chain
		c := b.Add(after).Softmax(-1)           // does not
		d := c.Mul(c.Sum(-1, 0)).LogSoftmax(-1) // nor does what comes after
		e := b.MatMul(a).LogSoftmax(-1)         // a row of it needs all of a
		return []*tensor.Tensor{d.Mul(b).Add(e).Sum(0, 1)}
	}, spec, spec)
	if err != nil {
		t.Fatal(err)
	}
	x, y := array.New(array.Float32, 16, 16), array.New(array.Float32, 16, 16)
	for i := range 256 {
		array.Data[float32](x)[i], array.Data[float32](y)[i] = float32(i%11)-5, float32(i%7)/3
	}
	want, _ := train(t, ref.New(), g, []*array.Array{x, y}, 1)
	one := cpu.New(cpu.Options{Threads: 1})
	defer one.Close()
	first, _ := train(t, one, g, []*array.Array{x, y}, 1)
	if d := first - want; d > 2e-3 || d < -2e-3 {
		t.Errorf("one thread: %v, want %v", first, want)
	}
	for _, threads := range []int{2, 4} {
		d := cpu.New(cpu.Options{Threads: threads})
		defer d.Close()
		if got, _ := train(t, d, g, []*array.Array{x, y}, 1); got != first {
			t.Errorf("%d threads: %v, want %v", threads, got, first)
		}
	}
}
