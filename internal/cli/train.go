package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/kun-ml/kun"
	"github.com/kun-ml/kun/data"
	"github.com/kun-ml/kun/internal/cli/machine"
	"github.com/kun-ml/kun/internal/cli/term"
	"github.com/kun-ml/kun/internal/cpu"
	"github.com/kun-ml/kun/metric"
	"github.com/kun-ml/kun/store"
	"github.com/kun-ml/kun/train"
)

// outcome is the object of --json for train, eval and demo.
type outcome struct {
	envelope
	Dataset         string             `json:"dataset"`
	TrainSamples    int                `json:"train_samples"`
	TestSamples     int                `json:"test_samples"`
	Epochs          int                `json:"epochs"`
	Loss            float64            `json:"loss"`
	Accuracy        float64            `json:"accuracy"`
	Figures         map[string]float64 `json:"figures"`
	SecondsTotal    float64            `json:"seconds_total"`
	SecondsPerEpoch []float64          `json:"seconds_per_epoch"`
	PeakRSS         uint64             `json:"peak_rss_bytes"`
	Parameters      int                `json:"parameters"`
	Threads         int                `json:"threads"`
	CPULevel        string             `json:"cpu_level"`
	Seed            uint64             `json:"seed"`
	WeightsSHA256   string             `json:"weights_sha256"`
	Model           string             `json:"model"`
	Interrupted     bool               `json:"interrupted,omitempty"`
}

func (a *app) trainCommand() *cobra.Command {
	var dir, out string
	var sets []string
	var epochs int
	var show, dry bool
	c := &cobra.Command{
		Use:   "train CONFIG.yaml",
		Short: "train the model that a configuration describes",
		Args:  args("CONFIG.yaml"),
		RunE: func(cmd *cobra.Command, arg []string) error {
			r, dec, origins, err := a.readRecipe(arg[0], sets)
			if err != nil {
				return err
			}
			if epochs > 0 {
				r.Train.Epochs = epochs
			}
			if show {
				return dec.Print(a.out, r, origins)
			}
			return a.train(cmd.Context(), r, dir, out, dry)
		},
	}
	f := c.Flags()
	f.StringVar(&dir, "data", "", "folder with the files of the data set; default: KUN_DATA, then the cache")
	f.StringVar(&out, "out", "model", "folder for the model")
	f.StringArrayVar(&sets, "set", nil, "change a setting, such as optimizer.adam.learning_rate=3e-4")
	f.IntVar(&epochs, "epochs", 0, "how often to go through the data; 0: as configured")
	f.BoolVar(&show, "print-config", false, "show every setting and where it comes from; train nothing")
	f.BoolVar(&dry, "dry-run", false, "try two steps, an evaluation, and saving and loading; keep nothing")
	return c
}

// train loads, trains, evaluates and saves.
func (a *app) train(ctx context.Context, r *recipe, dir, out string, dry bool) error {
	begin := time.Now()
	if err := store.CheckTarget(out); err != nil && !dry {
		return coded(Resources, err)
	}
	tr, te, err := r.Data.load(ctx, a, dir)
	if err != nil {
		return err
	}
	if dry {
		tr = data.Head(tr, 2*r.Train.BatchSize)
		r.Train.Epochs = 1
	}
	m := r.model(a.threads)
	o := kun.FitOptions{Epochs: r.Train.Epochs, Batch: r.Train.BatchSize, Seed: r.Train.Seed, NoShuffle: r.Train.NoShuffle, Freeze: r.Train.Freeze, Validate: te}
	return a.fit(ctx, m, tr, te, o, out, begin, "train", dry)
}

