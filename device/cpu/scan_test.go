package cpu_test

import (
	"testing"

	"github.com/kun-ml/kun/array"
	"github.com/kun-ml/kun/device/cpu"
	"github.com/kun-ml/kun/device/ref"
	"github.com/kun-ml/kun/internal/rng"
	"github.com/kun-ml/kun/program"
	"github.com/kun-ml/kun/tensor"
)

// loop is a recurrence with two carries that change places, a captured weight and a result per step; unrolled builds the
// same without Scan.
func loop(in []*tensor.Tensor, unrolled bool) []*tensor.Tensor {
	xs, h, w := in[0], in[1], in[2]
	step := func(x, h, c *tensor.Tensor) (a, b, y *tensor.Tensor) {
		n := x.Add(h.MatMul(w)).Tanh()
		return n.Mul(c.Sigmoid()), h, n.Mul(h)
	}
	var ys *tensor.Tensor
	c := h.Scale(0.5)
	if unrolled {
		var all []*tensor.Tensor
		for t := range xs.Dim(0) {
			var y *tensor.Tensor
			h, c, y = step(xs.Slice(0, t, t+1).Reshape(xs.Shape()[1:]...), h, c)
			all = append(all, y.Reshape(append([]int{1}, y.Shape()...)...))
		}
		ys = tensor.Concat(0, all...)
	} else {
		last, out := tensor.Scan([]*tensor.Tensor{xs}, []*tensor.Tensor{h, c}, func(x, s []*tensor.Tensor) (next, ys []*tensor.Tensor) {
			a, b, y := step(x[0], s[0], s[1])
			return []*tensor.Tensor{a, b}, []*tensor.Tensor{y}
		})
		h, c, ys = last[0], last[1], out[0]
	}
	loss := ys.Square().Sum().Add(h.Mul(c).Sum())
	return append([]*tensor.Tensor{loss, ys}, tensor.Grad(loss, xs, in[1], w)...)
}

func TestScan_EqualsTheUnrolledLoop(t *testing.T) {
	specs := []tensor.Spec{{DType: array.Float32, Shape: array.Shape{5, 3, 4}}, {DType: array.Float32, Shape: array.Shape{3, 4}}, {DType: array.Float32, Shape: array.Shape{4, 4}}}
	r := rng.New(1, "scan")
	var values []*array.Array
	for _, s := range specs {
		a := array.New(s.DType, s.Shape...)
		for i := range array.Data[float32](a) {
			array.Data[float32](a)[i] = float32(r.Normal() * 0.5)
		}
		values = append(values, a)
	}
	trace := func(unrolled bool) *tensor.Graph {
		g, err := tensor.Trace(tensor.Options{}, func(in []*tensor.Tensor) []*tensor.Tensor { return loop(in, unrolled) }, specs...)
		if err != nil {
			t.Fatal(err)
		}
		return g
	}
	want := run(t, ref.New(), trace(true), values)
	d := cpu.New(cpu.Options{Threads: 2})
	defer d.Close()
	byRef, byCPU := run(t, ref.New(), trace(false), values), run(t, d, program.Optimize(trace(false)), values)
	for i, w := range want {
		compare(t, "reference", array.Float32, byRef[i].Float64s(), w.Float64s())
		compare(t, "cpu", array.Float32, byCPU[i].Float64s(), w.Float64s())
	}
}
