package cli

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/kun-ml/kun"
	"github.com/kun-ml/kun/internal/cli/term"
)

const trySteps = 2

// tryOut does everything that a training does, in small: two steps, an evaluation, saving, loading, and the same evaluation
// again. It keeps nothing.
func (a *app) tryOut(ctx context.Context, t *training) error {
	all := t.parts.train.Len()
	batch := min(t.options.Batch, all)
	t.parts.train, t.parts.test = head(t.parts.train, trySteps*batch), head(t.parts.test, trySteps*batch)
	t.options.Validate, t.options.Epochs = head(t.options.Validate, trySteps*batch), 1
	h, stopped, err := a.learn(ctx, t)
	if err != nil {
		return err
	}
	if stopped {
		return context.Cause(ctx)
	}
	judged := t.parts.test
	if judged == nil {
		judged = t.parts.train
	}
	before, err := t.model.Evaluate(ctx, judged)
	if err != nil {
		return coded(Data, t.plan.locate(err))
	}
	tmp, err := os.MkdirTemp("", "kun-dry-run-*")
	if err != nil {
		return coded(Resources, err)
	}
	defer os.RemoveAll(tmp)
	out := t.out
	t.out = filepath.Join(tmp, "model")
	if err := a.keep(t); err != nil {
		return err
	}
	if err := reload(ctx, t, before); err != nil {
		return err
	}
	res := a.outcome(t.verb, t.model, out, t.begin)
	res.Dataset, res.TrainSamples, res.TestSamples, res.DryRun = t.parts.name, t.parts.train.Len(), judged.Len(), true
	res.tell(h)
	res.judge(before.Figures)
	steps := (all + batch - 1) / batch
	tried := "one step"
	if steps > 1 {
		tried = fmt.Sprintf("%d steps", min(trySteps, steps))
	}
	a.printf("dry run   %s, an evaluation, saving and loading went well; nothing was kept\n", tried)
	a.printf("          the run itself: %d epochs of %s steps, %s parameters\n", t.plan.Train.Epochs, term.Thousands(int64(steps)), term.Thousands(int64(res.Parameters)))
	return a.emit(res)
}

// reload loads what was saved and demands the same weights and the same figures.
func reload(ctx context.Context, t *training, before *kun.Report) error {
	m, err := kun.Load(t.out)
	if err != nil {
		return err
	}
	m.Threads = t.model.Threads
	if got, want := m.WeightsSHA256(), t.model.WeightsSHA256(); got != want {
		return fmt.Errorf("the saved model has other weights after loading: %s instead of %s", got, want)
	}
	judged := t.parts.test
	if judged == nil {
		judged = t.parts.train
	}
	after, err := m.Evaluate(ctx, judged)
	if err != nil {
		return err
	}
	for i, f := range before.Figures {
		if after.Figures[i] != f && f.Value == f.Value {
			return fmt.Errorf("the saved model gives another %s after loading: %v instead of %v", f.Name, after.Figures[i].Value, f.Value)
		}
	}
	return nil
}
