package train

import (
	"context"
	"encoding/csv"
	"errors"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/kun-ml/kun/array"
	"github.com/kun-ml/kun/data"
	"github.com/kun-ml/kun/loss"
	"github.com/kun-ml/kun/metric"
	"github.com/kun-ml/kun/nn"
	"github.com/kun-ml/kun/optim"
	"github.com/kun-ml/kun/tensor"
)

// line is a step that fits one weight to y = 2x, with plain descent of rate 1/8 and a metric, and its data: ten batches.
func line(t *testing.T, rate float64) (*Step, *data.Batches, *Evaluator) {
	t.Helper()
	x, y := array.New(array.Float32, 40, 1), array.New(array.Float32, 40, 1)
	for i := range 40 {
		array.Data[float32](x)[i] = float32(i%5)/4 - 0.5
		array.Data[float32](y)[i] = 2 * array.Data[float32](x)[i]
	}
	set, err := data.FromArrays(x, y)
	if err != nil {
		t.Fatal(err)
	}
	net := nn.Sequential{&nn.Dense{Units: 1, NoBias: true, KernelInit: nn.Zeros}}
	c := Config{Model: net, Batch: 4, Optimizer: optim.SGD{LearningRate: rate}, Loss: func(in *Inputs) *tensor.Tensor {
		y := net.Forward(in.X)
		in.Measure(metric.MeanAbsoluteError{As: "mae"}, y, in.Y, nil)
		in.Measure(metric.BinaryAccuracy{As: "right"}, y, in.Y, nil)
		y.Report("size", y.Square().Mean())
		return loss.MeanSquaredError{}.Loss(y, in.Y)
	}}
	step, err := NewStep(c, set.Fields())
	if err != nil {
		t.Fatal(err)
	}
	b, err := data.NewBatches(set, data.Options{Batch: 4})
	if err != nil {
		t.Fatal(err)
	}
	c.Vars = step.Vars()
	e, err := NewEvaluator(c, set.Fields())
	if err != nil {
		t.Fatal(err)
	}
	return step, b, e
}

// play tells a callback of epochs whose val_loss is given, with the epoch's number as the weight of a real step. It
// gives the number of epochs done, the weight in the end and the learning rate after each epoch.
func play(t *testing.T, c Callback, values []float64) (epochs int, weight float64, rates []float64, r *Run) {
	t.Helper()
	step, _, _ := line(t, 1)
	r = &Run{Epochs: len(values), step: step, history: &History{}, lock: new(noLock), validates: true}
	w := step.Vars()["0.Kernel"]
	check := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	check(c.BeginRun(r))
	for e, v := range values {
		r.Epoch, r.Figures = e, []Figure{{"loss", 1}, {"val_loss", v}}
		array.Data[float32](w.Value)[0] = float32(e)
		check(c.EndEpoch(r))
		rates = append(rates, r.LearningRate())
		if r.stopped {
			break
		}
	}
	check(c.EndRun(r))
	return len(rates), w.Value.Float64s()[0], rates, r
}

type noLock struct{}

func (noLock) Lock()   {}
func (noLock) Unlock() {}

