package prep_test

import (
	"context"
	"math"
	"strings"
	"testing"

	"github.com/kun-ml/kun/array"
	"github.com/kun-ml/kun/data"
	"github.com/kun-ml/kun/device"
	"github.com/kun-ml/kun/device/cpu"
	"github.com/kun-ml/kun/prep"
	"github.com/kun-ml/kun/program"
	"github.com/kun-ml/kun/tensor"
)

var ctx = context.Background()

// apply runs a pipeline over the field "x" of a set.
func apply(t *testing.T, p prep.Pipeline, x *array.Array) []float64 {
	t.Helper()
	g, err := tensor.Trace(tensor.Options{}, func(in []*tensor.Tensor) []*tensor.Tensor {
		return []*tensor.Tensor{p.Apply(data.X, in[0])}
	}, tensor.Spec{Name: "x", DType: x.DType(), Shape: x.Shape()})
	if err != nil {
		t.Fatal(err)
	}
	d := cpu.New(cpu.Options{Threads: 1})
	defer d.Close()
	exe, err := d.Compile(program.Optimize(g))
	if err != nil {
		t.Fatal(err)
	}
	in, err := exe.Instance(nil)
	if err != nil {
		t.Fatal(err)
	}
	out := array.New(array.Float32, g.Outs[0].Shape()...)
	if err := in.Run(&device.Run{Inputs: []*array.Array{x}, Outputs: []*array.Array{out}}); err != nil {
		t.Fatal(err)
	}
	return out.Float64s()
}

// again writes a pipeline as JSON and reads it back.
func again(t *testing.T, p prep.Pipeline) prep.Pipeline {
	t.Helper()
	var q prep.Pipeline
	for _, x := range p {
		b, err := prep.Transforms.Marshal(x)
		if err != nil {
			t.Fatal(err)
		}
		y, err := prep.Transforms.Unmarshal(b)
		if err != nil {
			t.Fatalf("%s: %v", b, err)
		}
		q = append(q, y)
	}
	return q
}

func TestPipelines_GiveTheirValuesAlsoAfterTheFile(t *testing.T) {
	bytes := array.From([]uint8{0, 255, 51, 102, 10, 20, 30, 40}, 4, 2)
	floats := array.From([]float32{1, 10, 2, 10, 3, 10, 6, 10}, 4, 2)
	ints := array.From([]int32{2, 0, 1, 2}, 4)
	sd := math.Sqrt(3.5)
	for _, c := range []struct {
		p    prep.Pipeline
		x    *array.Array
		want []float64
	}{
		{prep.Pipeline{&prep.Rescale{Scale: 1. / 255}}, bytes, []float64{0, 1, 0.2, 0.4, 10. / 255, 20. / 255, 30. / 255, 40. / 255}},
		{prep.Pipeline{&prep.Rescale{Scale: 2, Offset: -1}, &prep.Flatten{}}, floats, []float64{1, 19, 3, 19, 5, 19, 11, 19}},
		{prep.Pipeline{&prep.Normalize{}}, floats, []float64{-2 / sd, 0, -1 / sd, 0, 0, 0, 3 / sd, 0}},
		{prep.Pipeline{&prep.Normalize{Mean: []float64{1, 0}, Var: []float64{4, 1}}}, floats, []float64{0, 10, 0.5, 10, 1, 10, 2.5, 10}},
		{prep.Pipeline{&prep.OneHot{}}, ints, []float64{0, 0, 1, 1, 0, 0, 0, 1, 0, 0, 0, 1}},
		{prep.Pipeline{&prep.Rescale{On: "other", Scale: 9}, &prep.Rescale{}}, floats, floats.Float64s()},
	} {
		src, err := data.FromArrays(c.x, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.p.Fit(ctx, src); err != nil {
			t.Fatal(err)
		}
		for _, p := range []prep.Pipeline{c.p, again(t, c.p)} {
			for i, got := range apply(t, p, c.x) {
				if math.Abs(got-c.want[i]) > 1e-6 {
					t.Fatalf("%+v: element %d is %v, want %v", p[0], i, got, c.want[i])
				}
			}
		}
	}
}

func TestNormalize_WholeAndWide(t *testing.T) {
	x := array.New(array.Float32, 3000, 3)
	f := array.Data[float32](x)
	for i := range f {
		f[i] = float32(1e4 + float64(i%7))
	}
	src, err := data.FromArrays(x, nil)
	if err != nil {
		t.Fatal(err)
	}
	n := &prep.Normalize{Whole: true}
	if err := n.Fit(ctx, src, "x"); err != nil {
		t.Fatal(err)
	}
	sum, sq := 0.0, 0.0
	for _, v := range f {
		sum += float64(v)
	}
	mean := sum / float64(len(f))
	for _, v := range f {
		sq += (float64(v) - mean) * (float64(v) - mean)
	}
	if len(n.Mean) != 1 || math.Abs(n.Mean[0]-mean) > 1e-8 || math.Abs(n.Var[0]-sq/float64(len(f))) > 1e-8 {
		t.Errorf("mean %v, variance %v; want %v, %v", n.Mean, n.Var, mean, sq/float64(len(f)))
	}
}

func TestMistakes_AreErrors(t *testing.T) {
	src, err := data.FromArrays(array.From([]float32{1, float32(math.NaN()), 3, -4}, 2, 2), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		p    prep.Pipeline
		want string
	}{
		{prep.Pipeline{&prep.Normalize{}}, "row 0"},
		{prep.Pipeline{&prep.OneHot{}}, "class number"},
		{prep.Pipeline{&prep.Normalize{On: "z"}}, `"z"`},
		{prep.Pipeline{&prep.Normalize{Mean: []float64{1}}}, "variances"},
	} {
		if err := c.p.Fit(ctx, src); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v", c.p[0], err)
		}
	}
	_, err = tensor.Trace(tensor.Options{}, func(in []*tensor.Tensor) []*tensor.Tensor {
		return []*tensor.Tensor{(&prep.Normalize{}).Forward(in[0])}
	}, tensor.Spec{DType: array.Float32, Shape: array.Shape{2}})
	if err == nil || !strings.Contains(err.Error(), "not been fitted") {
		t.Errorf("%v", err)
	}
}
