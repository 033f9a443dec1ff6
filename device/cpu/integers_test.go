package cpu_test

import (
	"math"
	"testing"

	"github.com/kun-ml/kun/array"
	"github.com/kun-ml/kun/device/cpu"
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