// TestEarlyStopping_KerasSequences holds what Keras 3.15.1 does with the same figures: the epochs that it runs and the
// epoch whose weights it restores.
func TestEarlyStopping_KerasSequences(t *testing.T) {
	for _, c := range []struct {
		c                EarlyStopping
		values           []float64
		epochs, restored int
	}{
		{EarlyStopping{}, []float64{0.5, 0.39, 0.07, 0.37, 0.5, 0.75}, 4, 2},
		{EarlyStopping{}, []float64{0.95, 0.75, 0.5, 0.5, 0.5}, 4, 2},
		{EarlyStopping{Patience: 1}, []float64{0.5, 0.75, 0.75}, 2, 0},
		{EarlyStopping{Patience: 2}, []float64{0.75, 0.7, 0.25, 0.75, 0.75, 0.25}, 5, 2},
		{EarlyStopping{Patience: 2}, []float64{0.5, 0.75, 0.75, 0.75}, 3, 0},
		{EarlyStopping{Patience: 3, MinDelta: 0.1}, []float64{0.5, 0.5, 0.5, 0.5, 0.26}, 4, 0},
		{EarlyStopping{Patience: 3, MinDelta: 0.1}, []float64{0.75, 0.75, 0.06, 0.75, 0.25, 0.6, 0.5}, 6, 2},
		{EarlyStopping{Patience: 2, Baseline: 0.4}, []float64{0.75, 0.25, 0.25, 0.47, 0.75}, 4, 1},
		{EarlyStopping{Patience: 2, Baseline: 0.4}, []float64{0.5, 0.25, 0.15, 0.25, 0.98, 0.25}, 5, 2},
		{EarlyStopping{Patience: 1, StartFromEpoch: 3}, []float64{0.5, 0.75, 0.5, 0.75, 0.36, 0.25, 0.5, 0.25}, 7, 5},
		{EarlyStopping{Patience: 1, StartFromEpoch: 3}, []float64{0.25, 0.08, 0.5, 0.75, 0.62, 0.25, 0.8, 0.83}, 7, 5},
		{EarlyStopping{Patience: 2, Mode: Max}, []float64{0.5, 0.25, 0.75, 0.46, 0.5, 0.99}, 5, 2},
		{EarlyStopping{Patience: 2, Mode: Max}, []float64{0.25, 0.5, 0.02, 0.5, 0.5}, 4, 1},
		{EarlyStopping{Patience: 2, Mode: Max, MinDelta: 0.2, Baseline: 0.5}, []float64{0.75, 0.83, 0.25, 0.75}, 3, 0},
		{EarlyStopping{Patience: 2, Mode: Max, MinDelta: 0.2, Baseline: 0.5}, []float64{0.62, 0.25, 0.75}, 2, 0},
		{EarlyStopping{Baseline: 0.1}, []float64{0.5, 0.75, 0.75}, 2, 0},
		{EarlyStopping{Baseline: 0.1}, []float64{0.75, 0.25, 0.5, 0.25}, 3, 1},
		{EarlyStopping{Patience: 5}, []float64{3, 2, 2.5, 2.6}, 4, 1}, // restored without an early stop
	} {
		c.c.RestoreBest = true
		epochs, weight, _, r := play(t, &c.c, c.values)
		if epochs != c.epochs || weight != float64(c.restored) {
			t.Errorf("%+v %v: %d epochs, weights of %v; want %d, %d", c.c, c.values, epochs, weight, c.epochs, c.restored)
		}
		if stopped := epochs < len(c.values); stopped != r.stopped || stopped != (c.c.Stopped() == epochs) || stopped != strings.Contains(r.stop, "early stopping: val_loss") {
			t.Errorf("%v: stopped %v, %d, %q", c.values, r.stopped, c.c.Stopped(), r.stop)
		}
	}
}

func TestEarlyStopping_NaNIsNoImprovement(t *testing.T) {
	nan := math.NaN()
	c := EarlyStopping{Patience: 2, RestoreBest: true}
	if epochs, weight, _, _ := play(t, &c, []float64{nan, 3, nan, 2, nan, nan, 1}); epochs != 6 || weight != 3 {
		t.Errorf("%d epochs, weights of %v; want 6, 3", epochs, weight)
	}
	if v, e := c.Best(); v != 2 || e != 3 {
		t.Errorf("best %v at %d", v, e)
	}
	if epochs, _, _, r := play(t, &c, []float64{nan, nan, nan}); epochs != 2 || !strings.Contains(r.stop, "never a number") {
		t.Errorf("%d epochs, %q", epochs, r.stop)
	}
	if _, weight, _, _ := play(t, &EarlyStopping{Patience: 1}, []float64{1, 2}); weight != 1 {
		t.Errorf("weights of %v without RestoreBest, want 1", weight)
	}
}

