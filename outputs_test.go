package kun

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kun-ml/kun/array"
	"github.com/kun-ml/kun/data"
	"github.com/kun-ml/kun/loss"
	"github.com/kun-ml/kun/nn"
	"github.com/kun-ml/kun/prep"
	"github.com/kun-ml/kun/tensor"
	"github.com/kun-ml/kun/train"
)

// total is a network whose output has no axis for the samples.
type total struct{ D nn.Dense }

func (n *total) Forward(x *tensor.Tensor) *tensor.Tensor { return n.D.Forward(x).Sum() }

func TestPredict_AnOutputWithoutRows(t *testing.T) {
	m := &Model{Net: &total{nn.Dense{Units: 2}}}
	if err := m.Build(1, data.Field{Name: data.X, DType: array.Float32, Shape: array.Shape{3}}); err != nil {
		t.Fatal(err)
	}
	if _, err := m.Predict(context.Background(), array.New(array.Float32, 4, 3)); err == nil || !strings.Contains(err.Error(), "first axis must be the samples") {
		t.Error(err)
	}
}

// classes makes a set whose labels are given.
func classes(t *testing.T, y ...float32) *data.Set {
	t.Helper()
	x := array.New(array.Float32, len(y), 3)
	for i := range array.Data[float32](x) {
		array.Data[float32](x)[i] = float32(i%5) - 2
	}
	s, err := data.FromArrays(x, array.From(y))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestFit_Labels(t *testing.T) {
	fit := func(l loss.Loss, o FitOptions, y ...float32) (*train.History, error) {
		m := &Model{Net: nn.Sequential{&nn.Dense{Units: 3}}, Loss: l}
		return m.Fit(context.Background(), classes(t, y...), o)
	}
	logits := loss.SparseCategoricalCrossEntropy{FromLogits: true}
	if _, err := fit(logits, FitOptions{}, 0, 0.5, 2); err == nil || !strings.Contains(err.Error(), "row 1 is 0.5") || !strings.Contains(err.Error(), "regression") {
		t.Error(err)
	}
	var label *LabelError
	if _, err := fit(&logits, FitOptions{}, 0, 1, 3); !errors.As(err, &label) || label.Row != 2 {
		t.Errorf("by a pointer: %v", err)
	}
	ignoring := logits
	ignoring.IgnoreClasses = []int{-1}
	if _, err := fit(ignoring, FitOptions{}, 0, -1, 7); !errors.As(err, &label) || label.Label != 7 {
		t.Errorf("ignoring -1: %v", err)
	}
	h, err := fit(ignoring, FitOptions{ClassWeight: map[int]float64{1: 5}}, 0, -1, 1, 2)
	if l, _ := h.Last("loss"); err != nil || l != l {
		t.Errorf("class weights beside ignored classes: loss %v, %v", l, err)
	}
}

// TestSave_ALossByPointer: it is the loss that it points at.
func TestSave_ALossByPointer(t *testing.T) {
	m := &Model{Net: nn.Sequential{&nn.Dense{Units: 3}}, Loss: &loss.SparseCategoricalCrossEntropy{FromLogits: true}}
	if _, err := m.Fit(context.Background(), classes(t, 0, 1, 2), FitOptions{}); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "m")
	if err := m.Save(dir); err != nil {
		t.Fatal(err)
	}
	m, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	if l, ok := m.Loss.(loss.SparseCategoricalCrossEntropy); !ok || !l.FromLogits {
		t.Errorf("%#v", m.Loss)
	}
}

// TestSave_AFigureThatIsNoNumber: what was learnt is not lost for it.
func TestSave_AFigureThatIsNoNumber(t *testing.T) {
	m := &Model{Net: nn.Sequential{&nn.Dense{Units: 1}}, Loss: loss.MeanSquaredError{}}
	set := classes(t, 1e30, 2, 3)
	if _, err := m.Fit(context.Background(), set, FitOptions{KeepGoing: true, Validate: set}); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "m")
	if err := m.Save(dir); err != nil {
		t.Fatal(err)
	}
	m, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	if f := m.Info().Figures; len(f) != 2 || f[0].Value-f[0].Value == 0 {
		t.Errorf("%v", f)
	}
}

// TestFit_RefusedDataLeaveNothingBehind: the numbers of data that Fit refused are not those of the next ones.
func TestFit_RefusedDataLeaveNothingBehind(t *testing.T) {
	norm := &prep.Normalize{}
	m := &Model{Net: nn.Sequential{&nn.Dense{Units: 3}}, Prepare: prep.Pipeline{norm}, Loss: loss.SparseCategoricalCrossEntropy{FromLogits: true}}
	if _, err := m.Fit(context.Background(), classes(t, 0, 1, 9, 2), FitOptions{}); err == nil {
		t.Fatal("a label of 9 was taken")
	}
	if norm.Mean != nil {
		t.Errorf("the mean %v of refused data was kept", norm.Mean)
	}
	if _, err := m.Fit(context.Background(), classes(t, 0, 1, 2), FitOptions{}); err != nil || norm.Mean == nil {
		t.Error(err, norm.Mean)
	}
}

// spare is a network with a layer that it does not use.
type spare struct{ Used, Idle nn.Dense }

func (n *spare) Forward(x *tensor.Tensor) *tensor.Tensor { return n.Used.Forward(x) }

func TestFit_WarnsOfWhatIsRarelyMeant(t *testing.T) {
	m := &Model{Net: &spare{nn.Dense{Units: 3}, nn.Dense{Units: 3}}, Loss: loss.SparseCategoricalCrossEntropy{FromLogits: true}}
	h, err := m.Fit(context.Background(), classes(t, 0, 1, 2), FitOptions{Batch: 8})
	if err != nil {
		t.Fatal(err)
	}
	all := strings.Join(h.Warnings, "\n")
	for _, want := range []string{"Idle.Kernel takes no part", "a batch of 8 is more than the 3 samples"} {
		if !strings.Contains(all, want) {
			t.Errorf("no warning %q in %q", want, all)
		}
	}
	if strings.Contains(all, "Used.") {
		t.Errorf("%q", all)
	}
}
