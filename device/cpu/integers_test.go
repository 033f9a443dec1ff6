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

// TestIntegers_AreExactAndWrap: large int64 are not rounded, results wrap around as Go's.
func TestIntegers_AreExactAndWrap(t *testing.T) {
	d := cpu.New(cpu.Options{Threads: 1})
	defer d.Close()
	a, b := []int64{1<<53 + 1, math.MaxInt64, -3, 7}, []int64{2, 1, 1 << 60, -9}
	spec := tensor.Spec{DType: array.Int64, Shape: array.Shape{4}}
	g, err := tensor.Trace(tensor.Options{}, func(x []*tensor.Tensor) []*tensor.Tensor {
		p, q := x[0], x[1]
		return []*tensor.Tensor{p.Add(q), p.Sub(q), p.Mul(q), p.Maximum(q), tensor.Where(p.Less(q), p, q), p.Sum().BroadcastTo(4), p.Max().BroadcastTo(4)}
	}, spec, spec)
	if err != nil {
		t.Fatal(err)
	}
	sum := a[0] + a[1] + a[2] + a[3]
	want := make([][]int64, 7)
	for i := range a {
		for k, v := range []int64{a[i] + b[i], a[i] - b[i], a[i] * b[i], max(a[i], b[i]), min(a[i], b[i]), sum, math.MaxInt64} {
			want[k] = append(want[k], v)
		}
	}
	got := run(t, d, program.Optimize(g), []*array.Array{array.From(a), array.From(b)})
	for k := range want {
		for i, w := range want[k] {
			if v := array.Data[int64](got[k])[i]; v != w {
				t.Errorf("result %d, element %d is %d, want %d", k, i, v, w)
			}
		}
	}
}

// TestIntegers_MoveExactly: what only moves or orders elements keeps large int64 as they are.
func TestIntegers_MoveExactly(t *testing.T) {
	d := cpu.New(cpu.Options{Threads: 1})
	defer d.Close()
	const big = 1 << 53
	x := array.From([]int64{big, big + 1, 3, -big - 1, -big, 5}, 2, 3)
	k := array.From([]int32{1, 0})
	g, err := tensor.Trace(tensor.Options{}, func(in []*tensor.Tensor) []*tensor.Tensor {
		x, k := in[0], in[1]
		top, at := x.TopK(2)
		picked := x.Gather(k, 1)
		hot := k.OneHot(3, array.Int64)
		return []*tensor.Tensor{picked, x.Sort(), top, at.Cast(array.Int64), x.ArgMax(1).Cast(array.Int64), x.ArgMin(1).Cast(array.Int64), x.CumSum(1),
			tensor.OpNamed("ScatterLast").Apply(&tensor.DepthAttr{Depth: 3, To: array.Int64}, k, picked), hot.Mul(x), x.Take(k),
			k.ScatterAddRows(x, 2), x.AddScalar(1), x.Scale(3), x.MaximumScalar(7)}
	}, tensor.Spec{DType: array.Int64, Shape: x.Shape()}, tensor.Spec{DType: array.Int32, Shape: k.Shape()})
	if err != nil {
		t.Fatal(err)
	}
	got := run(t, d, program.Optimize(g), []*array.Array{x, k})
	for i, want := range [][]int64{{big + 1, -big - 1}, {big + 1, big, 3, 5, -big, -big - 1}, {big + 1, big, 5, -big}, {1, 0, 2, 1}, {1, 2}, {2, 0},
		{big, 2*big + 1, 2*big + 4, -big - 1, -2*big - 1, -2*big + 4}, {0, big + 1, 0, -big - 1, 0, 0}, {0, big + 1, 0, -big - 1, 0, 0},
		{-big - 1, -big, 5, big, big + 1, 3}, {-big - 1, -big, 5, big, big + 1, 3}, {big + 1, big + 2, 4, -big, -big + 1, 6},
		{3 * big, 3*big + 3, 9, -3*big - 3, -3 * big, 15}, {big, big + 1, 7, 7, 7, 7}} {
		for j, w := range want {
			if v := array.Data[int64](got[i])[j]; v != w {
				t.Errorf("result %d, element %d is %d, want %d", i, j, v, w)
			}
		}
	}
}

// TestIntegers_SaturateAfterFractions: numbers that an operation in floating point makes stop at the ends of the type.
func TestIntegers_SaturateAfterFractions(t *testing.T) {
	d := cpu.New(cpu.Options{Threads: 1})
	defer d.Close()
	for _, dt := range []array.DType{array.Int8, array.Uint8, array.Int32, array.Int64} {
		x := array.New(dt, 3)
		x.SetFloat64s([]float64{100, -100, 0})
		g, err := tensor.Trace(tensor.Options{}, func(in []*tensor.Tensor) []*tensor.Tensor {
			return []*tensor.Tensor{in[0].Scale(1.5e20 + 0.5), in[0].Scale(1.5), in[0].Log(), in[0].Exp(), in[0].Mean(), in[0].PowScalar(-1)}
		}, tensor.Spec{DType: dt, Shape: x.Shape()})
		if err != nil {
			t.Fatal(err)
		}
		want, got := run(t, ref.New(), g, []*array.Array{x}), run(t, d, g, []*array.Array{x})
		for i := range want {
			if string(want[i].Bytes()) != string(got[i].Bytes()) {
				t.Errorf("%v: result %d is %v, want %v", dt, i, got[i].Float64s(), want[i].Float64s())
			}
		}
	}
}
