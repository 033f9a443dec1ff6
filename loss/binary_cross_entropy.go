package loss

import "github.com/kun-ml/kun/tensor"

// epsilon keeps probabilities away from 0 and 1: Keras's fuzz factor.
const epsilon = 1e-7

// BinaryCrossEntropy is the mean over the last axis of -t log(p) - (1-t) log(1-p), for independent yes-or-no answers.
// Probabilities are cut to 1e-7..1-1e-7; when they come straight out of a sigmoid, its operand is used instead, which
// loses nothing (as Keras on TensorFlow does).
type BinaryCrossEntropy struct {
	// FromLogits says that the output is x with p = sigmoid(x).
	FromLogits bool `json:"from_logits,omitempty"`
	// LabelSmoothing s, 0 to 1, draws the targets to the middle: t(1-s) + s/2.
	LabelSmoothing float64 `json:"label_smoothing,omitempty"`
}

// Loss is (B,...,N) and a target of the same shape to (B,...); (B) and (B) to (B).
func (l BinaryCrossEntropy) Loss(y, target *tensor.Tensor) *tensor.Tensor {
	const op = "BinaryCrossEntropy"
	checkSmoothing(op, l.LabelSmoothing, y, target)
	x, logits := y, l.FromLogits
	if z, ok := y.SigmoidLogits(); ok && !logits {
		x, logits = z, true
	}
	x, t := floats(Match(op, x, target))
	if s := l.LabelSmoothing; s > 0 {
		t = t.Scale(1 - s).AddScalar(s / 2)
	}
	if logits {
		// max(x,0) - x t + log(1 + exp(-|x|)), by choices so that the gradient at 0 is right.
		pos := x.Greater(tensor.Full(x, 0))
		soft := tensor.Where(pos, x, tensor.Full(x, 0)).Add(tensor.Where(pos, x.Neg(), x).Exp().Log1p())
		return perSample(soft.Sub(x.Mul(t)), y)
	}
	p := x.Clip(epsilon, 1-epsilon)
	return perSample(t.Mul(p.Log()).Add(t.OneMinus().Mul(p.OneMinus().Log())).Neg(), y)
}

func checkSmoothing(op string, s float64, y, target *tensor.Tensor) {
	if !(s >= 0 && s <= 1) {
		fail(op, y, target, "", "LabelSmoothing is %v, it must lie between 0 and 1", s)
	}
}
