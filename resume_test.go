package kun

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/kun-ml/kun/array"
	"github.com/kun-ml/kun/data"
	"github.com/kun-ml/kun/internal/rng"
	"github.com/kun-ml/kun/loss"
	"github.com/kun-ml/kun/metric"
	"github.com/kun-ml/kun/nn"
	"github.com/kun-ml/kun/optim"
	"github.com/kun-ml/kun/store"
	"github.com/kun-ml/kun/train"
)

// resumeCase is a model with all that a run carries along: dropout, Adam, a schedule, and what callbacks remember.
func resumeCase(t *testing.T) (*Model, *data.Set, func(epochs int) FitOptions) {
	t.Helper()
	r := rng.New(5, "resume")
	x, y := array.New(array.Float32, 70, 6), array.New(array.Int32, 70)
	for i := range array.Data[float32](x) {
		array.Data[float32](x)[i] = float32(r.Normal())
	}
	for i := range array.Data[int32](y) {
		array.Data[int32](y)[i] = int32(r.IntN(3))
	}
	set, err := data.FromArrays(x, y)
	if err != nil {
		t.Fatal(err)
	}
	m := &Model{Net: nn.Sequential{&nn.Dense{Units: 8, Activation: nn.ReLU}, &nn.Dropout{Rate: 0.3}, &nn.Dense{Units: 3}},
		Loss: loss.SparseCategoricalCrossEntropy{FromLogits: true}, Metrics: []metric.Metric{metric.Accuracy{}},
		Optimizer: optim.Adam{Schedule: optim.Cosine{Peak: 0.02, Steps: 40, Warmup: 5}}}
	return m, set, func(epochs int) FitOptions {
		return FitOptions{Epochs: epochs, Batch: 16, Seed: 3, Validate: set, Callbacks: []train.Callback{
			&train.ReduceLROnPlateau{Patience: 1, MinDelta: 0.5, Factor: 0.7}, &train.EarlyStopping{Patience: 50, RestoreBest: true, Mode: train.Max}}}
	}
}

// TestFit_ResumesBitForBit: stopped, saved and loaded or not, four epochs are four epochs.
func TestFit_ResumesBitForBit(t *testing.T) {
	ctx := context.Background()
	m, set, options := resumeCase(t)
	want, err := m.Fit(ctx, set, options(4))
	if err != nil {
		t.Fatal(err)
	}
	hash := m.WeightsSHA256()
	for _, saved := range []bool{false, true} {
		m, set, options := resumeCase(t)
		if _, err := m.Fit(ctx, set, options(2)); err != nil {
			t.Fatal(err)
		}
		if saved {
			dir := filepath.Join(t.TempDir(), "m")
			if err := m.Save(dir); err != nil {
				t.Fatal(err)
			}
			if m, err = Load(dir); err != nil {
				t.Fatal(err)
			}
		}
		o := options(4)
		o.Resume = true
		got, err := m.Fit(ctx, set, o)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got.Figures, want.Figures) || m.WeightsSHA256() != hash {
			t.Errorf("saved %v:\n%v %s\n%v %s", saved, got.Figures, m.WeightsSHA256(), want.Figures, hash)
		}
		if m.Info().Epochs != 4 {
			t.Errorf("%d epochs are noted", m.Info().Epochs)
		}
	}
}

// TestFit_ResumesFromACheckpoint: what a callback saves in the middle of an epoch is enough.
func TestFit_ResumesFromACheckpoint(t *testing.T) {
	ctx := context.Background()
	m, set, options := resumeCase(t)
	dir := filepath.Join(t.TempDir(), "c")
	with := func(o FitOptions) FitOptions {
		o.Callbacks = append(o.Callbacks, &train.Checkpoint{Dir: dir, EverySteps: 7})
		return o
	}
	if _, err := m.Fit(ctx, set, with(options(3))); err != nil {
		t.Fatal(err)
	}
	hash := m.WeightsSHA256()
	m, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	if i := m.Info(); i.Epochs != 2 || len(i.Figures) == 0 || i.Seed != 3 || i.Samples != 70 {
		t.Errorf("the checkpoint tells %+v", i)
	}
	o := with(options(3))
	o.Resume = true
	if _, err := m.Fit(ctx, set, o); err != nil {
		t.Fatal(err)
	}
	if got := m.WeightsSHA256(); got != hash {
		t.Errorf("hash %s, want %s", got, hash)
	}
}

