package kun_test

import (
	"bytes"
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/kun-ml/kun"
	"github.com/kun-ml/kun/array"
	"github.com/kun-ml/kun/data"
	"github.com/kun-ml/kun/internal/rng"
	"github.com/kun-ml/kun/loss"
	"github.com/kun-ml/kun/metric"
	"github.com/kun-ml/kun/nn"
	"github.com/kun-ml/kun/optim"
	"github.com/kun-ml/kun/prep"
	"github.com/kun-ml/kun/store"
	"github.com/kun-ml/kun/tensor"
	"github.com/kun-ml/kun/train"
)

// blobs are n points of 8 bytes around one center for each of 3 classes.
func blobs(t testing.TB, n int, seed uint64) *data.Set {
	t.Helper()
	x, y := array.New(array.Uint8, n, 8), array.New(array.Uint8, n)
	centers, r := rng.New(99, "centers"), rng.New(seed, "blobs")
	var c [3][8]float64
	for i := range c {
		for j := range c[i] {
			c[i][j] = 60 + 120*centers.Float64()
		}
	}
	for i := range n {
		k := r.IntN(3)
		y.Bytes()[i] = byte(k)
		for j := range 8 {
			x.Bytes()[i*8+j] = byte(min(255, max(0, c[k][j]+20*r.Normal())))
		}
	}
	s, err := data.FromArrays(x, y)
	if err != nil {
		t.Fatal(err)
	}
	s.Name, s.Classes = "blobs", []string{"a", "b", "c"}
	return s
}

func classifier() *kun.Model {
	return &kun.Model{
		Prepare:   prep.Pipeline{&prep.Rescale{Scale: 1. / 255}},
		Net:       nn.Sequential{&nn.Dense{Units: 16, Activation: nn.ReLU}, &nn.Dropout{Rate: 0.1}, &nn.Dense{Units: 3, Activation: nn.Softmax}},
		Loss:      loss.SparseCategoricalCrossEntropy{},
		Optimizer: optim.Adam{LearningRate: 0.01},
		Metrics:   []metric.Metric{metric.Accuracy{}},
	}
}

var ctx = context.Background()

