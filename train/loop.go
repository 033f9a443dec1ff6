package train

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"time"

	"github.com/kun-ml/kun/array"
	"github.com/kun-ml/kun/data"
)

// Options says how the loop goes.
type Options struct {
	// Epochs is how often to go through the data; 0 means 1.
	Epochs int
	// Evaluate and Validation are run at the end of each epoch, for the figures "val_...". Both or none.
	Evaluate   *Evaluator
	Validation *data.Batches
	// Callbacks are told in order.
	Callbacks []Callback
	// KeepGoing goes on when a loss is not a number; by default that ends training with a *DivergedError.
	KeepGoing bool
	// Save writes the model to a directory, for callbacks that ask for it.
	Save func(dir string) error
	// Lock, if not nil, is held while a step runs or Run.Restore sets weights, so that others can read them in between.
	Lock sync.Locker
}

// DivergedError tells that the loss of a step was not a finite number.
type DivergedError struct {
	Epoch, Step int      // from 0
	Loss        float64  // NaN or an infinity
	Batch       string   // what is wrong with the batch, such as "x: NaN in row 3 of the batch"; empty: nothing
	Weights     []string // paths of weights that are not finite
}

// Error names the step, the loss and the likely cause.
func (e *DivergedError) Error() string {
	s := fmt.Sprintf("train: the loss is %v at epoch %d, step %d", e.Loss, e.Epoch+1, e.Step+1)
	switch {
	case e.Batch != "":
		s += ": the data hold " + e.Batch
	case len(e.Weights) > 0:
		s += fmt.Sprintf(": %s and %d more weights are not finite", e.Weights[0], len(e.Weights)-1)
		if len(e.Weights) == 1 {
			s = fmt.Sprintf("train: the loss is %v at epoch %d, step %d: %s is not finite", e.Loss, e.Epoch+1, e.Step+1, e.Weights[0])
		}
	}
	return s
}

// Loop trains for a number of epochs. When ctx ends, the step that runs is finished and the error is that of ctx; the
// history holds the epochs that were completed. A *DivergedError ends training likewise.
func Loop(ctx context.Context, s *Step, batches *data.Batches, o Options) (*History, error) {
	if o.Epochs == 0 {
		o.Epochs = 1
	}
	if o.Epochs < 0 {
		return nil, fmt.Errorf("train: Epochs is %d, it must be at least 1", o.Epochs)
	}
	if o.Lock == nil {
		o.Lock = new(sync.Mutex)
	}
	r := &Run{Epochs: o.Epochs, Steps: batches.Steps(), step: s, history: &History{}, save: o.Save, lock: o.Lock, validates: o.Evaluate != nil}
	err := o.each(r, Callback.BeginRun)
	for ; err == nil && r.Epoch < o.Epochs && !r.stopped; r.Epoch++ {
		err = epoch(ctx, s, batches, o, r)
	}
	if r.stopped {
		r.history.Stopped = r.stop
	}
	return r.history, errors.Join(err, o.each(r, Callback.EndRun))
}

// each tells all callbacks, up to the first error.
func (o Options) each(r *Run, f func(Callback, *Run) error) error {
	for _, c := range o.Callbacks {
		if err := f(c, r); err != nil {
			return err
		}
	}
	return nil
}

func epoch(ctx context.Context, s *Step, batches *data.Batches, o Options, r *Run) error {
	s.ResetTotals()
	r.Step, r.Samples, r.Figures = 0, 0, nil
	begin := time.Now()
	for b, err := range batches.Epoch(ctx, r.Epoch, 0) {
		if err != nil {
			return err
		}
		o.Lock.Lock()
		res, err := s.Run(b)
		o.Lock.Unlock()
		if err != nil {
			return err
		}
		r.Step++
		r.Samples += b.Size
		r.StepLoss = res.Loss
		if x := res.Loss; (math.IsNaN(x) || math.IsInf(x, 0)) && !o.KeepGoing {
			return diverged(s, b, r)
		}
		if err := o.each(r, Callback.EndStep); err != nil {
			return err
		}
		if r.stopped {
			break
		}
	}
	r.Seconds = time.Since(begin).Seconds()
	r.Figures = s.Figures()
	if o.Evaluate != nil {
		fs, err := o.Evaluate.Run(ctx, o.Validation)
		if err != nil {
			return err
		}
		for _, f := range fs {
			r.Figures = append(r.Figures, Figure{"val_" + f.Name, f.Value})
		}
	}
	r.history.add(r.Epoch, r.Seconds, r.Figures)
	return o.each(r, Callback.EndEpoch)
}

// diverged looks for the cause of a loss that is not finite.
func diverged(s *Step, b *data.Batch, r *Run) error {
	e := &DivergedError{Epoch: r.Epoch, Step: r.Step - 1, Loss: r.StepLoss}
	for i, a := range b.Arrays {
		if at, v := notFinite(a); at >= 0 {
			e.Batch = fmt.Sprintf("%v in %q, row %d of the batch", v, b.Fields[i].Name, at/max(1, a.Len()/b.Size))
			return e
		}
	}
	for _, p := range s.paths() {
		if at, _ := notFinite(s.c.vars[p].Value); at >= 0 {
			e.Weights = append(e.Weights, p)
		}
	}
	return e
}

func notFinite(a *array.Array) (at int, v float64) {
	if !a.DType().IsFloat() {
		return -1, 0
	}
	for i, x := range a.Float64s() {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return i, x
		}
	}
	return -1, 0
}
