package kun_test

import (
	"context"
	"errors"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kun-ml/kun"
	"github.com/kun-ml/kun/array"
	"github.com/kun-ml/kun/data"
	"github.com/kun-ml/kun/loss"
	"github.com/kun-ml/kun/nn"
	"github.com/kun-ml/kun/optim"
	"github.com/kun-ml/kun/prep"
	"github.com/kun-ml/kun/tensor"
	"github.com/kun-ml/kun/train"
)

// answering is a set of four samples with these answers.
func answering(t *testing.T, y ...float32) *data.Set {
	t.Helper()
	x := array.New(array.Float32, len(y), 2)
	for i := range array.Data[float32](x) {
		array.Data[float32](x)[i] = float32(i%3) - 1
	}
	s, err := data.FromArrays(x, array.From(y))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestFit_AnswersThatTheLossCannotCompareWith(t *testing.T) {
	dense := func(units int) nn.Sequential {
		return nn.Sequential{&nn.Dense{Units: units, Activation: nn.Softmax}}
	}
	oneHot := prep.Pipeline{&prep.OneHot{On: "y", Classes: 3}}
	for _, c := range []struct {
		name string
		m    *kun.Model
		y    []float32
		want string // empty: nothing is wrong
	}{
		{"fraction", &kun.Model{Net: dense(3), Loss: loss.SparseCategoricalCrossEntropy{}}, []float32{0, 1, 1.5, 2}, "row 2 is 1.5, which is no class number; for a regression use MeanSquaredError"},
		{"NaN", &kun.Model{Net: dense(3), Loss: loss.SparseCategoricalCrossEntropy{}}, []float32{0, float32(math.NaN())}, "row 1 is NaN"},
		{"pointer", &kun.Model{Net: dense(3), Loss: &loss.SparseCategoricalCrossEntropy{}}, []float32{0, 1, 2, 3}, "row 3 is 3; the model has 3 classes"},
		{"ignored", &kun.Model{Net: dense(3), Loss: loss.SparseCategoricalCrossEntropy{IgnoreClasses: []int{-1}}}, []float32{0, 1, 2, -1}, ""},
		{"beside ignored", &kun.Model{Net: dense(3), Loss: loss.SparseCategoricalCrossEntropy{IgnoreClasses: []int{-1}}}, []float32{0, 1, -1, 7}, "row 3 is 7"},
		{"binary", &kun.Model{Net: nn.Sequential{&nn.Dense{Units: 1, Activation: nn.Sigmoid}}, Loss: loss.BinaryCrossEntropy{}}, []float32{1, 2, 1, 2}, "row 1 is 2; BinaryCrossEntropy compares with answers from 0 to 1: renumber to 0 and 1"},
		{"smooth", &kun.Model{Net: nn.Sequential{&nn.Dense{Units: 1, Activation: nn.Sigmoid}}, Loss: loss.BinaryCrossEntropy{}}, []float32{0, 0.25, 1, 1}, ""},
		{"one-hot", &kun.Model{Net: dense(3), Loss: loss.CategoricalCrossEntropy{}, Prepare: oneHot}, []float32{0, 1, 2, 3}, "class 3"},
		{"numbers", &kun.Model{Net: nn.Sequential{&nn.Dense{Units: 1}}, Loss: loss.MeanSquaredError{}}, []float32{-3, 0.5, 9, 1}, ""},
	} {
		_, err := c.m.Fit(t.Context(), answering(t, c.y...), kun.FitOptions{})
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

// TestFit_OneHotAnswersOfTheValidation: a class above would be a row of zeros, whose loss is 0.
func TestFit_OneHotAnswersOfTheValidation(t *testing.T) {
	m := func() *kun.Model {
		return &kun.Model{Net: nn.Sequential{&nn.Dense{Units: 3, Activation: nn.Softmax}}, Loss: loss.CategoricalCrossEntropy{}, Prepare: prep.Pipeline{&prep.OneHot{On: "y"}}}
	}
	var label *kun.LabelError
	_, err := m().Fit(t.Context(), answering(t, 0, 1, 2), kun.FitOptions{Validate: answering(t, 0, 5)})
	if !errors.As(err, &label) || label.Row != 1 || label.Classes != 3 || !strings.Contains(err.Error(), "validation") {
		t.Errorf("%v", err)
	}
	f := m()
	if _, err := f.Fit(t.Context(), answering(t, 0, 1, 2), kun.FitOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Evaluate(t.Context(), answering(t, 0, 5)); !errors.As(err, &label) {
		t.Errorf("%v", err)
	}
}

func TestSave_ALossHeldByPointer(t *testing.T) {
	m := classifier()
	m.Loss = &loss.SparseCategoricalCrossEntropy{}
	fit(t, m, kun.FitOptions{})
	dir := filepath.Join(t.TempDir(), "m")
	if err := m.Save(dir); err != nil {
		t.Fatal(err)
	}
	if _, err := kun.Load(dir); err != nil {
		t.Error(err)
	}
}

func TestFit_ClassWeightWithIgnoredClasses(t *testing.T) {
	m := &kun.Model{Net: nn.Sequential{&nn.Dense{Units: 3, Activation: nn.Softmax}}, Loss: loss.SparseCategoricalCrossEntropy{IgnoreClasses: []int{-1}}}
	h, err := m.Fit(t.Context(), answering(t, 0, 1, 2, -1), kun.FitOptions{ClassWeight: map[int]float64{1: 2}})
	if err != nil {
		t.Fatal(err)
	}
	if v, _ := h.Last("loss"); !(v > 0 && v < 10) {
		t.Errorf("a loss of %v", v)
	}
}

func TestFit_Warns(t *testing.T) {
	weighted := func(w ...float32) data.Source {
		s := answering(t, 0, 1, 2, 0)
		out, err := data.NewSet(data.Named{Name: "x", Array: s.Array("x")}, data.Named{Name: "y", Array: s.Array("y")}, data.Named{Name: "weight", Array: array.From(w)})
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	for _, c := range []struct {
		src  data.Source
		net  any
		o    kun.FitOptions
		want string
	}{
		{answering(t, 1, 1), nil, kun.FitOptions{Batch: 2}, "all samples are of one class, 1"},
		{answering(t, 1, 0), nil, kun.FitOptions{Batch: 2}, "no sample of the classes 2"},
		{answering(t, 0, 1, 2), nil, kun.FitOptions{Batch: 32}, "a batch of 32 is more than the 3 samples"},
		{weighted(0, 0, 0, 0), nil, kun.FitOptions{Batch: 2}, "all weights are 0"},
		{answering(t, 0, 1, 2), &idle{Used: nn.Dense{Units: 3, Activation: nn.Softmax}, Idle: nn.Dense{Units: 3}}, kun.FitOptions{Batch: 3}, "Idle.Bias takes no part"},
		{answering(t, 0, 1, 2), nil, kun.FitOptions{Batch: 3}, ""},
	} {
		m := &kun.Model{Net: c.net, Loss: loss.SparseCategoricalCrossEntropy{}}
		if c.net == nil {
			m.Net = nn.Sequential{&nn.Dense{Units: 3, Activation: nn.Softmax}}
		}
		h, err := m.Fit(t.Context(), c.src, c.o)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(h.Warnings, "; "); c.want == "" && got != "" || !strings.Contains(got, c.want) {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
	m := &kun.Model{Net: nn.Sequential{&nn.Dense{Units: 3, Activation: nn.Softmax}}, Loss: loss.SparseCategoricalCrossEntropy{}}
	for want, w := range map[string]float32{"a weight of -1": -1, "NaN": float32(math.NaN())} {
		if _, err := m.Fit(t.Context(), weighted(1, 1, w, 1), kun.FitOptions{}); err == nil || !strings.Contains(err.Error(), `field "weight", row 2`) || !strings.Contains(err.Error(), want) {
			t.Errorf("%v", err)
		}
	}
}

// idle has a layer that takes no part.
type idle struct{ Used, Idle nn.Dense }

func (n *idle) Forward(x *tensor.Tensor) *tensor.Tensor { return n.Used.Forward(x) }

func TestFit_NaNIsFoundByRowAndPosition(t *testing.T) {
	x := array.New(array.Float32, 100, 4, 3)
	array.Data[float32](x)[57*12+7] = float32(math.NaN())
	y := array.New(array.Int32, 100)
	set, err := data.FromArrays(x, y)
	if err != nil {
		t.Fatal(err)
	}
	m := &kun.Model{Net: nn.Sequential{&nn.Flatten{}, &nn.Dense{Units: 2, Activation: nn.Softmax}}, Loss: loss.SparseCategoricalCrossEntropy{}}
	_, err = m.Fit(t.Context(), set, kun.FitOptions{Seed: 3})
	var d *train.DivergedError
	if !errors.As(err, &d) || !strings.Contains(err.Error(), `field "x", row 57, position (2, 1): NaN`) {
		t.Errorf("%v", err)
	}
}

// TestSave_FiguresThatAreNotFinite: a loss of the validation that is infinite does not keep a model from being saved.
func TestSave_FiguresThatAreNotFinite(t *testing.T) {
	m := &kun.Model{Net: nn.Sequential{&nn.Dense{Units: 1}}, Loss: loss.MeanSquaredError{}, Optimizer: optim.SGD{LearningRate: 1e-9}}
	bad := answering(t, 1, 2)
	array.Data[float32](bad.Array("x"))[0] = float32(math.Inf(1))
	h, err := m.Fit(t.Context(), answering(t, 1, 2, 3), kun.FitOptions{Validate: bad, KeepGoing: true})
	if err != nil {
		t.Fatal(err)
	}
	if v, _ := h.Last("val_loss"); v-v == 0 {
		t.Fatalf("val_loss is %v", v)
	}
	dir := filepath.Join(t.TempDir(), "m")
	if err := m.Save(dir); err != nil {
		t.Fatal(err)
	}
	l, err := kun.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	if fs := l.Info().Figures; len(fs) != 2 || !math.IsNaN(fs[1].Value) || math.IsNaN(fs[0].Value) {
		t.Errorf("figures %v", fs)
	}
}

func TestFit_AFailureLeavesThePreparationAsItWas(t *testing.T) {
	norm := &prep.Normalize{}
	m := &kun.Model{Net: nn.Sequential{&nn.Dense{Units: 2, Activation: nn.Softmax}}, Loss: loss.SparseCategoricalCrossEntropy{}, Prepare: prep.Pipeline{norm}}
	other, err := data.FromArrays(array.New(array.Float32, 2, 5), array.New(array.Float32, 2))
	if err != nil {
		t.Fatal(err)
	}
	for name, try := range map[string]func() error{
		"labels": func() error { _, err := m.Fit(t.Context(), answering(t, 0, 1, 2), kun.FitOptions{}); return err },
		"validation": func() error {
			_, err := m.Fit(t.Context(), answering(t, 0, 1), kun.FitOptions{Validate: other})
			return err
		},
		"resume": func() error {
			_, err := m.Fit(t.Context(), answering(t, 0, 1), kun.FitOptions{Resume: true})
			return err
		},
	} {
		if err := try(); err == nil || norm.Mean != nil {
			t.Errorf("%s: %v, means %v", name, err, norm.Mean)
		}
	}
	if _, err := m.Fit(t.Context(), answering(t, 0, 1, 1), kun.FitOptions{}); err != nil || len(norm.Mean) != 2 {
		t.Errorf("%v, means %v", err, norm.Mean)
	}
}

func TestFit_LabelsAreNotReadOnOnceTheContextEnds(t *testing.T) {
	c, cancel := context.WithCancel(t.Context())
	cancel()
	m := &kun.Model{Net: nn.Sequential{&nn.Dense{Units: 3, Activation: nn.Softmax}}, Loss: loss.SparseCategoricalCrossEntropy{}}
	if h, err := m.Fit(c, answering(t, 0, 1, 2), kun.FitOptions{}); !errors.Is(err, context.Canceled) || h != nil {
		t.Errorf("%v, %v", h, err)
	}
}
