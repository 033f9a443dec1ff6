package optim

import (
	"fmt"
	"math"
)

// Cosine is a learning rate that climbs in a line from Initial to Peak during the first Warmup steps and then falls along
// half a cosine to Alpha*Peak during Steps steps, where it stays. Loshchilov and Hutter 2017, arXiv:1608.03983. Keras's
// CosineDecay: its warmup_target is Peak; without one its initial_learning_rate is Peak.
type Cosine struct {
	// Peak is the learning rate from which the cosine falls.
	Peak float64
	// Steps is how many steps the fall takes, not counting Warmup; at least 1.
	Steps int64
	// Alpha is the share of Peak that is left in the end.
	Alpha float64
	// Warmup is how many steps the climb takes; 0: none.
	Warmup int64
	// Initial is the learning rate of the first step of the climb.
	Initial float64
}

// At is the rate of a step.
func (c Cosine) At(step int64) float64 {
	if step < c.Warmup {
		return c.Initial + (c.Peak-c.Initial)*float64(step)/float64(c.Warmup)
	}
	p := float64(min(step-c.Warmup, c.Steps)) / float64(c.Steps)
	return c.Peak * (c.Alpha + (1-c.Alpha)*0.5*(1+math.Cos(math.Pi*p)))
}

func (c Cosine) check() error {
	if c.Steps < 1 || c.Warmup < 0 {
		return fmt.Errorf("cosine: Steps is %d and Warmup %d; Steps must be at least 1, Warmup not negative", c.Steps, c.Warmup)
	}
	if err := notNegative("cosine", "Peak", c.Peak); err != nil {
		return err
	}
	if err := notNegative("cosine", "Alpha", c.Alpha); err != nil {
		return err
	}
	return notNegative("cosine", "Initial", c.Initial)
}
