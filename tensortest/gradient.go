package tensortest

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/kun-ml/kun/array"
	"github.com/kun-ml/kun/device"
	"github.com/kun-ml/kun/device/ref"
	"github.com/kun-ml/kun/tensor"
)

// Values draws operands for a case of an operation: normal or uniform floats, kept Kink away from 0 and from each
// other, and indices.
func Values(c tensor.Case, seed uint64) []*array.Array {
	r := rand.New(rand.NewPCG(seed, 7))
	out := make([]*array.Array, len(c.In))
	for i, t := range c.In {
		v := make([]float64, t.Shape.Size())
		for j := range v {
			switch {
			case t.DType == array.Bool:
				v[j] = float64(r.IntN(2))
			case t.DType.IsInt():
				n := c.Index
				if n == 0 {
					n = 5
				}
				v[j] = float64(r.IntN(n))
			case c.Low != 0 || c.High != 0:
				v[j] = c.Low + (c.High-c.Low)*r.Float64()
			default:
				v[j] = r.NormFloat64()
			}
			if c.Kink > 0 && math.Abs(v[j]) < 10*c.Kink {
				v[j] = 10 * c.Kink
			}
		}
		out[i] = array.New(t.DType, t.Shape...)
		out[i].SetFloat64s(v)
	}
	return out
}

// Specs types the operands of a case, float operands as d.
func Specs(c tensor.Case, d array.DType) []tensor.Spec {
	s := make([]tensor.Spec, len(c.In))
	for i, t := range c.In {
		if t.DType.IsFloat() {
			t.DType = d
		}
		s[i] = tensor.Spec{DType: t.DType, Shape: t.Shape}
	}
	return s
}

// Gradient compares the gradient of every case of op with a central difference in one random direction, in float64.
// For operations whose gradient is made of operations, it does the same once more with the gradient itself.
// It returns the number of comparisons.
func Gradient(t *testing.T, op *tensor.Op) int {
	t.Helper()
	if op.Grad == nil {
		return 0
	}
	count := 0
	for i, c := range op.Cases {
		seed := uint64(i + 1)
		loss := func(in []*tensor.Tensor) *tensor.Tensor {
			var sum *tensor.Tensor
			for k, o := range op.ApplyAll(c.Attr, in...) {
				if !o.DType().IsFloat() {
					continue
				}
				w := tensor.Const(o, normal(o.Shape(), seed+uint64(k)).To(o.DType()))
				p := o.Mul(w).Sum().Cast(array.Float64)
				if sum == nil {
					sum = p
				} else {
					sum = sum.Add(p)
				}
			}
			return sum
		}
		if directional(t, op, c, seed, loss) {
			count++
		}
		if second := func(in []*tensor.Tensor) *tensor.Tensor { return gradSum(loss, in, seed) }; op.Class == tensor.Elementwise || op.Class == tensor.Reduction || op.Name == "MatMul" || op.Name == "Softmax" {
			if directional(t, op, c, seed, second) {
				count++
			}
		}
	}
	return count
}

func normal(s array.Shape, seed uint64) *array.Array {
	r := rand.New(rand.NewPCG(seed, 11))
	v := make([]float64, s.Size())
	for i := range v {
		v[i] = r.NormFloat64()
	}
	return array.From(v, s...)
}

// gradSum is a scalar function of the gradient of loss: for second-order checks.
func gradSum(loss func([]*tensor.Tensor) *tensor.Tensor, in []*tensor.Tensor, seed uint64) *tensor.Tensor {
	l := loss(in)
	if l == nil {
		return nil
	}
	var sum *tensor.Tensor
	for i, x := range in {
		if !x.DType().IsFloat() {
			continue
		}
		p := tensor.Grad(l, x)[0].Mul(tensor.Const(x, normal(x.Shape(), seed+100+uint64(i)))).Sum()
		if sum == nil {
			sum = p
		} else {
			sum = sum.Add(p)
		}
	}
	return sum
}

// gradTolerance is the relative difference allowed between a gradient and its central difference with h = 1e-5 in float64:
// the truncation error is h*h and the rounding error 1e-16/h, far below.
const gradTolerance = 2e-6

func directional(t *testing.T, op *tensor.Op, c tensor.Case, seed uint64, f func([]*tensor.Tensor) *tensor.Tensor) bool {
	t.Helper()
	specs := Specs(c, array.Float64)
	has := false
	g, err := tensor.Trace(tensor.Options{}, func(in []*tensor.Tensor) []*tensor.Tensor {
		l := f(in)
		if l == nil {
			return nil
		}
		out := []*tensor.Tensor{l}
		for _, x := range in {
			if x.DType().IsFloat() {
				out = append(out, tensor.Grad(l, x)[0])
				has = true
			}
		}
		return out
	}, specs...)
	if err != nil {
		t.Fatalf("%s: %v", op.Name, err)
	}
	if !has {
		return false
	}
	exe, _ := ref.New().Compile(g)
	inst, err := exe.Instance(nil)
	if err != nil {
		t.Fatalf("%s: %v", op.Name, err)
	}
	values := Values(c, seed)
	base := make([]*array.Array, len(values))
	dir := make([][]float64, len(values))
	r := rand.New(rand.NewPCG(seed, 13))
	for i, v := range values {
		base[i] = v.To(specs[i].DType)
		if specs[i].DType.IsFloat() {
			dir[i] = make([]float64, v.Len())
			for j := range dir[i] {
				dir[i][j] = r.NormFloat64()
			}
		}
	}
	eval := func(h float64) (float64, []*array.Array) {
		in := make([]*array.Array, len(base))
		for i, b := range base {
			in[i] = b.Clone()
			if dir[i] != nil {
				d := array.Data[float64](in[i])
				for j := range d {
					d[j] += h * dir[i][j]
				}
			}
		}
		outs := make([]*array.Array, len(g.Outs))
		for i, o := range g.Outs {
			outs[i] = array.New(array.Float64, o.Shape()...)
		}
		if err := inst.Run(&device.Run{Inputs: in, Outputs: outs}); err != nil {
			t.Fatalf("%s: %v", op.Name, err)
		}
		return array.Data[float64](outs[0])[0], outs[1:]
	}
	const h = 1e-5
	up, _ := eval(h)
	down, _ := eval(-h)
	_, grads := eval(0)
	want, got, scale := (up-down)/(2*h), 0.0, 1.0
	k := 0
	for i := range values {
		if dir[i] == nil {
			continue
		}
		for j, d := range array.Data[float64](grads[k]) {
			got += d * dir[i][j]
			scale += math.Abs(d * dir[i][j])
		}
		k++
	}
	if math.Abs(got-want) > gradTolerance*scale || got != got {
		t.Errorf("%s case %v: gradient along a direction is %v, by differences %v", op.Name, c.In, got, want)
	}
	return true
}
