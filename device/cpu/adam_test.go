package cpu_test

import (
	"testing"

	"github.com/kun-ml/kun/array"
	"github.com/kun-ml/kun/device/cpu"
	"github.com/kun-ml/kun/device/ref"
	"github.com/kun-ml/kun/program"
	"github.com/kun-ml/kun/tensor"
)

// TestAdam_ReadsTheWeightThatItWrites: the gradient is a product with the weight itself; it must be made of the old one.
func TestAdam_ReadsTheWeightThatItWrites(t *testing.T) {
	const n = 64
	g, err := tensor.Trace(tensor.Options{Training: true}, func(in []*tensor.Tensor) []*tensor.Tensor {
		g := in[0].Graph()
		w := g.Variable("w", tensor.Weight, nil, array.Float32, n, n)
		loss := in[0].MatMul(w).Mul(w.StopGradient()).Sum() // d/dw is xᵀ w
		zero := func(name string) *tensor.Tensor { return g.Variable(name, tensor.Slot, nil, array.Float32, n, n) }
		m, v := zero("m"), zero("v")
		alpha := tensor.Full(loss, 0.01)
		nw, nm, nv := w.AdamUpdate(m, v, tensor.Grad(loss, w)[0], alpha, tensor.Full(loss, 0), tensor.AdamAttr{Beta1: 0.9, Beta2: 0.999, Eps: 1e-7})
		tensor.Assign(w, nw)
		tensor.Assign(m, nm)
		tensor.Assign(v, nv)
		return []*tensor.Tensor{loss}
	}, tensor.Spec{DType: array.Float32, Shape: array.Shape{n, n}})
	if err != nil {
		t.Fatal(err)
	}
	x := array.New(array.Float32, n, n)
	for i := range array.Data[float32](x) {
		array.Data[float32](x)[i] = float32(i%7) - 3
	}
	_, want := train(t, ref.New(), g, []*array.Array{x}, 3)
	d := cpu.New(cpu.Options{Threads: 2})
	defer d.Close()
	_, got := train(t, d, program.Optimize(g), []*array.Array{x}, 3)
	for i, w := range want["w"].Value.Float64s() {
		if v := got["w"].Value.Float64s()[i]; v-w > 1e-4 || w-v > 1e-4 {
			t.Fatalf("w[%d] is %v, want %v", i, v, w)
		}
	}
}
