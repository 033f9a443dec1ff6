package train

import (
	"encoding/json"
	"fmt"

	"github.com/kun-ml/kun/array"
	"github.com/kun-ml/kun/nn"
)

// EarlyStopping ends training when a figure has not improved for some epochs. It never stops at the first epoch. The rules
// are Keras's, except that what is not a number counts as no improvement.
type EarlyStopping struct {
	Base `json:"-"`
	// Monitor is the figure's name; empty: "val_loss", or "loss" where there is no validation.
	Monitor string
	// Mode says whether the figure shall fall or rise; empty: as it is known of a loss or a metric.
	Mode Mode
	// Patience is for how many epochs in a row the figure may fail to improve; 0 and 1 end at the first such epoch.
	Patience int
	// MinDelta is by how much a figure must be better to count.
	MinDelta float64
	// Baseline is what the figure must beat as well, or the epochs count as without improvement; 0: nothing, nn.Zero: 0.
	Baseline float64 `default:"none"`
	// RestoreBest sets the weights to those of the best epoch when training ends, whatever ends it.
	RestoreBest bool
	// StartFromEpoch is the first epoch, counted from 0, that is looked at.
	StartFromEpoch int

	monitor monitor
	wait    int
	epoch   int // of the best
	stopped int // epochs done when it stopped; 0: it did not
	weights *Weights
	have    bool // weights hold an epoch of this run
}

// BeginRun begins anew, so that the same callback may serve several runs.
func (c *EarlyStopping) BeginRun(r *Run) error {
	c.monitor.has, c.wait, c.epoch, c.stopped, c.have = false, 0, -1, 0, false
	if c.Patience < 0 || c.StartFromEpoch < 0 {
		return fmt.Errorf("train: early stopping: Patience is %d and StartFromEpoch %d, neither may be negative", c.Patience, c.StartFromEpoch)
	}
	return c.monitor.begin(r, "early stopping", c.Monitor, c.Mode, c.MinDelta)
}

// EndEpoch looks at the figure.
func (c *EarlyStopping) EndEpoch(r *Run) error {
	if r.Epoch < c.StartFromEpoch {
		return nil
	}
	v, err := c.monitor.now(r)
	if err != nil {
		return err
	}
	if !c.have {
		c.keep(r)
	}
	c.wait++
	if c.monitor.improve(v) {
		c.keep(r)
		if c.Baseline == 0 || c.monitor.better(v, nn.Value(c.Baseline, 0)) {
			c.wait = 0
		}
		return nil
	}
	if c.wait >= c.Patience && r.Epoch > 0 {
		c.stopped = r.Epoch + 1
		why := fmt.Sprintf("early stopping: %s was never a number", c.monitor.name)
		if c.monitor.has {
			why = fmt.Sprintf("early stopping: %s has been no better for %d epochs than %.6g at epoch %d", c.monitor.name, c.wait, c.monitor.best, c.epoch+1)
		}
		r.Stop(why)
	}
	return nil
}

func (c *EarlyStopping) keep(r *Run) {
	c.epoch, c.have = r.Epoch, true
	if c.RestoreBest {
		c.weights = r.Snapshot(c.weights)
	}
}

// EndRun restores the best weights, where it shall.
func (c *EarlyStopping) EndRun(r *Run) error {
	w, have := c.weights, c.have
	c.weights, c.have = nil, false
	if c.RestoreBest && have {
		return r.Restore(w)
	}
	return nil
}

// earlyState is what EarlyStopping remembers.
type earlyState struct {
	Best    exact `json:"best"`
	Has     bool  `json:"has"`
	Have    bool  `json:"have"`
	Wait    int   `json:"wait"`
	Epoch   int   `json:"epoch"`
	Stopped int   `json:"stopped"`
}

// State is the best figure, how long ago it was, and its weights where they are to be restored.
func (c *EarlyStopping) State() (any, map[string]*array.Array) {
	s := earlyState{exact(c.monitor.best), c.monitor.has, c.have, c.wait, c.epoch, c.stopped}
	if c.weights == nil {
		return s, nil
	}
	return s, c.weights.values
}

// SetState goes on with what State gave.
func (c *EarlyStopping) SetState(value json.RawMessage, arrays map[string]*array.Array) error {
	var s earlyState
	if err := json.Unmarshal(value, &s); err != nil {
		return err
	}
	if s.Have && c.RestoreBest && len(arrays) == 0 {
		return fmt.Errorf("RestoreBest is set, but was not in the run before: there are no best weights")
	}
	c.monitor.best, c.monitor.has, c.have = float64(s.Best), s.Has, s.Have
	c.wait, c.epoch, c.stopped = s.Wait, s.Epoch, s.Stopped
	if c.RestoreBest && s.Have {
		c.weights = (&Weights{arrays}).clone()
	}
	return nil
}

// Best is the best value of the figure and its epoch, counted from 0; the epoch is -1 before there is one.
func (c *EarlyStopping) Best() (value float64, epoch int) {
	if !c.monitor.has {
		return 0, -1
	}
	return c.monitor.best, c.epoch
}

// Stopped is the number of epochs after which it ended training; 0 when it did not.
func (c *EarlyStopping) Stopped() int { return c.stopped }
