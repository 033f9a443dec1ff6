package nn

import (
	"github.com/kun-ml/kun/array"
	"github.com/kun-ml/kun/tensor"
)

// Regularizer is a penalty on a weight or an output, a scalar that is added to the loss.
type Regularizer interface {
	Penalty(w *tensor.Tensor) *tensor.Tensor
}

// L1 is Factor times the sum of |w|.
type L1 struct {
	// Factor weighs the penalty; 0 means 0.01.
	Factor float64 `default:"0.01"`
}

// L2 is Factor times the sum of w*w.
type L2 struct {
	// Factor weighs the penalty; 0 means 0.01.
	Factor float64 `default:"0.01"`
}

// L1L2 is L1 times the sum of |w| plus L2 times the sum of w*w.
type L1L2 struct {
	// L1 and L2 weigh the two sums; 0 leaves one out.
	L1, L2 float64
}

// Penalty is Factor * sum(|w|).
func (r L1) Penalty(w *tensor.Tensor) *tensor.Tensor {
	return w.Abs().Sum().Scale(Value(r.Factor, 0.01))
}

// Penalty is Factor * sum(w*w).
func (r L2) Penalty(w *tensor.Tensor) *tensor.Tensor {
	return w.Square().Sum().Scale(Value(r.Factor, 0.01))
}

// Penalty is L1 * sum(|w|) + L2 * sum(w*w).
func (r L1L2) Penalty(w *tensor.Tensor) *tensor.Tensor {
	return w.Abs().Sum().Scale(r.L1).Add(w.Square().Sum().Scale(r.L2))
}

// penalise adds the penalty on a weight of x's layer to the loss, once in a trace however often the layer is used.
func penalise(x *tensor.Tensor, name string, r Regularizer, w func() *tensor.Tensor) {
	if r == nil {
		return
	}
	name += "_penalty"
	full := name
	if l := x.Label(); l != "" {
		full = l + "." + name
	}
	for _, l := range x.Graph().Trace().Losses {
		if l.Name == full {
			return
		}
	}
	x.AddLoss(name, r.Penalty(w()))
}

// penaliseActivity adds the penalty on the output y of x's layer, divided by the batch size. The size is taken from a
// tensor, so that the program holds for any batch.
func penaliseActivity(x *tensor.Tensor, r Regularizer, y *tensor.Tensor) {
	if r == nil {
		return
	}
	y = y.Cast(array.Float32)
	x.AddLoss("activity_penalty", r.Penalty(y).Div(tensor.Full(y, 1, y.Dim(0)).Sum()))
}
