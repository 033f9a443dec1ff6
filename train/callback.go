package train

import (
	"fmt"
	"sync"
	"time"

	"github.com/kun-ml/kun/array"
	"github.com/kun-ml/kun/tensor"
)

// Callback is told how training goes and may act on it. An error ends training. Embed Base for the methods that do nothing.
type Callback interface {
	// BeginRun is called once, before the first step.
	BeginRun(r *Run) error
	// EndStep is called after every step; it should be cheap.
	EndStep(r *Run) error
	// EndEpoch is called after every epoch and its validation.
	EndEpoch(r *Run) error
	// EndRun is called once after the last step, also when training ends early, if BeginRun gave no error. Figures and Epoch
	// are then those of the last epoch.
	EndRun(r *Run) error
}

// Base is a Callback that does nothing.
type Base struct{}

// BeginRun does nothing.
func (Base) BeginRun(*Run) error { return nil }

// EndStep does nothing.
func (Base) EndStep(*Run) error { return nil }

// EndEpoch does nothing.
func (Base) EndEpoch(*Run) error { return nil }

// EndRun does nothing.
func (Base) EndRun(*Run) error { return nil }

// Run is training as callbacks see it.
type Run struct {
	// Epoch counts from 0; Epochs is how many there shall be.
	Epoch, Epochs int
	// Step is the number of steps done in this epoch, Steps how many there are.
	Step, Steps int
	// Samples is the number of samples trained on in this epoch so far.
	Samples int
	// Figures are, at the end of an epoch, the loss, the metrics, then those of the validation with "val_" before their names.
	Figures []Figure
	// StepLoss is the loss of the last batch.
	StepLoss float64
	// Seconds is how long the epoch's steps took, at the end of an epoch.
	Seconds float64

	step      *Step
	history   *History
	stop      string
	stopped   bool
	validates bool // epochs end with a validation
	save      func(dir string, s *State) error
	lock      sync.Locker
	callbacks []Callback
	first     int       // State.First
	told      int       // callbacks that know of what has just happened
	ended     bool      // what has just happened is the end of an epoch
	resumed   bool      // the run goes on
	begin     time.Time // of the epoch
	broken    bool      // it cannot be resumed
	final     *State    // once the run is over
}

// elapsed is how long the epoch has taken, in seconds.
func (r *Run) elapsed() float64 { return time.Since(r.begin).Seconds() }

// tell calls f for the callbacks from one on, up to the first error.
func (r *Run) tell(from int, f func(Callback, *Run) error) error {
	for i, c := range r.callbacks[from:] {
		r.told = from + i + 1
		if err := f(c, r); err != nil {
			return err
		}
	}
	r.told = len(r.callbacks)
	return nil
}

// Resumed tells that the run goes on with one that was stopped.
func (r *Run) Resumed() bool { return r.resumed }

// names are the figures that the epochs of the run will have.
func (r *Run) names() (out []string) {
	for _, f := range r.Running() {
		out = append(out, f.Name)
	}
	if r.validates {
		out = append(out, "val_loss")
		for _, x := range r.step.metrics {
			out = append(out, "val_"+x.metric.Name())
		}
	}
	return out
}

// Figure gives a figure by its name: at the end of an epoch any of Figures.
func (r *Run) Figure(name string) (float64, bool) {
	for _, f := range r.Figures {
		if f.Name == name {
			return f.Value, true
		}
	}
	return 0, false
}

// Running are the loss and the metrics of the epoch so far.
func (r *Run) Running() []Figure { return r.step.Figures() }

// Loss is the mean loss of the epoch so far. It allocates nothing.
func (r *Run) Loss() float64 { return r.step.Loss() }

// GlobalStep is the number of steps since training began.
func (r *Run) GlobalStep() int64 { return r.step.Count() }

// LearningRate is the rate of the next step.
func (r *Run) LearningRate() float64 { return r.step.LearningRate() }

// SetRateFactor multiplies the optimizer's learning rate from the next step on.
func (r *Run) SetRateFactor(f float64) { r.step.SetRateFactor(f) }

// RateFactor is the factor in force, 1 at first.
func (r *Run) RateFactor() float64 { return r.step.RateFactor() }

// History are the epochs before this one.
func (r *Run) History() *History { return r.history }

// Stop ends training after this step, or after the epoch when it is called at its end. reason is kept in the history.
func (r *Run) Stop(reason string) { r.stop, r.stopped = reason, true }

// Save writes the model as it is now to a directory, with the State to resume from.
func (r *Run) Save(dir string) error {
	if r.save == nil {
		return fmt.Errorf("train: this run does not know how to save its model")
	}
	s, err := r.state()
	if err != nil {
		return err
	}
	return r.save(dir, s)
}

// Weights is a copy of a model's weights and states.
type Weights struct{ values map[string]*array.Array }

// clone is a copy with memory of its own.
func (w *Weights) clone() *Weights {
	c := &Weights{map[string]*array.Array{}}
	for p, a := range w.values {
		c.values[p] = a.Clone()
	}
	return c
}

// Snapshot copies the weights and states as they are now. into, if not nil, is reused.
func (r *Run) Snapshot(into *Weights) *Weights {
	if into == nil {
		into = &Weights{map[string]*array.Array{}}
	}
	for p, v := range r.step.Vars() {
		if !kept(v) {
			continue
		}
		if a := into.values[p]; a != nil {
			a.CopyFrom(v.Value)
		} else {
			into.values[p] = v.Value.Clone()
		}
	}
	return into
}

// Restore sets the weights and states to a copy taken before. A copy of another model is an error.
func (r *Run) Restore(w *Weights) error {
	r.lock.Lock()
	defer r.lock.Unlock()
	if r.final != nil && !r.final.changed() { // where a run that resumes goes on
		for p, a := range r.Snapshot(nil).values {
			r.final.Arrays["weight/"+p] = a
		}
	}
	for p, v := range r.step.Vars() {
		if kept(v) {
			if err := set(v, w.values[p]); err != nil {
				return fmt.Errorf("train: restoring weights: %w", err)
			}
		}
	}
	return nil
}

// kept reports whether a model file holds the variable.
func kept(v *tensor.Var) bool { return v.Role == tensor.Weight || v.Role == tensor.State }
