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
	// Epochs is how often to go through the data, with the epochs that are done where the run resumes; 0 means 1.
	Epochs int
	// Evaluate and Validation are run at the end of each epoch, for the figures "val_...". Both or none.
	Evaluate   *Evaluator
	Validation *data.Batches
	// Callbacks are told in order.
	Callbacks []Callback
	// KeepGoing goes on when a loss is not a number; by default that ends training with a *DivergedError.
	KeepGoing bool
	// Save writes the model to a directory, together with where the run stands, for callbacks that ask for it. What s holds
	// is valid during the call.
	Save func(dir string, s *State) error
	// State, if not nil, is where the run begins, and afterwards where it ended: &State{} is a new run, First may be set; one
	// with a History is resumed. Its History is nil afterwards when the run cannot be resumed: it diverged, or a callback
	// gave an error.
	State *State
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
	if (o.Evaluate == nil) != (o.Validation == nil) {
		return nil, fmt.Errorf("train: one of Evaluate and Validation is set; set both or none")
	}
	if o.Lock == nil {
		o.Lock = new(sync.Mutex)
	}
	if o.State == nil {
		o.State = new(State)
	}
	r := &Run{Epochs: o.Epochs, Steps: batches.Steps(), step: s, history: &History{}, save: o.Save, lock: o.Lock, validates: o.Evaluate != nil,
		callbacks: o.Callbacks, told: len(o.Callbacks), first: o.State.First, resumed: o.State.History != nil}
	begun, err := r.beginRun()
	if err == nil {
		err = r.resume(o.State)
	}
	if err == nil {
		err = r.epochs(ctx, batches, o)
		r.finish(o.State)
	}
	return r.history, errors.Join(err, r.endRun(begun))
}

// finish notes in s where the run has ended.
func (r *Run) finish(s *State) {
	if r.stopped {
		r.history.Stopped = r.stop
	}
	final, err := r.state()
	if err != nil || r.broken {
		*s = State{First: r.first, Epoch: len(r.history.Epochs), Count: r.step.Count(), RateFactor: r.RateFactor()}
		return
	}
	r.final = final
	*s = *final
}

// beginRun tells the callbacks, up to the first error, and gives the number of those that have begun.
func (r *Run) beginRun() (int, error) {
	for i, c := range r.callbacks {
		if err := c.BeginRun(r); err != nil {
			return i, err
		}
	}
	return len(r.callbacks), nil
}

// endRun tells the callbacks that have begun, all of them.
func (r *Run) endRun(begun int) error {
	var errs []error
	for _, c := range r.callbacks[:begun] {
		errs = append(errs, c.EndRun(r))
	}
	return errors.Join(errs...)
}

// epochs goes on from where the run stands.
func (r *Run) epochs(ctx context.Context, batches *data.Batches, o Options) error {
	if err := r.catchUp(o.State); err != nil {
		r.broken = true
		return err
	}
	epoch, step, seconds := r.Epoch, r.Step, o.State.Seconds
	if r.ended {
		epoch, step = epoch+1, 0
	}
	for epoch < r.Epochs && (!r.stopped || step > 0) {
		r.begin = time.Now().Add(-time.Duration(seconds * 1e9))
		r.Epoch, r.Step, r.ended = epoch, step, false
		if err := r.epoch(ctx, batches, o); err != nil {
			return err
		}
		epoch, step, seconds = epoch+1, 0, 0
	}
	return nil
}

// epoch runs the epoch in hand from its step in hand.
func (r *Run) epoch(ctx context.Context, batches *data.Batches, o Options) error {
	if r.Step == 0 {
		r.step.ResetTotals()
		r.Samples, r.Figures = 0, nil
	}
	if err := r.steps(ctx, batches, o); err != nil {
		return err
	}
	seconds, figures := r.elapsed(), r.step.Figures()
	if o.Evaluate != nil {
		fs, err := o.Evaluate.Run(ctx, o.Validation)
		if err != nil {
			return err
		}
		for _, f := range fs {
			figures = append(figures, Figure{"val_" + f.Name, f.Value})
		}
	}
	r.Seconds, r.Figures, r.ended = seconds, figures, true
	r.history.add(r.Epoch, r.Seconds, r.Figures)
	err := r.tell(0, Callback.EndEpoch)
	r.broken = err != nil
	return err
}

// steps runs the rest of the epoch's steps, until a callback stops it.
func (r *Run) steps(ctx context.Context, batches *data.Batches, o Options) error {
	if r.stopped {
		return nil
	}
	for b, err := range batches.Epoch(ctx, r.first+r.Epoch, r.Step) {
		if err != nil {
			return err
		}
		if err := r.one(b, o.KeepGoing); err != nil {
			r.broken = true
			return err
		}
		if r.stopped {
			break
		}
	}
	return nil
}

// one trains on a batch and tells the callbacks.
func (r *Run) one(b *data.Batch, keepGoing bool) error {
	res, err := r.locked(b)
	if err != nil {
		return err
	}
	r.Step++
	r.Samples += b.Size
	r.StepLoss = res.Loss
	if x := res.Loss; (math.IsNaN(x) || math.IsInf(x, 0)) && !keepGoing {
		return diverged(r.step, b, r)
	}
	return r.tell(0, Callback.EndStep)
}

// locked runs the step; a panic in it leaves nothing locked.
func (r *Run) locked(b *data.Batch) (Result, error) {
	r.lock.Lock()
	defer r.lock.Unlock()
	return r.step.Run(b)
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