// TestFit_AgainGoesOn: five times one epoch gives the weights of five epochs.
func TestFit_AgainGoesOn(t *testing.T) {
	ctx := context.Background()
	m, set, _ := resumeCase(t)
	if _, err := m.Fit(ctx, set, FitOptions{Epochs: 5, Seed: 2}); err != nil {
		t.Fatal(err)
	}
	hash := m.WeightsSHA256()
	m, set, _ = resumeCase(t)
	for range 5 {
		if _, err := m.Fit(ctx, set, FitOptions{Seed: 2}); err != nil {
			t.Fatal(err)
		}
	}
	if got := m.WeightsSHA256(); got != hash {
		t.Errorf("hash %s, want %s", got, hash)
	}
}

func TestFit_ResumeRefuses(t *testing.T) {
	ctx := context.Background()
	m, set, options := resumeCase(t)
	o := options(2)
	o.Resume = true
	if _, err := m.Fit(ctx, set, o); err == nil || !strings.Contains(err.Error(), "no training to resume") {
		t.Error(err)
	}
	if _, err := m.Fit(ctx, set, options(2)); err != nil {
		t.Fatal(err)
	}
	for want, change := range map[string]func(o *FitOptions){
		"Seed was 3":                func(o *FitOptions) { o.Seed = 4 },
		"Batch was 16":              func(o *FitOptions) { o.Batch = 8 },
		"2 epochs are done already": func(o *FitOptions) { o.Epochs = 2 },
		"NoShuffle was false":       func(o *FitOptions) { o.NoShuffle = true },
		"ClassWeight was":           func(o *FitOptions) { o.ClassWeight = map[int]float64{1: 2} },
		"Optimizer was {\"adam\"":   func(*FitOptions) { m.Optimizer = optim.SGD{} },
		"callback early_stopping":   func(o *FitOptions) { o.Callbacks = nil },
	} {
		adam := m.Optimizer
		o := options(4)
		o.Resume = true
		change(&o)
		if _, err := m.Fit(ctx, set, o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
		m.Optimizer = adam
	}
	o = options(4)
	o.Resume = true
	if h, err := m.Fit(ctx, set, o); err != nil || len(h.Epochs) != 4 || m.Info().Epochs != 4 {
		t.Errorf("what was refused cannot be resumed any more: %v", err)
	}
}

// TestSave_WeightsOnly: the directory predicts, and tells nothing of the training.
func TestSave_WeightsOnly(t *testing.T) {
	m, set, options := resumeCase(t)
	if _, err := m.Fit(context.Background(), set, options(1)); err != nil {
		t.Fatal(err)
	}
	m.WeightsOnly = true
	dir := filepath.Join(t.TempDir(), "m")
	if err := m.Save(dir); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{trainingFile, memoryFile} {
		if _, err := os.Stat(filepath.Join(dir, name)); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s: %v", name, err)
		}
	}
	l, err := Load(dir)
	if err != nil || l.WeightsSHA256() != m.WeightsSHA256() {
		t.Fatal(err)
	}
	o := options(2)
	o.Resume = true
	if _, err := l.Fit(context.Background(), set, o); !errors.As(err, new(*ResumeError)) {
		t.Error(err)
	}
}

// TestLoad_RefusesDamagedProgress: a directory whose hashes are right may still tell nonsense.
func TestLoad_RefusesDamagedProgress(t *testing.T) {
	m, set, options := resumeCase(t)
	if _, err := m.Fit(context.Background(), set, options(1)); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "m")
	if err := m.Save(dir); err != nil {
		t.Fatal(err)
	}
	names, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for _, n := range names {
		if n.Name() == "manifest.json" {
			continue
		}
		if files[n.Name()], err = os.ReadFile(filepath.Join(dir, n.Name())); err != nil {
			t.Fatal(err)
		}
	}
	for what, text := range map[string]string{"no state": `{"seed":1}`, "no JSON": `{`, "no history": `{"state":{"epoch":1}}`,
		"unknown": `{"colour":1}`, "negative": `{"state":{"history":{},"first_epoch":-1}}`} {
		bad := filepath.Join(t.TempDir(), "bad")
		if err := store.WriteDir(bad, func(w *store.DirWriter) error {
			for n, b := range files {
				if n == trainingFile {
					b = []byte(text)
				}
				if err := w.WriteFile(n, b); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		var corrupt *store.CorruptError
		if _, err := Load(bad); !errors.As(err, &corrupt) || filepath.Base(corrupt.Path) != trainingFile {
			t.Errorf("%s: %v", what, err)
		}
	}
}
