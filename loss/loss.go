package loss

import (
	"fmt"

	"github.com/kun-ml/kun/array"
	"github.com/kun-ml/kun/tensor"
)

// Loss compares a model's output with the target. It runs inside a trace and gives one number per sample, (B) or (B,T).
type Loss interface {
	Loss(y, target *tensor.Tensor) *tensor.Tensor
}

// Match brings output and target to one shape without broadcasting. Equal shapes stay. As in Keras, where the ranks
// differ by one and the last axis of the larger has size 1, that axis is dropped, or added to the other one when it is a
// vector: (B,1) and (B) become (B,1) twice. Everything else panics with a *tensor.ShapeError named op.
func Match(op string, y, target *tensor.Tensor) (*tensor.Tensor, *tensor.Tensor) {
	y, target = level(y, target), level(target, y)
	if !y.Shape().Equal(target.Shape()) {
		fail(op, y, target, matchHint(y, target), "the output has shape %v, the target %v", y.Shape(), target.Shape())
	}
	return y, target
}

// level changes a by one axis of size 1 to meet the rank of b; it keeps a where that is not possible.
func level(a, b *tensor.Tensor) *tensor.Tensor {
	switch {
	case a.Rank() == 1 && b.Rank() == 2 && b.Dim(-1) == 1:
		return a.Reshape(a.Dim(0), 1)
	case a.Rank() == b.Rank()+1 && a.Dim(-1) == 1 && b.Rank() > 1:
		return a.Reshape(a.Shape()[:a.Rank()-1]...)
	}
	return a
}

func matchHint(y, target *tensor.Tensor) string {
	ys, ts := y.Shape(), target.Shape()
	switch {
	case len(ys) == 0 || len(ts) == 0 || ys[0] != ts[0]:
		return "both must have the same number of samples"
	case len(ys) == len(ts)+1 && ys[:len(ts)].Equal(ts):
		return fmt.Sprintf("the model gives %d numbers where the target has one: end the model with 1 unit, or use SparseCategoricalCrossEntropy for class numbers", ys[len(ys)-1])
	case len(ys) == len(ts) && ys[:len(ys)-1].Equal(ts[:len(ts)-1]):
		return fmt.Sprintf("losses do not broadcast: end the model with %d units, or give targets of size %d", ts[len(ts)-1], ys[len(ys)-1])
	}
	return "losses do not broadcast: change the model's last layer or reshape the target"
}

func fail(op string, y, target *tensor.Tensor, hint, format string, a ...any) {
	panic(&tensor.ShapeError{Op: op, Layer: y.Label(), Why: fmt.Sprintf(format, a...), Got: y.Type().String() + " x " + target.Type().String(), Hint: hint})
}

// full is y in at least float32: losses are not computed in half precision.
func full(y *tensor.Tensor) *tensor.Tensor {
	if y.DType() == array.Float64 {
		return y
	}
	return y.Cast(array.Float32)
}

// floats brings output and target to one floating-point type.
func floats(y, target *tensor.Tensor) (*tensor.Tensor, *tensor.Tensor) {
	y = full(y)
	return y, target.Cast(y.DType())
}

// perSample averages over the last axis, where there is one beside the batch, and passes the output's mask on.
func perSample(e, y *tensor.Tensor) *tensor.Tensor {
	if e.Rank() > 1 {
		e = e.Mean(-1)
	}
	return masked(e, y.Mask(), nil)
}

// masked puts on the mask of the output, where it has the loss's shape, together with another one.
func masked(e, mask, other *tensor.Tensor) *tensor.Tensor {
	if mask != nil && !mask.Shape().Equal(e.Shape()) {
		mask = nil
	}
	switch {
	case other == nil:
		return e.WithMask(mask)
	case mask == nil:
		return e.WithMask(other)
	}
	return e.WithMask(mask.And(other))
}
