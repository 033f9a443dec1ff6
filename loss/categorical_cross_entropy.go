package loss

import (
	"fmt"

	"github.com/kun-ml/kun/array"
	"github.com/kun-ml/kun/tensor"
)

// CategoricalCrossEntropy is -sum(t log(p)) over the last axis, for targets that are distributions over the classes
// (one-hot, or shared). Probabilities are divided by their sum and cut to 1e-7..1-1e-7; when they come straight out of a
// softmax, its operand is used instead, which loses nothing (as Keras on TensorFlow does).
type CategoricalCrossEntropy struct {
	// FromLogits says that the output is x with p = softmax(x).
	FromLogits bool `json:"from_logits,omitempty"`
	// LabelSmoothing s, 0 to 1, draws the targets to the uniform distribution: t(1-s) + s/C.
	LabelSmoothing float64 `json:"label_smoothing,omitempty"`
}

// Loss is (B,...,C) and a target of the same shape to (B,...).
func (l CategoricalCrossEntropy) Loss(y, target *tensor.Tensor) *tensor.Tensor {
	const op = "CategoricalCrossEntropy"
	checkSmoothing(op, l.LabelSmoothing, y, target)
	if y.Rank() < 2 || !y.Shape().Equal(target.Shape()) {
		hint := "the target must have the output's shape, (B,C)"
		if target.Rank() < y.Rank() || target.Dim(-1) == 1 {
			hint = "use SparseCategoricalCrossEntropy for class numbers, or make the target one-hot"
		}
		fail(op, y, target, hint, "the output has shape %v, the target %v", y.Shape(), target.Shape())
	}
	x, logits := y, l.FromLogits
	if z, ok := y.Logits(); ok && !logits {
		x, logits = z, true
	}
	x, t := floats(x, target)
	if s := l.LabelSmoothing; s > 0 {
		t = t.Scale(1 - s).AddScalar(s / float64(y.Dim(-1)))
	}
	var e *tensor.Tensor
	if logits {
		e = t.Mul(x.LogSoftmax(-1)).Sum(-1).Neg()
	} else {
		p := x.Div(x.SumKeep(-1)).Clip(epsilon, 1-epsilon)
		e = t.Mul(p.Log()).Sum(-1).Neg()
	}
	return masked(e, y.Mask(), nil)
}

// SparseCategoricalCrossEntropy is -log(p[t]) for targets that are class numbers 0..C-1. Probabilities are cut to
// 1e-7..1-1e-7 and taken to sum to 1 by a softmax over their logarithms; when they come straight out of a softmax, its
// operand is used instead, which loses nothing (as Keras on TensorFlow does). A number outside 0..C-1 gives NaN.
type SparseCategoricalCrossEntropy struct {
	// FromLogits says that the output is x with p = softmax(x).
	FromLogits bool `json:"from_logits,omitempty"`
	// IgnoreClasses are target numbers that do not count, such as -1: their loss is 0 and masked out.
	IgnoreClasses []int `json:"ignore_classes,omitempty"`
}

// Loss is (B,...,C) and class numbers (B,...) or (B,...,1), of any element type, to (B,...).
func (l SparseCategoricalCrossEntropy) Loss(y, target *tensor.Tensor) *tensor.Tensor {
	t := Classes("SparseCategoricalCrossEntropy", y, target)
	var valid *tensor.Tensor
	for _, c := range l.IgnoreClasses {
		v := t.NotEqual(tensor.Full(t, float64(c)))
		if valid != nil {
			v = v.And(valid)
		}
		valid = v
	}
	if valid != nil {
		t = tensor.Where(valid, t, tensor.Full(t, 0))
	}
	x, logits := y, l.FromLogits
	if z, ok := y.Logits(); ok && !logits {
		x, logits = z, true
	}
	x = full(x)
	if !logits {
		x = x.Clip(epsilon, 1-epsilon).Log()
	}
	e := x.SparseCrossEntropy(t)
	if valid != nil {
		e = tensor.Where(valid, e, tensor.Full(e, 0))
	}
	return masked(e, y.Mask(), valid)
}

// Classes brings class numbers to the shape that belongs to the output (B,...,C): (B,...), as int32. A trailing axis of
// size 1 is dropped. Everything else panics with a *tensor.ShapeError named op.
func Classes(op string, y, target *tensor.Tensor) *tensor.Tensor {
	if y.Rank() < 2 {
		fail(op, y, target, "end the model with one unit per class", "the output has shape %v, it needs an axis of classes", y.Shape())
	}
	rows := y.Shape()[:y.Rank()-1]
	t := target
	if t.Rank() == y.Rank() && t.Dim(-1) == 1 {
		t = t.Reshape(t.Shape()[:t.Rank()-1]...)
	}
	if !t.Shape().Equal(rows) {
		hint := fmt.Sprintf("class numbers must have shape %v", rows)
		if target.Shape().Equal(y.Shape()) {
			hint = "the target looks one-hot: use CategoricalCrossEntropy, or give class numbers"
		}
		fail(op, y, target, hint, "the output has shape %v, the class numbers %v", y.Shape(), target.Shape())
	}
	return t.Cast(array.Int32)
}
