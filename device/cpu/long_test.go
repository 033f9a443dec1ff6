package cpu_test

import (
	"testing"

	"github.com/kun-ml/kun/array"
	"github.com/kun-ml/kun/device"
	"github.com/kun-ml/kun/device/cpu"
	"github.com/kun-ml/kun/device/ref"
	"github.com/kun-ml/kun/tensor"
)

// TestSum_OfLongRowsAddsPieces: a long row is the sum of its pieces of 65536, added in order.
func TestSum_OfLongRowsAddsPieces(t *testing.T) {
	const n, piece = 200_000, 1 << 16
	d := cpu.New(cpu.Options{Threads: 2})
	defer d.Close()
	all := make([]float32, n)
	for i := range all {
		all[i] = 1 / float32(i%1000+1)
	}
	sum := func(x []float32) float32 {
		g, err := tensor.Trace(tensor.Options{}, func(in []*tensor.Tensor) []*tensor.Tensor { return []*tensor.Tensor{in[0].Sum()} },
			tensor.Spec{DType: array.Float32, Shape: array.Shape{len(x)}})
		if err != nil {
			t.Fatal(err)
		}
		return array.Data[float32](run(t, d, g, []*array.Array{array.From(x)})[0])[0]
	}
	want := float32(0)
	for from := 0; from < n; from += piece {
		want += sum(all[from:min(n, from+piece)])
	}
	if got := sum(all); got != want {
		t.Errorf("the sum is %v, that of the pieces %v", got, want)
	}
}

// TestSum_OfWideRows has more columns than one call adds, and a gradient of more elements than one piece.
func TestSum_OfWideRows(t *testing.T) {
	g, err := tensor.Trace(tensor.Options{}, func(in []*tensor.Tensor) []*tensor.Tensor {
		y := in[0].Sum(0)
		return []*tensor.Tensor{y, tensor.Grad(y.Mean(), in[0])[0]}
	}, tensor.Spec{DType: array.Float32, Shape: array.Shape{3, 70_001}})
	if err != nil {
		t.Fatal(err)
	}
	x := array.New(array.Float32, 3, 70_001)
	for i := range array.Data[float32](x) {
		array.Data[float32](x)[i] = float32(i % 977)
	}
	d := cpu.New(cpu.Options{Threads: 2})
	defer d.Close()
	want, got := run(t, ref.New(), g, []*array.Array{x}), run(t, d, g, []*array.Array{x})
	for i := range want {
		compare(t, "wide rows", array.Float32, got[i].Float64s(), want[i].Float64s())
	}
}

// TestRandomUniform_StaysBelowHigh: numbers that would round up to the end are the largest below it.
func TestRandomUniform_StaysBelowHigh(t *testing.T) {
	d := cpu.New(cpu.Options{Threads: 1})
	defer d.Close()
	for _, c := range []struct {
		d         array.DType
		low, high float64
	}{{array.BFloat16, 1, 2}, {array.Float16, 1, 2}, {array.Float32, 1024, 1025}, {array.BFloat16, -1, 0}, {array.Float64, 1, 2},
		{array.Float16, -2, -1}, {array.Int32, -5, 0}, {array.Float32, 3, 3}} {
		g, err := tensor.Trace(tensor.Options{}, func(in []*tensor.Tensor) []*tensor.Tensor {
			return []*tensor.Tensor{in[0].RandomUniform(c.low, c.high, 1<<17)}
		}, tensor.Spec{DType: c.d, Shape: array.Shape{}})
		if err != nil {
			t.Fatal(err)
		}
		for _, dev := range []device.Device{d, ref.New()} {
			for _, v := range run(t, dev, g, []*array.Array{array.New(c.d)})[0].Float64s() {
				if v < c.low || v >= c.high && c.low < c.high {
					t.Errorf("%s: %v in [%v, %v) gives %v", dev.Name(), c.d, c.low, c.high, v)
					break
				}
			}
		}
	}
}
