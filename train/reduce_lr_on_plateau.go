package train

import (
	"encoding/json"
	"fmt"

	"github.com/kun-ml/kun/array"
	"github.com/kun-ml/kun/nn"
)

// ReduceLROnPlateau multiplies the learning rate by Factor when a figure has not improved for some epochs. The rules are
// Keras's; a schedule is multiplied as well.
type ReduceLROnPlateau struct {
	Base `json:"-"`
	// Monitor is the figure's name; empty: "val_loss", or "loss" where there is no validation.
	Monitor string
	// Mode says whether the figure shall fall or rise; empty: as it is known of a loss or a metric.
	Mode Mode
	// Factor is what the rate is multiplied by, below 1; 0 means 0.1.
	Factor float64 `default:"0.1"`
	// Patience is for how many epochs in a row the figure may fail to improve; 0 means 10.
	Patience int `default:"10"`
	// MinDelta is by how much a figure must be better to count; 0 means 0.0001, nn.Zero means 0.
	MinDelta float64 `default:"0.0001"`
	// Cooldown is for how many epochs after a reduction nothing is counted.
	Cooldown int
	// MinRate is where the rate stops falling.
	MinRate float64

	monitor       monitor
	wait, cooling int
}

// BeginRun begins anew; the rate stays as it is.
func (c *ReduceLROnPlateau) BeginRun(r *Run) error {
	c.monitor.has, c.wait, c.cooling = false, 0, 0
	if f := nn.Value(c.Factor, 0.1); !(f >= 0 && f < 1) || !(c.MinRate >= 0) || c.Patience < 0 || c.Cooldown < 0 {
		return fmt.Errorf("train: reduce rate on plateau: Factor is %v, MinRate %v, Patience %d, Cooldown %d; Factor must lie between 0 and 1, none may be negative",
			f, c.MinRate, c.Patience, c.Cooldown)
	}
	return c.monitor.begin(r, "reduce rate on plateau", c.Monitor, c.Mode, nn.Value(c.MinDelta, 1e-4))
}

// EndEpoch looks at the figure.
func (c *ReduceLROnPlateau) EndEpoch(r *Run) error {
	v, err := c.monitor.now(r)
	if err != nil {
		return err
	}
	if c.cooling > 0 {
		c.cooling--
		c.wait = 0
	}
	if c.monitor.improve(v) {
		c.wait = 0
		return nil
	}
	if c.cooling > 0 {
		return nil
	}
	patience := c.Patience
	if patience == 0 {
		patience = 10
	}
	if c.wait++; c.wait < patience {
		return nil
	}
	rate := r.LearningRate()
	if rate <= c.MinRate {
		return nil
	}
	r.SetRateFactor(r.RateFactor() * max(rate*nn.Value(c.Factor, 0.1), c.MinRate) / rate)
	c.cooling, c.wait = c.Cooldown, 0
	return nil
}

// plateauState is what ReduceLROnPlateau remembers; the rate's factor belongs to the run.
type plateauState struct {
	Best    exact `json:"best"`
	Has     bool  `json:"has"`
	Wait    int   `json:"wait"`
	Cooling int   `json:"cooling"`
}

// State is the best figure and what was counted since.
func (c *ReduceLROnPlateau) State() (any, map[string]*array.Array) {
	return plateauState{exact(c.monitor.best), c.monitor.has, c.wait, c.cooling}, nil
}

// SetState goes on with what State gave.
func (c *ReduceLROnPlateau) SetState(value json.RawMessage, _ map[string]*array.Array) error {
	var s plateauState
	if err := json.Unmarshal(value, &s); err != nil {
		return err
	}
	c.monitor.best, c.monitor.has, c.wait, c.cooling = float64(s.Best), s.Has, s.Wait, s.Cooling
	return nil
}
