package loss

import "github.com/kun-ml/kun/tensor"

// MeanSquaredError is the mean of (y - target)^2 over the last axis.
type MeanSquaredError struct{}

// Loss is (B,...,N) and a target of the same shape to (B,...); (B) and (B) to (B).
func (MeanSquaredError) Loss(y, target *tensor.Tensor) *tensor.Tensor {
	p, t := floats(Match("MeanSquaredError", y, target))
	return perSample(p.Sub(t).Square(), y)
}

// MeanAbsoluteError is the mean of |y - target| over the last axis. At 0 the gradient is 0.
type MeanAbsoluteError struct{}

// Loss is (B,...,N) and a target of the same shape to (B,...); (B) and (B) to (B).
func (MeanAbsoluteError) Loss(y, target *tensor.Tensor) *tensor.Tensor {
	p, t := floats(Match("MeanAbsoluteError", y, target))
	return perSample(p.Sub(t).Abs(), y)
}
