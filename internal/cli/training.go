package cli

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/kun-ml/kun"
	"github.com/kun-ml/kun/data"
	"github.com/kun-ml/kun/internal/cli/term"
	"github.com/kun-ml/kun/internal/cpu"
	"github.com/kun-ml/kun/loss"
	"github.com/kun-ml/kun/train"
)

// training is one run of Fit with what goes around it: progress, the result on the test data, saving, the report.
type training struct {
	verb    string // of the command
	model   *kun.Model
	parts   *parts
	options kun.FitOptions
	note    note
	plan    *plan // nil: no configuration
	out     string
	again   string // the command that goes on after an interruption
	begin   time.Time
}

// fit trains, evaluates, saves and tells the person. What was learnt is saved whatever fails after it.
func (a *app) fit(ctx context.Context, t *training) (*outcome, error) {
	defer a.learning.Store(false)
	h, stopped, failed := a.learn(ctx, t)
	if h == nil {
		return nil, failed
	}
	var report *kun.Report
	if t.parts.test != nil && !stopped && failed == nil {
		var err error
		report, err = t.model.Evaluate(ctx, t.parts.test)
		switch {
		case ctx.Err() != nil && errors.Is(err, context.Canceled):
			stopped = true
		case err != nil:
			failed = coded(Data, t.plan.locate(fmt.Errorf("test data: %w", err)))
		default:
			t.note.Test, t.note.Tested = report.Figures, report.Samples
		}
	}
	if err := a.keep(t); err != nil {
		return nil, errors.Join(failed, err)
	}
	if failed != nil {
		a.printf("saved     %s, as it is after %d finished epochs\n", t.out, len(h.Epochs))
		return nil, &Exit{Code: Code(failed), Err: failed, Hint: or(hintOf(failed), "what was learnt is saved in "+t.out)}
	}
	res := a.outcome(t.verb, t.model, t.out, t.begin)
	res.Dataset, res.TrainSamples, res.Interrupted = t.parts.name, t.parts.train.Len(), stopped
	res.tell(h)
	if report != nil {
		res.TestSamples = report.Samples
		res.judge(report.Figures)
	}
	if stopped {
		a.printf("saved     %s, as it is after %d finished epochs\n", t.out, len(h.Epochs))
		return nil, errors.Join(a.emit(res), &Exit{Code: Code(context.Cause(ctx)), Err: context.Cause(ctx), Hint: "to go on: " + t.again})
	}
	if h.Stopped != "" {
		a.printf("stopped   %s\n", h.Stopped)
	}
	if report != nil {
		a.printf("test      %s\n", report)
	}
	a.printf("saved     %s (%s parameters, %.1f s)\n", t.out, term.Thousands(int64(res.Parameters)), res.SecondsTotal)
	return res, nil
}

// learn runs Fit with a progress bar. stopped tells that the person ended it after a step at least. h is nil when there is
// nothing to save; beside it, err is that of a callback that ended the run.
func (a *app) learn(ctx context.Context, t *training) (h *train.History, stopped bool, err error) {
	batch := t.options.Batch
	if batch == 0 {
		batch = 32
	}
	if n := t.parts.train.Len(); batch > n {
		a.logf("%s a batch of %d is more than the %d samples: each step takes all of them", a.warning(), batch, n)
	}
	if err := t.annotate(); err != nil { // for what callbacks save
		return nil, false, err
	}
	p := a.progress(t.model.Metrics, t.options.Epochs, batch, t.parts.train.Len())
	t.options.Callbacks = append(t.options.Callbacks, p)
	h, err = t.model.Fit(ctx, t.parts.train, t.options)
	var diverged *train.DivergedError
	switch {
	case err == nil:
		return h, false, nil
	case ctx.Err() != nil && errors.Is(err, context.Canceled):
		if h == nil || p.steps == 0 {
			return nil, false, context.Cause(ctx)
		}
		return h, true, nil
	case errors.As(err, &diverged) && diverged.Batch == "":
		return nil, false, &Exit{Code: Diverged, Err: err, Hint: "try a smaller learning rate, or clip the gradients: --set optimizer.learning_rate=1e-4 --set optimizer.clip_norm=1; nothing was saved"}
	}
	var failed *callbackError
	if errors.As(err, &failed) && p.steps > 0 {
		return h, false, coded(Resources, err)
	}
	var label *kun.LabelError
	if errors.As(err, &label) {
		if !strings.HasPrefix(err.Error(), "validation data") {
			err = fmt.Errorf("training data of %s: %w", t.parts.name, err)
		}
		return nil, false, &Exit{Code: Data, Err: err, Hint: labelHint(label.Classes)}
	}
	var resume *kun.ResumeError
	if errors.As(err, &resume) {
		return nil, false, fail(Config, "write what it was, or a larger --epochs, to go on; --from begins a new training with the weights", "--resume: %s", resume.Why)
	}
	return nil, false, coded(Data, t.plan.locate(err))
}

// keep saves the model with its note.
func (a *app) keep(t *training) error {
	if err := t.annotate(); err != nil {
		return err
	}
	return coded(Resources, t.model.Save(t.out))
}

// annotate writes the note into the model.
func (t *training) annotate() error {
	n := &t.note
	n.Version, n.Command, n.Kun, n.Level = noteVersion, t.verb, buildInfo().Module, cpu.InForce().String()
	n.Seconds = time.Since(t.begin).Seconds()
	for i := range n.Test { // JSON knows no NaN
		if x := n.Test[i].Value; math.IsNaN(x) || math.IsInf(x, 0) {
			n.Test = nil
			break
		}
	}
	return n.keep(t.model)
}

// inspectData reads all samples once: what is no number and what is no class is an error, what is odd a warning.
func (a *app) inspectData(ctx context.Context, m *kun.Model, p *parts) error {
	var expect data.Expect
	if l, ok := m.Loss.(loss.SparseCategoricalCrossEntropy); ok {
		expect.Ignore = l.IgnoreClasses
	}
	for _, part := range []struct {
		name string
		src  data.Source
	}{{"training", p.train}, {"test", p.test}} {
		if part.src == nil {
			continue
		}
		warnings, err := data.Validate(ctx, a.watched("checking", part.src), expect)
		a.err.Clear()
		if err != nil {
			if isNotCanceled(ctx, err) {
				err = fmt.Errorf("%s data of %s: %w", part.name, p.name, err)
			}
			return coded(Data, err)
		}
		for _, w := range warnings {
			a.logf("%s %s data: %s", a.warning(), part.name, w)
		}
	}
	return nil
}

func isNotCanceled(ctx context.Context, err error) bool {
	return ctx.Err() == nil || !errors.Is(err, context.Canceled)
}

func (a *app) warning() string { return a.err.Style(term.Yellow, "warning:") }