// TestReduceLROnPlateau_KerasSequences holds the learning rates of Keras 3.15.1 after each epoch, from 1.
func TestReduceLROnPlateau_KerasSequences(t *testing.T) {
	for _, c := range []struct {
		c      ReduceLROnPlateau
		values []float64
		want   []float64
	}{
		{ReduceLROnPlateau{Patience: 1}, []float64{0.75, 0.75, 0.5, 0.36, 0.72}, []float64{1, 0.1, 0.1, 0.1, 0.01}},
		{ReduceLROnPlateau{Patience: 2, Factor: 0.5}, []float64{0.43, 0.27, 0.25, 0.5, 0.07, 0.25, 0.75, 0.25, 0.62}, []float64{1, 1, 1, 1, 1, 1, 0.5, 0.5, 0.25}},
		{ReduceLROnPlateau{Patience: 2, Factor: 0.5}, []float64{0.5, 0.5, 0.5, 0.25, 0.5, 0.5, 0.27, 0.99, 0.5}, []float64{1, 1, 0.5, 0.5, 0.5, 0.25, 0.25, 0.125, 0.125}},
		{ReduceLROnPlateau{Patience: 2, Factor: 0.5, Cooldown: 2}, []float64{0.5, 0.93, 0.75, 0.75, 0.25, 0.5, 0.5, 0.25, 0.5}, []float64{1, 1, 0.5, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25}},
		{ReduceLROnPlateau{Patience: 2, Factor: 0.5, Cooldown: 2}, []float64{0.25, 0.43, 0.75, 0.25, 0.25, 0.5, 0.75, 0.25, 0.25}, []float64{1, 1, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.125}},
		{ReduceLROnPlateau{Patience: 1, Factor: 0.5, MinRate: 0.3}, []float64{0.25, 0.5, 0.75, 0.25, 0.5}, []float64{1, 0.5, 0.3, 0.3, 0.3}},
		{ReduceLROnPlateau{Patience: 2, Factor: 0.5, Mode: Max, MinDelta: 0.1}, []float64{0.09, 0.25, 0.75, 0.84, 0.5, 0.49, 0.46, 0.75, 0.66}, []float64{1, 1, 1, 1, 0.5, 0.5, 0.25, 0.25, 0.125}},
		{ReduceLROnPlateau{Patience: 1, Factor: 0.5, MinDelta: nn.Zero}, []float64{0.25, 0.5, 0.01, 0.49, 0.75}, []float64{1, 0.5, 0.5, 0.25, 0.125}},
		{ReduceLROnPlateau{}, []float64{1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2}, []float64{1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0.1}},
	} {
		_, _, rates, _ := play(t, &c.c, c.values)
		for i, want := range c.want {
			if math.Abs(rates[i]-want) > 1e-12 {
				t.Errorf("%+v %v: rates %v, want %v", c.c, c.values, rates, c.want)
				break
			}
		}
	}
}

func TestMonitor_FindsItsFigure(t *testing.T) {
	step, _, _ := line(t, 1)
	for _, c := range []struct {
		name      string
		mode      Mode
		validates bool
		rises     bool
		want      string // the figure, or what the error says
	}{
		{"", "", true, false, "val_loss"}, {"", "", false, false, "loss"}, {"mae", "", false, false, "mae"}, {"val_right", "", true, true, "val_right"},
		{"right", Min, false, false, "right"}, {"0.Kernel.size", Max, false, true, "0.Kernel.size"}, {"loss", Max, false, true, "loss"},
		{"0.Kernel.size", "", false, false, `is "0.Kernel.size" better when it rises`}, {"val_loss", "", false, false, "nothing is validated"},
		{"accuracy", "", true, false, `no figure "accuracy", the figures are loss, mae, right, 0.Kernel.size, val_loss, val_mae, val_right`},
		{"loss", "low", false, false, `unknown mode "low"`},
	} {
		r := &Run{step: step, validates: c.validates}
		var m monitor
		err := m.begin(r, "test", c.name, c.mode, 0)
		if err == nil && (m.name != c.want || m.rises != c.rises) || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q %q: %q rises %v, %v; want %q", c.name, c.mode, m.name, m.rises, err, c.want)
		}
	}
}

