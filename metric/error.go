package metric

import (
	"math"

	"github.com/kun-ml/kun/loss"
	"github.com/kun-ml/kun/tensor"
)

// MeanSquaredError is the mean of (y - target)^2.
type MeanSquaredError struct {
	// As is the name in logs; empty: "mean_squared_error".
	As string
}

// Name is "mean_squared_error", or As.
func (m MeanSquaredError) Name() string { return named(m.As, "mean_squared_error") }

// Rises is false: less is better.
func (m MeanSquaredError) Rises() bool { return false }

// Update takes an output and a target of one shape.
func (m MeanSquaredError) Update(t *Totals, y, target, weight *tensor.Tensor) {
	t.ofLoss("MeanSquaredError", loss.MeanSquaredError{}, y, target, weight)
}

// Result is the mean.
func (m MeanSquaredError) Result(v Values) float64 { return v.mean() }

// RootMeanSquaredError is the square root of the mean of (y - target)^2.
type RootMeanSquaredError struct {
	// As is the name in logs; empty: "root_mean_squared_error".
	As string
}

// Name is "root_mean_squared_error", or As.
func (m RootMeanSquaredError) Name() string { return named(m.As, "root_mean_squared_error") }

// Rises is false: less is better.
func (m RootMeanSquaredError) Rises() bool { return false }

// Update takes an output and a target of one shape.
func (m RootMeanSquaredError) Update(t *Totals, y, target, weight *tensor.Tensor) {
	t.ofLoss("RootMeanSquaredError", loss.MeanSquaredError{}, y, target, weight)
}

// Result is the root of the mean.
func (m RootMeanSquaredError) Result(v Values) float64 { return math.Sqrt(v.mean()) }

// MeanAbsoluteError is the mean of |y - target|.
type MeanAbsoluteError struct {
	// As is the name in logs; empty: "mean_absolute_error".
	As string
}

// Name is "mean_absolute_error", or As.
func (m MeanAbsoluteError) Name() string { return named(m.As, "mean_absolute_error") }

// Rises is false: less is better.
func (m MeanAbsoluteError) Rises() bool { return false }

// Update takes an output and a target of one shape.
func (m MeanAbsoluteError) Update(t *Totals, y, target, weight *tensor.Tensor) {
	t.ofLoss("MeanAbsoluteError", loss.MeanAbsoluteError{}, y, target, weight)
}

// Result is the mean.
func (m MeanAbsoluteError) Result(v Values) float64 { return v.mean() }

// ofLoss adds the mean of a loss.
func (t *Totals) ofLoss(op string, l loss.Loss, y, target, weight *tensor.Tensor) {
	e := l.Loss(y, target)
	t.mean(op, number(e), e.Mask(), weight)
}
