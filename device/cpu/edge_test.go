package cpu_test

import (
	"math"
	"testing"

	"github.com/kun-ml/kun/array"
	"github.com/kun-ml/kun/device/cpu"
	"github.com/kun-ml/kun/device/ref"
	"github.com/kun-ml/kun/program"
	"github.com/kun-ml/kun/tensor"
)

// TestGradients_AtEdges: where a factor is 0 the gradient is 0, also beside an infinity.
func TestGradients_AtEdges(t *testing.T) {
	inf := float32(math.Inf(1))
	d := cpu.New(cpu.Options{Threads: 1})
	defer d.Close()
	for name, c := range map[string]struct {
		x    []float32
		dims []int
		f    func(x *tensor.Tensor) *tensor.Tensor
		want []float64 // d sum(f(x)) / dx
	}{
		"exponent of 0":    {[]float32{2, 3}, []int{2}, func(x *tensor.Tensor) *tensor.Tensor { return tensor.Full(x, 0).Pow(x) }, []float64{0, 0}},
		"base, exponent 0": {[]float32{0, 3}, []int{2}, func(x *tensor.Tensor) *tensor.Tensor { return x.Pow(tensor.Full(x, 0)) }, []float64{0, 0}},
		"base 0":           {[]float32{0, 3}, []int{2}, func(x *tensor.Tensor) *tensor.Tensor { return x.Pow(tensor.Full(x, 2)) }, []float64{0, 6}},
		"power 0":          {[]float32{0, 3}, []int{2}, func(x *tensor.Tensor) *tensor.Tensor { return x.PowScalar(0) }, []float64{0, 0}},
		"power 1":          {[]float32{0, 3}, []int{2}, func(x *tensor.Tensor) *tensor.Tensor { return x.PowScalar(1) }, []float64{1, 1}},
		"second derivative of a power": {[]float32{0, 3}, []int{2}, func(x *tensor.Tensor) *tensor.Tensor {
			return tensor.Grad(x.Pow(tensor.Full(x, 0)).Add(x.Square()).Sum(), x)[0]
		}, []float64{2, 2}},
		"logsumexp of -inf": {[]float32{-inf, -inf, 0, -inf}, []int{2, 2}, func(x *tensor.Tensor) *tensor.Tensor { return x.LogSumExp(1) }, []float64{0, 0, 1, 0}},
		"largest, infinite gradient": {[]float32{1, 4, 4, 2}, []int{4}, func(x *tensor.Tensor) *tensor.Tensor {
			return x.Max().Mul(tensor.Full(x, float64(inf)))
		}, []float64{0, math.Inf(1), math.Inf(1), 0}},
		"smallest, infinite gradient": {[]float32{1, 4, 4, 2}, []int{4}, func(x *tensor.Tensor) *tensor.Tensor {
			return x.Min().Mul(tensor.Full(x, float64(inf)))
		}, []float64{math.Inf(1), 0, 0, 0}},
		"top two, infinite gradient": {[]float32{1, 4, 3, 2}, []int{4}, func(x *tensor.Tensor) *tensor.Tensor {
			v, _ := x.TopK(2)
			return v.Mul(tensor.Full(x, float64(inf)))
		}, []float64{0, math.Inf(1), math.Inf(1), 0}},
		"second derivative of a mean of one": {[]float32{1, 4}, []int{2, 1}, func(x *tensor.Tensor) *tensor.Tensor {
			return tensor.Grad(x.Mean(1).Square().Sum(), x)[0].Mul(x)
		}, []float64{4, 16}},
		"empty inner dimension": {nil, []int{2, 3, 0}, func(x *tensor.Tensor) *tensor.Tensor { return x.MatMul(tensor.Full(x, 1, 0, 4)) }, []float64{}},
		"no columns": {[]float32{1, 2}, []int{2, 1, 1}, func(x *tensor.Tensor) *tensor.Tensor {
			w := x.Slice(0, 0, 1).Reshape(1, 1).MatMul(tensor.Full(x, 1, 1, 0))
			return x.MatMul(w).Sum().Add(x.Sum())
		}, []float64{1, 1}},
	} {
		g, err := tensor.Trace(tensor.Options{}, func(in []*tensor.Tensor) []*tensor.Tensor { return tensor.Grad(c.f(in[0]).Sum(), in[0]) },
			tensor.Spec{DType: array.Float32, Shape: c.dims})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		in := []*array.Array{array.From(c.x, c.dims...)}
		for device, got := range map[string][]float64{"ref": run(t, ref.New(), g, in)[0].Float64s(), "cpu": run(t, d, program.Optimize(g), in)[0].Float64s()} {
			for i, w := range c.want {
				if got[i] != w && math.Abs(got[i]-w) > 1e-6 || got[i] != got[i] {
					t.Errorf("%s on %s: the gradient is %v, want %v", name, device, got, c.want)
					break
				}
			}
		}
	}
}