func fit(t testing.TB, m *kun.Model, o kun.FitOptions) *train.History {
	t.Helper()
	h, err := m.Fit(ctx, blobs(t, 500, 1), o)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestModel_LearnsEvaluatesPredicts(t *testing.T) {
	m, test := classifier(), blobs(t, 301, 2)
	h := fit(t, m, kun.FitOptions{Epochs: 6, Validate: test, Seed: 3})
	if len(h.Epochs) != 6 || len(h.Figures["val_accuracy"]) != 6 || len(h.Seconds) != 6 {
		t.Errorf("history %+v", h)
	}
	r, err := m.Evaluate(ctx, test)
	if err != nil {
		t.Fatal(err)
	}
	acc, _ := r.Figure("accuracy")
	if acc < 0.95 || r.Samples != 301 {
		t.Errorf("report %v", r)
	}
	if last, _ := h.Last("val_accuracy"); last != acc {
		t.Errorf("validation says %v, evaluation %v", last, acc)
	}
	out, err := m.Predict(ctx, test.Array("x"))
	if err != nil {
		t.Fatal(err)
	}
	right := 0
	for i := range 301 {
		row := array.Data[float32](out)[i*3 : i*3+3]
		best := 0
		for j, v := range row {
			if v > row[best] {
				best = j
			}
		}
		if best == int(test.Array("y").Bytes()[i]) {
			right++
		}
	}
	if got := float64(right) / 301; math.Abs(got-acc) > 1e-9 {
		t.Errorf("predictions are right in %v, evaluation says %v", got, acc)
	}
	if m.Classes[1] != "b" || m.Info().Dataset != "blobs" || m.Info().Epochs != 6 {
		t.Errorf("classes %v, info %+v", m.Classes, m.Info())
	}
}

func TestModel_SameSeedSameBits(t *testing.T) {
	a, b, c := classifier(), classifier(), classifier()
	b.Threads = 3
	for i, m := range []*kun.Model{a, b, c} {
		fit(t, m, kun.FitOptions{Epochs: 2, Seed: uint64(7 + i/2)})
	}
	if a.WeightsSHA256() != b.WeightsSHA256() {
		t.Error("three threads give other weights than the default")
	}
	if a.WeightsSHA256() == c.WeightsSHA256() {
		t.Error("another seed gives the same weights")
	}
}

func TestModel_SecondFitGoesOn(t *testing.T) {
	whole, parts := classifier(), classifier()
	fit(t, whole, kun.FitOptions{Epochs: 1, Seed: 5, NoShuffle: true})
	before := whole.WeightsSHA256()
	fit(t, whole, kun.FitOptions{Epochs: 1, Seed: 5, NoShuffle: true})
	fit(t, parts, kun.FitOptions{Epochs: 2, Seed: 5, NoShuffle: true})
	if whole.WeightsSHA256() != parts.WeightsSHA256() || whole.WeightsSHA256() == before {
		t.Error("one epoch and one more are not two epochs")
	}
}

func TestModel_SavesAndLoads(t *testing.T) {
	m, dir := classifier(), filepath.Join(t.TempDir(), "m")
	if err := m.Save(dir); err == nil {
		t.Error("a model without weights was saved")
	}
	fit(t, m, kun.FitOptions{Epochs: 2})
	if err := m.Save(dir); err != nil {
		t.Fatal(err)
	}
	l, err := kun.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	if l.WeightsSHA256() != m.WeightsSHA256() {
		t.Error("loaded weights differ")
	}
	sameReport(t, m, l)
	if _, err := l.Fit(ctx, blobs(t, 100, 4), kun.FitOptions{}); err != nil {
		t.Errorf("a loaded model does not learn: %v", err)
	}
}

func sameReport(t *testing.T, a, b *kun.Model) {
	t.Helper()
	test := blobs(t, 77, 8)
	ra, err := a.Evaluate(ctx, test)
	if err != nil {
		t.Fatal(err)
	}
	rb, err := b.Evaluate(ctx, test)
	if err != nil {
		t.Fatal(err)
	}
	if ra.String() != rb.String() || ra.Loss != rb.Loss {
		t.Errorf("%v and %v", ra, rb)
	}
	pa, err := a.Predict(ctx, test.Array("x"))
	if err != nil {
		t.Fatal(err)
	}
	pb, err := b.Predict(ctx, test.Array("x"))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(pa.Bytes(), pb.Bytes()) {
		t.Error("predictions differ")
	}
}

// tower is a network of a type that no registry knows.
type tower struct {
	Blocks []*nn.Dense
	Head   nn.Dense
}

func (n *tower) Forward(x *tensor.Tensor) *tensor.Tensor {
	for _, b := range n.Blocks {
		y := b.Forward(x)
		if y.Shape().Equal(x.Shape()) {
			y = y.Add(x)
		}
		x = y
	}
	return n.Head.Forward(x)
}

func newTower() *tower {
	return &tower{Blocks: []*nn.Dense{{Units: 16, Activation: nn.Tanh}, {Units: 16, Activation: nn.GELU}}, Head: nn.Dense{Units: 3, Activation: nn.Softmax}}
}

func TestModel_OfAnUnknownTypeIsServedByItsProgram(t *testing.T) {
	m, dir := classifier(), filepath.Join(t.TempDir(), "m")
	m.Net = newTower()
	fit(t, m, kun.FitOptions{Epochs: 2})
	if err := m.Save(dir); err != nil {
		t.Fatal(err)
	}
	l, err := kun.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	sameReport(t, m, l)
	if _, err := l.Fit(ctx, blobs(t, 100, 4), kun.FitOptions{}); err == nil || !strings.Contains(err.Error(), "LoadInto") {
		t.Errorf("Fit of a program: %v", err)
	}
	again := filepath.Join(t.TempDir(), "again")
	if err := l.Save(again); err != nil {
		t.Fatal(err)
	}
	if l, err = kun.Load(again); err != nil {
		t.Fatal(err)
	}
	sameReport(t, m, l)
	into, err := kun.LoadInto(dir, newTower())
	if err != nil {
		t.Fatal(err)
	}
	sameReport(t, m, into)
	if _, err := into.Fit(ctx, blobs(t, 100, 4), kun.FitOptions{}); err != nil {
		t.Error(err)
	}
	if _, err := kun.LoadInto(dir, &tower{Head: nn.Dense{Units: 4}}); err == nil {
		t.Error("weights went into a network of other shapes")
	}
}

func TestLoad_RefusesDamage(t *testing.T) {
	m, dir := classifier(), filepath.Join(t.TempDir(), "m")
	fit(t, m, kun.FitOptions{})
	if err := m.Save(dir); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"config.json", "program.json", "model.safetensors", "manifest.json"} {
		path := filepath.Join(dir, name)
		whole, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for what, b := range map[string][]byte{"truncated": whole[:len(whole)/2], "altered": append([]byte{whole[0] ^ 1}, whole[1:]...), "missing": nil} {
			if err := os.WriteFile(path, b, 0o644); err != nil {
				t.Fatal(err)
			}
			if b == nil {
				os.Remove(path)
			}
			_, err := kun.Load(dir)
			var corrupt *store.CorruptError
			if !errors.As(err, &corrupt) {
				t.Errorf("%s %s: %v", name, what, err)
			}
		}
		if err := os.WriteFile(path, whole, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := kun.Load(dir); err != nil {
		t.Error(err)
	}
}

func TestPredictor_AllocatesNothing(t *testing.T) {
	m := classifier()
	fit(t, m, kun.FitOptions{})
	p, err := m.Predictor(1)
	if err != nil {
		t.Fatal(err)
	}
	x, dst := blobs(t, 1, 5).Array("x"), array.New(array.Float32, 1, 3)
	if n := testing.AllocsPerRun(50, func() {
		if err := p.Run(dst, x); err != nil {
			t.Fatal(err)
		}
	}); n > 0 {
		t.Errorf("%v allocations", n)
	}
	if err := p.Run(dst, array.New(array.Float32, 1, 8)); err == nil {
		t.Error("an input of another type was taken")
	}
	if err := p.Run(array.New(array.Float32, 1, 4), x); err == nil {
		t.Error("a destination of another shape was taken")
	}
}

// TestPredict_ARowAloneOrInABatch has the same bits.
func TestPredict_ARowAloneOrInABatch(t *testing.T) {
	m := classifier()
	fit(t, m, kun.FitOptions{})
	x := blobs(t, 70, 5).Array("x")
	all, err := m.Predict(ctx, x)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 70 {
		one, err := m.Predict(ctx, x.Rows(i, i+1))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(one.Bytes(), all.Rows(i, i+1).Bytes()) {
			t.Fatalf("row %d alone differs", i)
		}
	}
}

// snapshots predicts while training runs.
type snapshots struct {
	train.Base
	m    *kun.Model
	x    *array.Array
	t    *testing.T
	wait sync.WaitGroup
}

func (s *snapshots) EndStep(r *train.Run) error {
	if r.Step%5 == 0 {
		s.wait.Go(func() {
			for range 3 {
				a, err := s.m.Predict(ctx, s.x)
				if err != nil {
					s.t.Error(err)
					return
				}
				for i := range 2 { // both halves are the same rows: one snapshot gives the same bits
					if h := a.Dim(0) / 2; i == 1 && !bytes.Equal(a.Rows(0, h).Bytes(), a.Rows(h, 2*h).Bytes()) {
						s.t.Error("one call saw two states of the weights")
					}
				}
			}
		})
	}
	return nil
}

func TestPredict_BesideFitSeesOneState(t *testing.T) {
	m := classifier()
	x := blobs(t, 300, 5).Array("x")
	twice := array.New(array.Uint8, 600, 8)
	copy(twice.Bytes(), x.Bytes())
	copy(twice.Bytes()[2400:], x.Bytes())
	s := &snapshots{m: m, x: twice, t: t}
	fit(t, m, kun.FitOptions{Epochs: 3, Callbacks: []train.Callback{s}})
	s.wait.Wait()
}

func TestFit_ShapeMistakesNameLineAndLayer(t *testing.T) {
	m := classifier()
	m.Net = &narrow{}
	_, err := m.Fit(ctx, blobs(t, 50, 1), kun.FitOptions{})
	var shape *tensor.ShapeError
	if !errors.As(err, &shape) {
		t.Fatalf("%v", err)
	}
	if shape.File != "model_test.go" || shape.Line == 0 || !strings.HasPrefix(shape.Layer, "Up") {
		t.Errorf("%+v", shape)
	}
}

type narrow struct{ Up, Down nn.Dense }

func (n *narrow) Forward(x *tensor.Tensor) *tensor.Tensor {
	n.Up.Units, n.Down.Units = 5, 6
	return n.Up.Forward(x).Add(n.Down.Forward(x))
}

func TestFit_MistakesAreErrors(t *testing.T) {
	set := blobs(t, 50, 1)
	two := classifier()
	two.Net = nn.Sequential{&nn.Dense{Units: 2, Activation: nn.Softmax}}
	noLoss := classifier()
	noLoss.Loss = nil
	floats, err := data.FromArrays(array.From([]float32{1, float32(math.NaN()), 3, 4}, 2, 2), array.From([]int32{0, 1}))
	if err != nil {
		t.Fatal(err)
	}
	nan := classifier()
	noY, err := data.FromArrays(set.Array("x"), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		m    *kun.Model
		src  data.Source
		o    kun.FitOptions
		want string
	}{
		{"labels", two, set, kun.FitOptions{}, "2 classes"},
		{"no loss", noLoss, set, kun.FitOptions{}, "Loss"},
		{"no network", &kun.Model{Loss: loss.MeanSquaredError{}}, set, kun.FitOptions{}, "Net"},
		{"no method", &kun.Model{Net: 3, Loss: loss.MeanSquaredError{}}, set, kun.FitOptions{}, "Forward"},
		{"by value", &kun.Model{Net: tower{}, Loss: loss.MeanSquaredError{}}, set, kun.FitOptions{}, "pointer"},
		{"no answers", classifier(), noY, kun.FitOptions{}, `"y"`},
		{"NaN", nan, floats, kun.FitOptions{}, `field "x", row 0, position (1,): NaN`},
		{"pattern", classifier(), set, kun.FitOptions{Freeze: "Backbone.**"}, "Backbone"},
		{"epochs", classifier(), set, kun.FitOptions{Epochs: -1}, "Epochs"},
		{"batch", classifier(), set, kun.FitOptions{Batch: -1}, "batch"},
		{"all frozen", classifier(), set, kun.FitOptions{Freeze: "**"}, "learns"},
		{"other data", fitted(t), floats, kun.FitOptions{}, "uint8"},
	} {
		_, err := c.m.Fit(ctx, c.src, c.o)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func fitted(t *testing.T) *kun.Model {
	m := classifier()
	fit(t, m, kun.FitOptions{})
	return m
}

func TestFit_StopsWhenTheContextEnds(t *testing.T) {
	c, cancel := context.WithCancel(ctx)
	m := classifier()
	stop := &stopAfter{steps: 20, do: cancel}
	h, err := m.Fit(c, blobs(t, 500, 1), kun.FitOptions{Epochs: 50, Callbacks: []train.Callback{stop}})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("%v", err)
	}
	if len(h.Epochs) != 1 || stop.seen != 20 {
		t.Errorf("%d epochs, %d steps", len(h.Epochs), stop.seen)
	}
	if err := m.Save(filepath.Join(t.TempDir(), "m")); err != nil {
		t.Errorf("what was learnt cannot be saved: %v", err)
	}
}

type stopAfter struct {
	train.Base
	steps, seen int
	do          func()
}

func (s *stopAfter) EndStep(*train.Run) error {
	if s.seen++; s.seen == s.steps {
		s.do()
	}
	return nil
}

func TestFit_FreezeKeepsWeights(t *testing.T) {
	m := fitted(t)
	kernel := bytes.Clone(m.Weights("0.Kernel").Value.Bytes())
	head := bytes.Clone(m.Weights("2.Kernel").Value.Bytes())
	fit(t, m, kun.FitOptions{Freeze: "0.**"})
	if !bytes.Equal(kernel, m.Weights("0.Kernel").Value.Bytes()) {
		t.Error("a frozen weight changed")
	}
	if bytes.Equal(head, m.Weights("2.Kernel").Value.Bytes()) {
		t.Error("a weight that is not frozen did not change")
	}
}

func TestFit_ClassWeightsShiftTheModel(t *testing.T) {
	share := func(w map[int]float64) float64 {
		m := classifier()
		m.Net = nn.Sequential{&nn.Dense{Units: 3, Activation: nn.Softmax}}
		m.Prepare = prep.Pipeline{&prep.Rescale{Scale: 1. / 2550}} // hardly learns from x
		fit(t, m, kun.FitOptions{Epochs: 10, ClassWeight: w})
		out, err := m.Predict(ctx, blobs(t, 100, 2).Array("x"))
		if err != nil {
			t.Fatal(err)
		}
		s := 0.0
		for i := range 100 {
			s += float64(array.Data[float32](out)[i*3+2])
		}
		return s / 100
	}
	if even, heavy := share(nil), share(map[int]float64{2: 20}); heavy < even+0.2 {
		t.Errorf("the share of class 2 goes from %v to %v with a weight of 20", even, heavy)
	}
}

func TestSummary_IsTheTableOfKeras(t *testing.T) {
	m := classifier()
	if err := m.Summary(new(bytes.Buffer)); err == nil {
		t.Error("a model without weights has a summary")
	}
	if err := m.Build(0, data.Field{Name: "x", DType: array.Uint8, Shape: array.Shape{8}}); err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := m.Summary(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Layer (type)", "0 (Dense)", "(None, 16)", "144", "1 (Dropout)", "2 (Dense)", "(None, 3)", "Total params: 195 (780.00 B)", "Non-trainable params: 0 (0.00 B)"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, b.String())
		}
	}
	y := data.Field{Name: "y", DType: array.Uint8, Shape: array.Shape{}}
	if err := m.Build(0, m.InputFields()[0], y); err == nil || !strings.Contains(err.Error(), `"y"`) {
		t.Errorf("a field that the model does not take: %v", err)
	}
	if err := m.Build(0); err == nil {
		t.Error("built without its input")
	}
	m.Net = newTower()
	if err := m.Build(0, data.Field{Name: "x", DType: array.Uint8, Shape: array.Shape{8}}); err != nil {
		t.Fatal(err)
	}
	rows, err := m.Layers()
	if err != nil || len(rows) != 3 || rows[0].Path != "Blocks.0" || rows[2].Path != "Head" || !rows[1].Output.Equal(array.Shape{0, 16}) {
		t.Errorf("%+v %v", rows, err)
	}
}