// saver writes a file into the directory that it is told to save to.
func saver(saved *[]string) func(dir string, s *State) error {
	return func(dir string, _ *State) error {
		*saved = append(*saved, filepath.Base(dir))
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(dir, "saved"), nil, 0o644)
	}
}

func TestCheckpoint(t *testing.T) {
	for _, c := range []struct {
		c    Checkpoint
		want []string
	}{
		{Checkpoint{Dir: "a/m"}, []string{"m", "m", "m", "m"}},
		{Checkpoint{Dir: "m-{epoch}-{val_loss}"}, []string{"m-1-3.0000", "m-2-2.0000", "m-3-2.5000", "m-4-1.5000"}},
		{Checkpoint{Dir: "{epoch}", Best: true}, []string{"1", "2", "4"}},
		{Checkpoint{Dir: "{epoch}", Best: true, Mode: Max}, []string{"1"}},
		{Checkpoint{Dir: "{epoch}", Best: true, Threshold: 2.2}, []string{"2", "4"}},
		{Checkpoint{Dir: "{epoch}", Best: true, Threshold: nn.Zero}, nil},
	} {
		var saved []string
		step, _, _ := line(t, 1)
		r := &Run{Epochs: 4, step: step, history: &History{}, validates: true, save: saver(&saved)}
		c.c.Dir = filepath.Join(t.TempDir(), c.c.Dir)
		if err := c.c.BeginRun(r); err != nil {
			t.Fatal(err)
		}
		for e, v := range []float64{3, 2, 2.5, 1.5} {
			r.Epoch, r.Figures = e, []Figure{{"loss", 1}, {"val_loss", v}}
			if err := c.c.EndEpoch(r); err != nil {
				t.Fatal(err)
			}
		}
		if !slices.Equal(saved, c.want) {
			t.Errorf("%+v: saved %v, want %v", c.c, saved, c.want)
		}
		if len(c.want) > 0 && filepath.Base(c.c.Last()) != c.want[len(c.want)-1] {
			t.Errorf("last is %s", c.c.Last())
		}
	}
}

func TestCheckpoint_MistakesAreFoundBeforeTheFirstEpoch(t *testing.T) {
	step, _, _ := line(t, 1)
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	save := func(string, *State) error { return nil }
	for _, c := range []struct {
		c    Checkpoint
		save func(string, *State) error
		want string
	}{
		{Checkpoint{}, save, "Dir is not set"}, {Checkpoint{Dir: "x", Best: true, EverySteps: 3}, save, "does not go with"},
		{Checkpoint{Dir: "x", EverySteps: -1}, save, "negative"}, {Checkpoint{Dir: "{loss"}, save, "without a }"},
		{Checkpoint{Dir: "{acc}"}, save, `no figure "acc"`}, {Checkpoint{Dir: "x", Best: true, Monitor: "acc"}, save, `no figure "acc"`},
		{Checkpoint{Dir: "{val_loss}", EverySteps: 2}, save, `no figure "val_loss"`},
		{Checkpoint{Dir: dir}, save, "the folder is not empty"}, {Checkpoint{Dir: filepath.Join(file, "x")}, save, "file"},
		{Checkpoint{Dir: filepath.Join(dir, "x")}, nil, "does not know how to save"},
	} {
		r := &Run{Epochs: 1, step: step, validates: true, save: c.save}
		if err := c.c.BeginRun(r); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v, want %s", c.c, err, c.want)
		}
	}
}