// fit trains a model, saves it and reports.
func (a *app) fit(ctx context.Context, m *kun.Model, tr, te data.Source, o kun.FitOptions, out string, begin time.Time, verb string, dry bool) error {
	o.Callbacks = append(o.Callbacks, a.bar(m.Metrics, o, tr.Len()))
	h, err := m.Fit(ctx, tr, o)
	stop := ctx.Err() != nil && h != nil && errors.Is(err, context.Canceled)
	if err != nil && !stop {
		return coded(Data, err)
	}
	if dry {
		a.printf("dry run: two steps and an evaluation went well; nothing was kept\n")
		return nil
	}
	if err := m.Save(out); err != nil {
		return coded(Resources, err)
	}
	res := a.outcome(m, tr, te, h, verb, out)
	res.Seed, res.Interrupted = o.Seed, stop
	res.SecondsTotal = time.Since(begin).Seconds()
	if stop {
		_ = a.emit(res)
		return &Exit{Code: Interrupted, Err: context.Cause(ctx), Hint: fmt.Sprintf("what was learnt is saved in %s; kun eval %s tells how good it is", out, out)}
	}
	a.printf("saved     %s (%s parameters)\n", out, term.Thousands(int64(res.Parameters)))
	if te != nil {
		a.printf("test      loss %s", term.Figure(res.Loss))
		for _, x := range m.Metrics {
			a.printf("  %s %s", x.Name(), term.Figure(res.Figures[x.Name()]))
		}
		a.printf("\n")
	}
	return a.emit(res)
}

// outcome gathers what --json tells.
func (a *app) outcome(m *kun.Model, tr, te data.Source, h *train.History, verb, out string) *outcome {
	w, s := m.Params()
	res := &outcome{envelope: envelope{jsonVersion, verb}, Dataset: m.Info().Dataset, Epochs: len(h.Epochs), SecondsPerEpoch: h.Seconds,
		Parameters: w + s, Threads: a.threadCount(), CPULevel: cpu.InForce().String(), WeightsSHA256: m.WeightsSHA256(), Model: out,
		PeakRSS: machine.PeakRSS(), Figures: map[string]float64{}, TrainSamples: tr.Len()}
	prefix := ""
	if te != nil {
		res.TestSamples, prefix = te.Len(), "val_"
	}
	for _, n := range h.Names {
		if v, ok := h.Last(n); ok && len(n) > len(prefix) && n[:len(prefix)] == prefix {
			res.Figures[n[len(prefix):]] = v
		}
	}
	res.Loss, res.Accuracy = res.Figures["loss"], res.Figures["accuracy"]
	return res
}

// barCallback draws progress.
type barCallback struct {
	train.Base
	bar   *term.Bar
	every int // steps between two looks at the clock
	last  time.Time
	vals  []float64
}

func (a *app) bar(ms []metric.Metric, o kun.FitOptions, samples int) *barCallback {
	names := make([]string, len(ms))
	for i, m := range ms {
		names[i] = m.Name()
	}
	batch := o.Batch
	if batch == 0 {
		batch = 32
	}
	return &barCallback{bar: term.NewBar(a.err, term.BarOptions{Epochs: max(1, o.Epochs), Batch: min(batch, samples), Names: names,
		Monitor: len(names) - 1, Quiet: a.quiet}), every: 1, vals: make([]float64, len(names))}
}

// EndStep looks at the clock every so many steps, about every 20 ms.
func (b *barCallback) EndStep(r *train.Run) error {
	if r.Step%b.every != 0 && r.Step != r.Steps {
		return nil
	}
	now := time.Now()
	if d := now.Sub(b.last); d < 10*time.Millisecond {
		b.every = min(1024, 2*b.every)
	} else if d > 40*time.Millisecond {
		b.every = max(1, b.every/2)
	}
	b.last = now
	for i, f := range r.Running()[1:] {
		if i < len(b.vals) {
			b.vals[i] = f.Value
		}
	}
	b.bar.Extras.LearningRate = r.LearningRate()
	b.bar.Step(r.Epoch, r.Step, r.Steps, r.StepLoss, b.vals)
	return nil
}

// EndEpoch writes the line of the epoch.
func (b *barCallback) EndEpoch(r *train.Run) error {
	f := term.Figures{Epoch: r.Epoch, Steps: r.Step, Time: time.Duration(r.Seconds * 1e9)}
	f.Loss, _ = r.Figure("loss")
	n := len(b.vals)
	for i := range n {
		f.Metrics = append(f.Metrics, r.Figures[1+i].Value)
	}
	if v, ok := r.Figure("val_loss"); ok {
		f.ValLoss, f.ValMetrics = v, []float64{}
		for _, x := range r.Figures[len(r.Figures)-n:] {
			f.ValMetrics = append(f.ValMetrics, x.Value)
		}
	}
	b.bar.EndEpoch(f)
	return nil
}

// EndRun ends the live line.
func (b *barCallback) EndRun(*train.Run) error {
	b.bar.Clear()
	return nil
}
