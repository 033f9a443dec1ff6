package prep_test

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/kun-ml/kun/array"
	"github.com/kun-ml/kun/data"
	"github.com/kun-ml/kun/device"
	"github.com/kun-ml/kun/device/cpu"
	"github.com/kun-ml/kun/nn"
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
func again(t *testing.T, p prep.Pipeline) (q prep.Pipeline) {
	t.Helper()
	b, err := json.Marshal(p)
	if err == nil {
		err = json.Unmarshal(b, &q)
	}
	if err != nil {
		t.Fatalf("%s: %v", b, err)
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
		{prep.Pipeline{&prep.Rescale{Offset: 5}, &prep.Normalize{Whole: true, Mean: []float64{5}, Var: []float64{0}}}, array.New(array.Uint8, 2, 2), make([]float64, 4)},
		{prep.Pipeline{&prep.Rescale{Scale: nn.Zero, Offset: 5}}, ints, []float64{5, 5, 5, 5}},
		{prep.Pipeline{&prep.Normalize{}}, array.From([]int64{1, 3, 1, 3}), []float64{-1, 1, -1, 1}},
		{prep.Pipeline{&prep.OneHot{Classes: 3}}, array.From([]uint8{2, 0}, 2, 1), []float64{0, 0, 1, 1, 0, 0}},
	} {
		src, err := data.FromArrays(c.x, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.p.Fit(ctx, src); err != nil {
			t.Fatal(err)
		}
		first := apply(t, c.p, c.x)
		for i, got := range first {
			if math.Abs(got-c.want[i]) > 1e-6 {
				t.Fatalf("%+v: element %d is %v, want %v", c.p[0], i, got, c.want[i])
			}
		}
		if second := apply(t, again(t, c.p), c.x); !reflect.DeepEqual(first, second) {
			t.Errorf("%+v: other bits after the file", c.p[0])
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
	x := array.From([]float32{1, 2, 3, float32(math.NaN()), 5, -4}, 3, 2)
	src, err := data.FromArrays(x, array.From([]int64{0, 1, 7}))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		p    prep.Pipeline
		want string
	}{
		{prep.Pipeline{&prep.Normalize{}}, `prep: transform 0 (normalize): NaN in field "x", row 1`},
		{prep.Pipeline{&prep.OneHot{}}, `prep: transform 0 (one_hot): NaN is no class number in field "x", row 1`},
		{prep.Pipeline{&prep.Flatten{}, &prep.OneHot{On: "y", Classes: 7}}, `prep: transform 1 (one_hot): class 7 is out of range (Classes is 7, so 0 to 6) in field "y", row 2`},
		{prep.Pipeline{&prep.Rescale{On: "y", Offset: -1}, &prep.OneHot{On: "y"}}, `prep: transform 1 (one_hot): -1 is no class number in field "y", row 0`},
		{prep.Pipeline{&prep.Rescale{On: "y", Scale: 1e5}, &prep.OneHot{On: "y"}}, `prep: transform 1 (one_hot): class 100000 would need 100001 columns (set Classes if that is meant) in field "y", row 1`},
		{prep.Pipeline{&prep.OneHot{Classes: -1}}, `prep: transform 0 (one_hot): -1 classes`},
		{prep.Pipeline{&prep.Normalize{On: "z"}}, `prep: transform 0 (normalize): the data have no field "z"; they have x, y`},
		{prep.Pipeline{&prep.Rescale{On: "z"}}, `prep: transform 0 (rescale): the data have no field "z"; they have x, y`},
		{prep.Pipeline{&prep.Normalize{Mean: []float64{1}}}, `prep: transform 0 (normalize): 1 means and 0 variances; there must be as many of both`},
		{prep.Pipeline{&prep.Normalize{Mean: []float64{1}, Var: []float64{-1}}}, `prep: transform 0 (normalize): mean 1 and variance -1 at 0: not numbers that can be`},
		{prep.Pipeline{&prep.Normalize{On: "y", Axes: []int{0}}}, `prep: transform 0 (normalize): axis 0 is that of the batch; samples have no numbers of their own`},
		{prep.Pipeline{&prep.Normalize{Axes: []int{2}}}, `prep: transform 0 (normalize): axis 2 is out of range for rank 2`},
		{prep.Pipeline{&prep.Normalize{Axes: []int{1}, Whole: true}}, `prep: transform 0 (normalize): the fields Whole and Axes [1] exclude each other`},
		{prep.Pipeline{nil}, `prep: transform 0 is nil`},
		{prep.Pipeline{noise{}, &prep.Normalize{}}, `prep: transform 1 (normalize): a transform before it uses RandomNormal, which needs a running program; put it after what is fitted`},
		{prep.Pipeline{total{}, &prep.Normalize{}}, `prep: transform 1 (normalize): the transforms before it turn samples x float32(2,) into float32(); they must keep the batch axis`},
	} {
		if err := c.p.Fit(ctx, src); err == nil || err.Error() != c.want {
			t.Errorf("got  %v\nwant %s", err, c.want)
		}
	}
	for _, c := range []struct {
		t    prep.Transform
		want string
	}{
		{&prep.Normalize{}, "hint fit the pipeline to the training data first"},
		{&prep.OneHot{}, "hint fit the pipeline to the training data first"},
		{&prep.Normalize{Mean: make([]float64, 3), Var: make([]float64, 3)}, "it has 3 means, the data 2 positions"},
		{&prep.Normalize{Mean: make([]float64, 1), Var: []float64{math.NaN()}}, "not numbers that can be"},
		{nil, "transform 0 is nil"},
	} {
		_, err = tensor.Trace(tensor.Options{}, func(in []*tensor.Tensor) []*tensor.Tensor {
			return []*tensor.Tensor{prep.Pipeline{c.t}.Apply(data.X, in[0])}
		}, tensor.Spec{DType: array.Float32, Shape: array.Shape{5, 2}})
		var shape *tensor.ShapeError
		if !errors.As(err, &shape) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, want %s", err, c.want)
		}
	}
}

// noise and total are transforms that nothing fitted may follow.
type (
	noise struct{}
	total struct{}
)

func (noise) Forward(x *tensor.Tensor) *tensor.Tensor {
	return x.Add(x.RandomNormal(0, 1, x.Shape()...))
}

func (total) Forward(x *tensor.Tensor) *tensor.Tensor { return x.Sum() }
