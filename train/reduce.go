package train

import (
	"fmt"

	"github.com/kun-ml/kun/array"
	"github.com/kun-ml/kun/tensor"
)

// Mean is the loss of a batch from the losses of its samples, (B) or (B,T), as Keras reduces them (sum_over_batch_size):
// the sum of loss * weight over the number of losses. A mask that rides on the losses leaves masked ones out and divides
// by the number of valid ones. weight is (B), (B,T) or nil: 1 each; weights are not divided by their sum.
func Mean(losses, weight *tensor.Tensor) *tensor.Tensor {
	if losses.Rank() == 0 {
		return losses
	}
	mask := losses.Mask()
	if weight != nil {
		losses = losses.Mul(weightsFor(losses, weight))
	}
	if mask == nil {
		return losses.Mean()
	}
	m := mask.Cast(losses.DType())
	return losses.Mul(m).Sum().Div(m.Sum().MaximumScalar(1e-7))
}

// weightsFor brings weights (B) or (B,1) or (B,T) to the rank of the losses.
func weightsFor(losses, weight *tensor.Tensor) *tensor.Tensor {
	w := weight.Cast(losses.DType())
	if w.Rank() == losses.Rank()+1 && w.Dim(-1) == 1 {
		w = w.Reshape(w.Shape()[:losses.Rank()]...)
	}
	for w.Rank() < losses.Rank() {
		w = w.Reshape(append(w.Shape().Clone(), 1)...)
	}
	for i, d := range w.Shape() {
		if w.Rank() != losses.Rank() || d != losses.Dim(i) && (d != 1 || i == 0) {
			panic(&tensor.ShapeError{Op: "Loss", Layer: losses.Label(), Why: fmt.Sprintf("weights of shape %v do not fit losses of shape %v", weight.Shape(), losses.Shape()),
				Hint: "give one weight per sample, (B), or per step, (B,T)"})
		}
	}
	return w
}

// total adds to a running mean over samples, in float64: "sum" by value * n, "count" by n.
func total(prefix string, value *tensor.Tensor, n *tensor.Tensor) {
	g := value.Graph().Root()
	add := func(name string, v *tensor.Tensor) {
		s := g.Variable(prefix+"/"+name, tensor.Total, nil, array.Float64)
		tensor.Assign(s, s.Add(v))
	}
	n = n.Cast(array.Float64)
	add("sum", value.Cast(array.Float64).Mul(n))
	add("count", n)
}

// rows is the number of samples of a batch as a traced float32 scalar, so that it follows the batch size.
func rows(in []*tensor.Tensor) *tensor.Tensor {
	one := tensor.FullOf(in[0], array.Float32, 1, in[0].Dim(0))
	return one.Sum()
}

// meanOf reads a running mean; 0 when nothing was added.
func meanOf(prefix string, vars map[string]*tensor.Var) float64 {
	s, n := vars[prefix+"/sum"], vars[prefix+"/count"]
	if s == nil || n == nil {
		return 0
	}
	count := array.Data[float64](n.Value)[0]
	if count == 0 {
		return 0
	}
	return array.Data[float64](s.Value)[0] / count
}
