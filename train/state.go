package train

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/kun-ml/kun/array"
	"github.com/kun-ml/kun/tensor"
)

// State is where a run of training stands, beside the weights, states and slots in the variables of its step. A Loop that
// is given the state of another one, with the same variables, data and settings, goes on as if the other had never stopped.
// It marshals to JSON, but for Arrays.
type State struct {
	// First is the number of the run's first epoch for the order of the samples: how many epochs runs before this one had.
	First int `json:"first_epoch"`
	// Epoch is the epoch in hand, counted from 0, and Step how many of its steps are done.
	Epoch int `json:"epoch"`
	Step  int `json:"step"`
	// Samples, StepLoss and Seconds are those of Run in the epoch in hand.
	Samples  int     `json:"samples"`
	StepLoss float64 `json:"-"`
	Seconds  float64 `json:"seconds"`
	// Count is the number of steps since training began, with those of runs before.
	Count int64 `json:"count"`
	// RateFactor multiplies the learning rate.
	RateFactor float64 `json:"rate_factor"`
	// Told is how many callbacks know of the last step, or of the last epoch's end where Step is 0.
	Told int `json:"told"`
	// Stopped tells that a callback has ended the run, and Reason why.
	Stopped bool   `json:"stopped,omitempty"`
	Reason  string `json:"reason,omitempty"`
	// History are the epochs that are done; nil: the run has not begun.
	History *History `json:"history"`
	// Callbacks is what the callbacks remember, by their names.
	Callbacks map[string]json.RawMessage `json:"callbacks,omitempty"`
	// Arrays are the arrays of the callbacks, "callback/<name>/..."; in the middle of an epoch its totals, "total/..."; and
	// where a callback has changed the weights at the end of the run, the weights before, "weight/...".
	Arrays map[string]*array.Array `json:"-"`
}

// Epochs is how many epochs are done, with those of runs before.
func (s *State) Epochs() int { return s.First + s.Epoch }

// changed reports whether the weights are no longer those that the run goes on from.
func (s *State) changed() bool {
	for n := range s.Arrays {
		if strings.HasPrefix(n, "weight/") {
			return true
		}
	}
	return false
}

// plainState is a State without methods.
type plainState State

// stateJSON is a State in JSON: the loss of a step may be no number.
type stateJSON struct {
	plainState
	Loss exact `json:"step_loss"`
}

