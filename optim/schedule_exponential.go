package optim

import (
	"fmt"
	"math"
)

// Exponential is a learning rate that shrinks by the same share at equal distances: Initial * Rate^(step/Steps). Keras's
// ExponentialDecay.
type Exponential struct {
	// Initial is the learning rate of the first step.
	Initial float64
	// Steps is after how many steps the rate has been multiplied by Rate once; at least 1.
	Steps int64
	// Rate is what the learning rate is multiplied by.
	Rate float64
	// Staircase changes the rate every Steps steps only: step/Steps is rounded down.
	Staircase bool
}

// At is Initial * Rate^(step/Steps).
func (e Exponential) At(step int64) float64 {
	p := float64(step) / float64(e.Steps)
	if e.Staircase {
		p = math.Floor(p)
	}
	return e.Initial * math.Pow(e.Rate, p)
}

func (e Exponential) check() error {
	if e.Steps < 1 {
		return fmt.Errorf("exponential: Steps is %d, it must be at least 1", e.Steps)
	}
	if err := notNegative("exponential", "Initial", e.Initial); err != nil {
		return err
	}
	return notNegative("exponential", "Rate", e.Rate)
}

func notNegative(schedule, field string, v float64) error {
	if !(v >= 0) || math.IsInf(v, 0) {
		return fmt.Errorf("%s: %s is %v, it must be a number that is not negative", schedule, field, v)
	}
	return nil
}
