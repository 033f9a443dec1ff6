package train

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/kun-ml/kun/data"
	"github.com/kun-ml/kun/loss"
	"github.com/kun-ml/kun/metric"
	"github.com/kun-ml/kun/nn"
	"github.com/kun-ml/kun/tensor"
)

func TestHistory_KeepsWhatIsNotFinite(t *testing.T) {
	h := &History{Warnings: []string{"w"}}
	h.add(0, 1, []Figure{{"loss", 1.5}, {"val_loss", math.NaN()}})
	h.add(1, 1, []Figure{{"loss", math.Inf(1)}, {"val_loss", 2}})
	b, err := json.Marshal(h)
	if err != nil {
		t.Fatal(err)
	}
	back := new(History)
	if err := json.Unmarshal(b, back); err != nil {
		t.Fatal(err)
	}
	if v := back.Figures["val_loss"]; !math.IsNaN(v[0]) || v[1] != 2 || back.Figures["loss"][0] != 1.5 || !back.whole(2) || back.Warnings[0] != "w" {
		t.Errorf("%s gives %+v", b, back)
	}
}

// ender notes how it ends and fails where it shall.
type ender struct {
	Base
	begin, end error
	ends       []int // Run.Epoch at each end
	figures    int
}

func (e *ender) BeginRun(*Run) error { return e.begin }
func (e *ender) EndRun(r *Run) error {
	e.ends, e.figures = append(e.ends, r.Epoch), len(r.Figures)
	return e.end
}

func TestLoop_EndsThoseThatBegan(t *testing.T) {
	a, b := errors.New("a"), errors.New("b")
	first, second, third := &ender{end: a}, &ender{begin: b}, &ender{}
	step, batches, _ := line(t, 0.1)
	_, err := Loop(context.Background(), step, batches, Options{Callbacks: []Callback{first, second, third}})
	if !errors.Is(err, a) || !errors.Is(err, b) || len(first.ends) != 1 || len(second.ends)+len(third.ends) != 0 {
		t.Errorf("%v; ends %v %v %v", err, first.ends, second.ends, third.ends)
	}
	first, second = &ender{end: a}, &ender{end: b}
	_, err = Loop(context.Background(), step, batches, Options{Epochs: 3, Callbacks: []Callback{first, second}})
	if !errors.Is(err, a) || !errors.Is(err, b) || !slices.Equal(first.ends, []int{2}) || !slices.Equal(second.ends, []int{2}) || second.figures != 4 {
		t.Errorf("%v; ends %v %v", err, first.ends, second.ends)
	}
}

func TestEarlyStopping_ServesASecondRunThatFails(t *testing.T) {
	step, batches, _ := line(t, 0.1)
	early := &EarlyStopping{RestoreBest: true, Patience: 3}
	if _, err := Loop(context.Background(), step, batches, Options{Callbacks: []Callback{early}}); err != nil {
		t.Fatal(err)
	}
	if early.have || early.weights != nil {
		t.Error("it still holds weights of the run before")
	}
	if err := early.EndRun(&Run{step: step, lock: new(noLock)}); err != nil {
		t.Error(err)
	}
}

func TestLoop_RefusesHalfAValidation(t *testing.T) {
	step, batches, eval := line(t, 0.1)
	for _, o := range []Options{{Evaluate: eval}, {Validation: batches}} {
		if _, err := Loop(context.Background(), step, batches, o); err == nil || !strings.Contains(err.Error(), "both or none") {
			t.Errorf("%v", err)
		}
	}
}

func TestLoop_APanicLeavesNothingLocked(t *testing.T) {
	step, batches, _ := line(t, 0.1)
	step.run.Outputs = nil
	var l counted
	func() {
		defer func() { _ = recover() }()
		step.c = nil // the step panics
		_, _ = Loop(context.Background(), step, batches, Options{Lock: &l, KeepGoing: true})
		t.Error("no panic")
	}()
	if l.n != 0 {
		t.Error("the lock is held")
	}
}

type counted struct{ n int }

func (c *counted) Lock()   { c.n++ }
func (c *counted) Unlock() { c.n-- }

func TestStep_TwoFiguresOfOneName(t *testing.T) {
	_, batches, _ := line(t, 0.1)
	net := nn.Sequential{&nn.Dense{Units: 1, NoBias: true}}
	for _, names := range [][]string{{"a", "a"}, {"loss"}, {"0.Kernel.size"}} {
		c := Config{Model: net, Loss: func(in *Inputs) *tensor.Tensor {
			y := net.Forward(in.X)
			for _, n := range names {
				in.Measure(metric.MeanAbsoluteError{As: n}, y, in.Y, nil)
			}
			y.Report("size", y.Mean())
			return loss.MeanSquaredError{}.Loss(y, in.Y)
		}}
		if s, err := NewStep(c, fieldsOf(batches)); s != nil || err == nil || !strings.Contains(err.Error(), "two figures are named") {
			t.Errorf("%v: %v", names, err)
		}
		if names[0] == "0.Kernel.size" {
			continue
		}
		if e, err := NewEvaluator(c, fieldsOf(batches)); e != nil || err == nil || !strings.Contains(err.Error(), "two figures are named") {
			t.Errorf("%v: %v, %v", names, e, err)
		}
	}
}

func fieldsOf(b *data.Batches) []data.Field {
	for batch := range b.Epoch(context.Background(), 0, 0) {
		return batch.Fields
	}
	return nil
}