// MarshalJSON writes all but Arrays.
func (s State) MarshalJSON() ([]byte, error) {
	return json.Marshal(stateJSON{plainState(s), exact(s.StepLoss)})
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (s *State) UnmarshalJSON(b []byte) error {
	var j stateJSON
	if err := json.Unmarshal(b, &j); err != nil {
		return err
	}
	*s = State(j.plainState)
	s.StepLoss = float64(j.Loss)
	return nil
}

// Stateful is a Callback that remembers something from epoch to epoch, which a run that resumes gives back to it.
type Stateful interface {
	Callback
	// State is what the callback remembers: a value for encoding/json, and arrays, which are not written to, by name.
	State() (value any, arrays map[string]*array.Array)
	// SetState takes what State gave. It is called after BeginRun.
	SetState(value json.RawMessage, arrays map[string]*array.Array) error
}

// stateful lists the callbacks that remember, by name: that of their registry, or of their Go type; the second one of a
// name gets "_2". It looks into callbacks that have a method Unwrap() Callback.
func stateful(cs []Callback) map[string]Stateful {
	out := map[string]Stateful{}
	for _, c := range cs {
		s, ok := c.(Stateful)
		for !ok {
			u, wraps := c.(interface{ Unwrap() Callback })
			if !wraps {
				break
			}
			c = u.Unwrap()
			s, ok = c.(Stateful)
		}
		if !ok {
			continue
		}
		name := Callbacks.NameOf(s)
		if name == "" {
			name = strings.TrimPrefix(fmt.Sprintf("%T", s), "*")
		}
		free := name
		for n := 2; out[free] != nil; n++ {
			free = fmt.Sprintf("%s_%d", name, n)
		}
		out[free] = s
	}
	return out
}

// state is where the run stands now.
func (r *Run) state() (*State, error) {
	if r.final != nil {
		return r.final, nil
	}
	s := &State{First: r.first, Epoch: r.Epoch, Step: r.Step, Samples: r.Samples, StepLoss: r.StepLoss, Count: r.step.Count(),
		RateFactor: r.RateFactor(), Told: r.told, Stopped: r.stopped, Reason: r.stop, History: r.history.clone(),
		Callbacks: map[string]json.RawMessage{}, Arrays: map[string]*array.Array{}}
	if r.ended { // the epoch in hand is the next one
		s.Epoch, s.Step, s.Samples, s.StepLoss = r.Epoch+1, 0, 0, r.StepLoss
	}
	if s.Step > 0 {
		s.Seconds = r.elapsed()
		for p, v := range r.step.Vars() {
			if v.Role == tensor.Total {
				s.Arrays["total/"+p] = v.Value.Clone()
			}
		}
	}
	for name, c := range stateful(r.callbacks) {
		value, arrays := c.State()
		b, err := json.Marshal(value)
		if err != nil {
			return nil, fmt.Errorf("train: the state of the callback %s: %w", name, err)
		}
		s.Callbacks[name] = b
		for n, a := range arrays {
			s.Arrays["callback/"+name+"/"+n] = a
		}
	}
	return s, nil
}

// resume brings a run to where s stands. The callbacks have begun.
func (r *Run) resume(s *State) error {
	if s.History == nil {
		return nil
	}
	bad := func(format string, a ...any) error { return fmt.Errorf("train: resume: "+format, a...) }
	switch {
	case s.Epoch < 0 || s.First < 0 || s.Step < 0 || s.Step > r.Steps || s.Samples < 0 || s.Count < 0 || s.Told < 0 || !(s.RateFactor >= 0):
		return bad("epoch %d, step %d of %d, after %d steps, cannot be", s.Epoch, s.Step, r.Steps, s.Count)
	case !s.History.whole(s.Epoch):
		return bad("the history does not hold the %d epochs before", s.Epoch)
	case s.Epoch > r.Epochs, s.Epoch == r.Epochs && s.Step > 0:
		return bad("%d epochs are done already, of %d", s.Epoch, r.Epochs)
	}
	cs, names := stateful(r.callbacks), slices.Sorted(maps.Keys(s.Callbacks))
	for _, name := range names {
		if cs[name] == nil {
			return bad("the run had a callback %s; give it the same callbacks", name)
		}
	}
	for p, v := range r.step.Vars() {
		prefix := ""
		if v.Role == tensor.Total && s.Step > 0 {
			prefix = "total/"
		} else if kept(v) && s.Arrays["weight/"+p] != nil {
			prefix = "weight/"
		}
		if prefix == "" {
			continue
		}
		if err := set(v, s.Arrays[prefix+p]); err != nil {
			return bad("%w", err)
		}
	}
	for _, name := range names {
		arrays, prefix := map[string]*array.Array{}, "callback/"+name+"/"
		for n, a := range s.Arrays {
			if rest, ok := strings.CutPrefix(n, prefix); ok {
				arrays[rest] = a
			}
		}
		if err := cs[name].SetState(s.Callbacks[name], arrays); err != nil {
			return bad("the state of the callback %s: %w", name, err)
		}
	}
	r.step.SetCount(s.Count)
	r.SetRateFactor(s.RateFactor)
	r.history = s.History.clone()
	r.stop, r.stopped = s.Reason, s.Stopped
	r.Epoch, r.Step, r.Samples, r.StepLoss = s.Epoch, s.Step, s.Samples, s.StepLoss
	if s.Step == 0 && s.Epoch > 0 { // at the end of the epoch before
		r.Epoch, r.Step, r.ended = s.Epoch-1, r.Steps, true
		r.Figures, r.Seconds = r.history.last(), r.history.Seconds[s.Epoch-1]
	}
	return nil
}

// set gives a variable a value of its own type.
func set(v *tensor.Var, a *array.Array) error {
	if a == nil {
		return fmt.Errorf("there is no value of %s", v.Path)
	}
	if a.DType() != v.Value.DType() || !a.Shape().Equal(v.Value.Shape()) {
		return fmt.Errorf("%s is %v%v, this run wants %v%v", v.Path, a.DType(), a.Shape(), v.Value.DType(), v.Value.Shape())
	}
	v.Value.CopyFrom(a)
	v.Touch()
	return nil
}

// catchUp tells the callbacks that did not know when the state was taken: of the end of the epoch before, or of the last
// step.
func (r *Run) catchUp(s *State) error {
	switch {
	case s.History == nil || s.Told >= len(r.callbacks):
		return nil
	case r.ended:
		return r.tell(s.Told, Callback.EndEpoch)
	case r.Step > 0:
		return r.tell(s.Told, Callback.EndStep)
	}
	return nil
}
