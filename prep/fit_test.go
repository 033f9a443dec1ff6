package prep_test

import (
	"context"
	"encoding/json"
	"math"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/kun-ml/kun/array"
	"github.com/kun-ml/kun/data"
	"github.com/kun-ml/kun/internal/rng"
	"github.com/kun-ml/kun/internal/testdata"
	"github.com/kun-ml/kun/prep"
	"github.com/kun-ml/kun/tensor"
)

func normal(dims ...int) *array.Array {
	a := array.New(array.Float32, dims...)
	s := rng.New(5, "prep test")
	for i := range array.Data[float32](a) {
		array.Data[float32](a)[i] = float32(3 + 2*s.Normal())
	}
	return a
}

func setOf(t testing.TB, x *array.Array) *data.Set {
	t.Helper()
	s, err := data.FromArrays(x, nil)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestNormalize_KeepsTheAxesItIsTold(t *testing.T) {
	x := normal(700, 3, 4, 5)
	v := x.Float64s()
	for _, c := range []struct {
		n    prep.Normalize
		kept [4]bool
	}{
		{prep.Normalize{}, [4]bool{3: true}},
		{prep.Normalize{Axes: []int{-1}}, [4]bool{3: true}},
		{prep.Normalize{Axes: []int{1, 3}}, [4]bool{1: true, 3: true}},
		{prep.Normalize{Axes: []int{2}}, [4]bool{2: true}},
		{prep.Normalize{Axes: []int{1, 2, 3}}, [4]bool{1: true, 2: true, 3: true}},
		{prep.Normalize{Whole: true}, [4]bool{}},
	} {
		n := c.n
		if err := n.Fit(ctx, setOf(t, x), data.X); err != nil {
			t.Fatal(err)
		}
		group := func(i int) (g int) {
			p := [4]int{i / 60, i / 20 % 3, i / 5 % 4, i % 5}
			for a, d := range x.Shape() {
				if c.kept[a] {
					g = g*d + p[a]
				}
			}
			return g
		}
		sum, sq, count := map[int]float64{}, map[int]float64{}, map[int]float64{}
		for i, e := range v {
			sum[group(i)] += e
			count[group(i)]++
		}
		for i, e := range v {
			d := e - sum[group(i)]/count[group(i)]
			sq[group(i)] += d * d
		}
		if len(n.Mean) != len(sum) {
			t.Fatalf("%+v: %d means, want %d", c.n, len(n.Mean), len(sum))
		}
		for g := range n.Mean {
			if m, s := sum[g]/count[g], sq[g]/count[g]; math.Abs(n.Mean[g]-m) > 1e-12*math.Abs(m) || math.Abs(n.Var[g]-s) > 1e-12*s {
				t.Errorf("%+v: group %d has mean %v, variance %v; want %v, %v", c.n, g, n.Mean[g], n.Var[g], m, s)
			}
		}
		for i, y := range apply(t, prep.Pipeline{&n}, x) {
			if want := (v[i] - n.Mean[group(i)]) / math.Sqrt(n.Var[group(i)]); math.Abs(y-want) > 1e-5 {
				t.Fatalf("%+v: element %d is %v, want %v", c.n, i, y, want)
			}
		}
	}
}

func TestNormalize_NumbersFarFromZero(t *testing.T) {
	x := array.New(array.Float64, 100_000, 1)
	for i := range array.Data[float64](x) {
		array.Data[float64](x)[i] = 1e9 + float64(i%3)
	}
	n := &prep.Normalize{}
	if err := n.Fit(ctx, setOf(t, x), data.X); err != nil || math.Abs(n.Var[0]-2./3) > 1e-5 {
		t.Errorf("variance %v, want 2/3; %v", n.Var, err)
	}
}

// The fitted numbers are those of the samples, however they come.
func TestFit_SameBitsFromAnySource(t *testing.T) {
	x := normal(30_000, 7)
	all := make([]int, 30_000)
	for i := range all {
		all[i] = i
	}
	s := setOf(t, x)
	want := prep.Pipeline{&prep.Rescale{Scale: 0.5}, &prep.Normalize{}}
	if err := want.Fit(ctx, s); err != nil {
		t.Fatal(err)
	}
	for _, src := range []data.Source{data.Subset(s, all), data.Head(s, 30_000)} {
		p := prep.Pipeline{&prep.Rescale{Scale: 0.5}, &prep.Normalize{}}
		if err := p.Fit(ctx, src); err != nil || !reflect.DeepEqual(p, want) {
			t.Errorf("%v %v", p, err)
		}
	}
	// What is fitted stays.
	if err := want.Fit(ctx, setOf(t, normal(4, 7))); err != nil {
		t.Fatal(err)
	}
	p := prep.Pipeline{&prep.Rescale{Scale: 0.5}, &prep.Normalize{}}
	if err := p.Fit(ctx, s); err != nil || !reflect.DeepEqual(p, want) {
		t.Errorf("a second Fit changed %v to %v; %v", p[1], want[1], err)
	}
}

// rows is a transform of a user's own: the sum of each row, as (B,1), with an outer broadcast on the way.
type rowSums struct{}

func (rowSums) Forward(x *tensor.Tensor) *tensor.Tensor { // (B,C)
	half := x.SumKeep(1).Scale(0.5)                               // (B,1)
	return x.Add(half).SumKeep(1).Sub(x.SumKeep(1)).Scale(2. / 3) // (B,1): 3 halves of the sum, by 2/3
}

func TestFit_SeesWhatTheTransformsBeforeGive(t *testing.T) {
	x := normal(2000, 3)
	v := x.Float64s()
	bytes := array.New(array.Uint8, 2000, 3)
	for i := range bytes.Bytes() {
		bytes.Bytes()[i] = byte(i * 7)
	}
	n := &prep.Normalize{}
	p := prep.Pipeline{&prep.Rescale{Scale: 1. / 255}, &prep.Flatten{}, n}
	if err := p.Fit(ctx, setOf(t, bytes)); err != nil {
		t.Fatal(err)
	}
	moments(t, apply(t, p, bytes), 3)
	if n.Mean[0] > 1 {
		t.Errorf("mean %v of numbers up to 1", n.Mean)
	}

	m := &prep.Normalize{}
	q := prep.Pipeline{rowSums{}, m}
	if err := q.Fit(ctx, setOf(t, x)); err != nil {
		t.Fatal(err)
	}
	mean := 0.
	for i := range 2000 {
		mean += (v[3*i] + v[3*i+1] + v[3*i+2]) / 2000
	}
	if len(m.Mean) != 1 || math.Abs(m.Mean[0]-mean) > 1e-5 {
		t.Errorf("mean %v, want %v", m.Mean, mean)
	}
	moments(t, apply(t, q, x), 1)

	two := prep.Pipeline{&prep.Normalize{Whole: true}, &prep.Normalize{}}
	if err := two.Fit(ctx, setOf(t, x)); err != nil {
		t.Fatal(err)
	}
	moments(t, apply(t, two, x), 3)
}

// moments checks that columns have mean 0 and variance 1.
func moments(t *testing.T, v []float64, w int) {
	t.Helper()
	for c := range w {
		sum, sq, n := 0., 0., 0.
		for i := c; i < len(v); i += w {
			sum += v[i]
			sq += v[i] * v[i]
			n++
		}
		if math.Abs(sum/n) > 1e-4 || math.Abs(sq/n-1) > 1e-4 {
			t.Errorf("column %d has mean %v and variance %v", c, sum/n, sq/n)
		}
	}
}

// Bytes that are changed one by one are looked up in a table; by rows they are computed. Both give one result.
func TestFit_TablesOfBytesAreWhatIsComputed(t *testing.T) {
	for _, d := range []array.DType{array.Uint8, array.Int8, array.Bool} {
		for _, shape := range []array.Shape{{}, {1}, {3}, {20, 20}} {
			x := array.New(d, append(array.Shape{500}, shape...)...)
			for i := range x.Bytes() {
				x.Bytes()[i] = byte(i * 7)
				if d == array.Bool {
					x.Bytes()[i] &= 1
				}
			}
			fast, slow := &prep.Normalize{Whole: true}, &prep.Normalize{Whole: true}
			change := &prep.Rescale{Scale: 1. / 3, Offset: -2}
			p, q := prep.Pipeline{change, &prep.Flatten{}, fast}, prep.Pipeline{change, twice{}, slow}
			if err := p.Fit(ctx, setOf(t, x)); err != nil {
				t.Fatal(err)
			}
			if err := q.Fit(ctx, setOf(t, x)); err != nil {
				t.Fatal(err)
			}
			if math.Abs(fast.Mean[0]-slow.Mean[0]) > 1e-9 || math.Abs(fast.Var[0]-slow.Var[0]) > 1e-9 {
				t.Errorf("%v%v: %v %v, want %v %v", d, shape, fast.Mean, fast.Var, slow.Mean, slow.Var)
			}
		}
	}
}

// twice gives every sample twice, so that no table can serve.
type twice struct{}

func (twice) Forward(x *tensor.Tensor) *tensor.Tensor {
	n := x.Dim(0)
	x = x.Reshape(n, x.Shape().Size()/n)
	return tensor.Concat(1, x, x)
}

func TestFit_EndsWithItsContext(t *testing.T) {
	done, cancel := context.WithCancel(ctx)
	cancel()
	if err := (prep.Pipeline{&prep.Normalize{}}).Fit(done, setOf(t, normal(10, 2))); err == nil || !strings.Contains(err.Error(), context.Canceled.Error()) {
		t.Error(err)
	}
}

func TestNormalize_MNIST(t *testing.T) {
	x, err := data.ReadIDXFile(filepath.Join(testdata.Dir(t, "mnist"), "train-images-idx3-ubyte.gz"))
	if err != nil {
		t.Fatal(err)
	}
	n := &prep.Normalize{Whole: true}
	if err := n.Fit(ctx, setOf(t, x), data.X); err != nil {
		t.Fatal(err)
	}
	// torchvision's well-known numbers for pixels 0..1
	if m, s := n.Mean[0]/255, math.Sqrt(n.Var[0])/255; math.Abs(m-0.1307) > 5e-5 || math.Abs(s-0.3081) > 5e-5 {
		t.Errorf("mean %v, standard deviation %v", m, s)
	}
}

func TestPipeline_ReadsStrictly(t *testing.T) {
	for in, want := range map[string]string{
		`[{"rescale":{"scale":2}},"flatten",{"one_hot":{"classes":3,"on":"y"}}]`: "",
		`[]`:                          "",
		`{"rescale":{}}`:              "prep: want a list of transforms",
		`[{"rescale":{"by":2}}]`:      `transform 0: prep: rescale: unknown key "by"`,
		`["flaten"]`:                  `transform 0: prep: unknown transform "flaten"; did you mean "flatten"?`,
		`[{"rescale":{"scale":"2"}}]`: `transform 0: prep: rescale.scale: want a number`,
		`["flatten",{"normalize":{"mean":[1,null]}}]`: `transform 1: prep: normalize.mean.1: want a number, found null`,
		`[null]`: "transform 0: prep: want a transform, found null",
	} {
		var p prep.Pipeline
		err := json.Unmarshal([]byte(in), &p)
		if want == "" && err != nil || want != "" && (err == nil || !strings.HasPrefix(err.Error(), want)) {
			t.Errorf("%s: %v, want %s", in, err, want)
		}
	}
	if _, err := json.Marshal(prep.Pipeline{rowSums{}}); err == nil || !strings.Contains(err.Error(), "not registered") {
		t.Error(err)
	}
	var zero prep.Pipeline
	if err := json.Unmarshal([]byte(`[{"rescale":{"scale":0}}]`), &zero); err != nil {
		t.Fatal(err)
	}
	if got := apply(t, zero, array.From([]float32{3, 4}, 1, 2)); got[0] != 0 || got[1] != 0 {
		t.Errorf("a scale of 0 gives %v", got)
	}
}

func FuzzPipeline(f *testing.F) {
	f.Add([]byte(`[{"rescale":{"scale":2}},"flatten",{"one_hot":{"classes":3,"on":"y"}}]`))
	f.Add([]byte(`[{"normalize":{"mean":[1,2],"var":[3,4],"axes":[-1],"whole":true}}]`))
	f.Fuzz(func(t *testing.T, b []byte) {
		var p, q prep.Pipeline
		if json.Unmarshal(b, &p) != nil {
			return
		}
		c, err := json.Marshal(p)
		if err != nil {
			t.Fatalf("%s was read and cannot be written: %v", b, err)
		}
		if err := json.Unmarshal(c, &q); err != nil {
			t.Fatalf("%s: %v", c, err)
		}
		if d, _ := json.Marshal(q); string(d) != string(c) {
			t.Fatalf("%s became %s", c, d)
		}
		for _, shape := range []array.Shape{{}, {2}, {2, 3}, {2, 3, 1}, {0, 2}} { // Forward makes an error of any numbers
			_, _ = tensor.Trace(tensor.Options{}, func(in []*tensor.Tensor) []*tensor.Tensor {
				return []*tensor.Tensor{p.Apply(data.X, in[0])}
			}, tensor.Spec{DType: array.Float32, Shape: shape})
		}
	})
}