func TestCheckpoint_AFailedSaveIsAnError(t *testing.T) {
	step, _, _ := line(t, 1)
	full := errors.New("no room")
	r := &Run{Epochs: 1, step: step, history: &History{}, Figures: []Figure{{"loss", 1}}, save: func(string, *State) error { return full }}
	c := Checkpoint{Dir: t.TempDir()}
	if err := c.BeginRun(r); err != nil {
		t.Fatal(err)
	}
	if err := c.EndEpoch(r); !errors.Is(err, full) || !strings.Contains(err.Error(), "checkpoint after epoch 1") || c.Last() != "" {
		t.Errorf("%v, last %q", err, c.Last())
	}
}

func TestLoop_CallbacksInARealRun(t *testing.T) {
	step, batches, eval := line(t, 0.125)
	dir := t.TempDir()
	var saved []string
	early := &EarlyStopping{MinDelta: 0.5, Patience: 2, RestoreBest: true}
	log := &CSVLog{Path: filepath.Join(dir, "log.csv")}
	check := &Checkpoint{Dir: filepath.Join(dir, "{epoch}"), EverySteps: 15}
	h, err := Loop(context.Background(), step, batches, Options{Epochs: 50, Evaluate: eval, Validation: batches, Save: saver(&saved),
		Callbacks: []Callback{early, log, check, TerminateOnNaN{}}})
	if err != nil {
		t.Fatal(err)
	}
	if len(h.Epochs) != 3 || h.Stopped == "" || early.Stopped() != 3 {
		t.Fatalf("%d epochs, %q", len(h.Epochs), h.Stopped)
	}
	if !slices.Equal(saved, []string{"02", "03"}) {
		t.Errorf("saved %v", saved)
	}
	fs, err := eval.Run(context.Background(), batches)
	if err != nil || math.Abs(fs[0].Value-h.Figures["val_loss"][0]) > 1e-9 {
		t.Errorf("after restoring, the loss is %v, at the best epoch it was %v (%v)", fs[0].Value, h.Figures["val_loss"][0], err)
	}
	f, err := os.Open(log.Path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil || len(rows) != 4 || strings.Join(rows[0], ",") != "epoch,loss,mae,right,0.Kernel.size,val_loss,val_mae,val_right,learning_rate,seconds" || rows[3][0] != "2" {
		t.Errorf("%v, %v", rows, err)
	}
}

func TestTerminateOnNaN_EndsWithoutAnError(t *testing.T) {
	step, batches, _ := line(t, 1e30)
	last := &recorder{}
	h, err := Loop(context.Background(), step, batches, Options{Epochs: 5, KeepGoing: true, Callbacks: []Callback{TerminateOnNaN{}, last}})
	if err != nil || len(h.Epochs) != 1 || !strings.Contains(h.Stopped, "the loss is") {
		t.Errorf("%d epochs, %q, %v", len(h.Epochs), h.Stopped, err)
	}
	if last.epochs != 1 || last.runs != 1 {
		t.Errorf("callbacks after it saw %d epochs and %d ends", last.epochs, last.runs)
	}
	step, batches, _ = line(t, 1e30)
	var diverged *DivergedError
	if _, err := Loop(context.Background(), step, batches, Options{Callbacks: []Callback{TerminateOnNaN{}}}); !errors.As(err, &diverged) {
		t.Errorf("without KeepGoing: %v", err)
	}
}

type recorder struct {
	Base
	epochs, runs int
}

func (r *recorder) EndEpoch(*Run) error { r.epochs++; return nil }
func (r *recorder) EndRun(*Run) error   { r.runs++; return nil }

const csvHead = "epoch,loss,mae,right,0.Kernel.size,learning_rate,seconds\n"

func readAll(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestCSVLog_Appends(t *testing.T) {
	step, _, _ := line(t, 0.125)
	path := filepath.Join(t.TempDir(), "log.csv")
	for _, c := range []struct {
		append bool
		before string // set the file to this first
		epoch  int
		want   string
	}{
		{true, "", 0, csvHead + "0,0.5,NA,NA,NA,0.125,0\n"},
		{true, "", 1, csvHead + "0,0.5,NA,NA,NA,0.125,0\n1,0.5,NA,NA,NA,0.125,0\n"},
		{true, csvHead + "0,0.5,0.1", 1, csvHead + "0,0.5,0.1\n1,0.5,NA,NA,NA,0.125,0\n"},
		{false, "", 2, csvHead + "2,0.5,NA,NA,NA,0.125,0\n"},
	} {
		if c.before != "" {
			if err := os.WriteFile(path, []byte(c.before), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		before, _ := os.ReadFile(path)
		log := &CSVLog{Path: path, Append: c.append}
		r := &Run{Epoch: c.epoch, step: step, Figures: []Figure{{"loss", 0.5}}}
		if err := log.BeginRun(r); err != nil {
			t.Fatal(err)
		}
		if got := readAll(t, path); got != string(before) {
			t.Errorf("the file changed before the first line: %q", got)
		}
		if err := errors.Join(log.EndEpoch(r), log.EndRun(r)); err != nil || readAll(t, path) != c.want {
			t.Errorf("%v; %q, want %q", err, readAll(t, path), c.want)
		}
	}
	c := &CSVLog{Path: path}
	r := &Run{step: step, Figures: []Figure{{"loss", math.NaN()}}}
	if err := errors.Join(c.BeginRun(r), c.EndEpoch(r)); err != nil {
		t.Fatal(err)
	}
	r.Figures = nil
	if err := errors.Join(c.EndEpoch(r), c.EndRun(r)); err != nil || readAll(t, path) != csvHead+"0,NaN,NA,NA,NA,0.125,0\n0,NA,NA,NA,NA,0.125,0\n" {
		t.Errorf("%v; %q", err, readAll(t, path))
	}
}

func TestCSVLog_MistakesAreFoundBeforeTheFirstEpoch(t *testing.T) {
	step, _, _ := line(t, 0.125)
	path := filepath.Join(t.TempDir(), "log.csv")
	if err := os.WriteFile(path, []byte("epoch,loss\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		c    CSVLog
		want string
	}{
		{CSVLog{Path: path, Append: true}, "has the columns"}, {CSVLog{Path: filepath.Join(path, "x")}, "log.csv"}, {CSVLog{}, "Path is not set"},
	} {
		if err := c.c.BeginRun(&Run{step: step}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v, want %s", c.c, err, c.want)
		}
	}
}

func TestCallbacks_RoundTrip(t *testing.T) {
	for _, c := range []struct {
		c    Callback
		want string
	}{
		{&EarlyStopping{Monitor: "val_mae", Mode: Min, Patience: 3, Baseline: nn.Zero, RestoreBest: true}, `{"early_stopping":{"monitor":"val_mae","mode":"min","patience":3,"baseline":0,"restore_best":true}}`},
		{&Checkpoint{Dir: "x/{epoch}", Best: true}, `{"checkpoint":{"dir":"x/{epoch}","best":true}}`},
		{&ReduceLROnPlateau{Factor: 0.5, MinDelta: nn.Zero, MinRate: 1e-5}, `{"reduce_lr_on_plateau":{"factor":0.5,"min_delta":0,"min_rate":1e-05}}`},
		{&CSVLog{Path: "a.csv", Append: true}, `{"csv_log":{"path":"a.csv","append":true}}`},
		{&TerminateOnNaN{}, `{"terminate_on_nan":{}}`},
	} {
		b, err := Callbacks.Marshal(c.c)
		if err != nil || string(b) != c.want {
			t.Errorf("%s, %v; want %s", b, err, c.want)
			continue
		}
		if back, err := Callbacks.Unmarshal(b); err != nil || !reflect.DeepEqual(back, c.c) {
			t.Errorf("%s: %+v, %v", b, back, err)
		}
	}
}
