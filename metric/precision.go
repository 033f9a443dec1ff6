package metric

import (
	"fmt"

	"github.com/kun-ml/kun/loss"
	"github.com/kun-ml/kun/nn"
	"github.com/kun-ml/kun/tensor"
)

// Precision is, of what the model called true, the share that is true: TP / (TP + FP); 0 when it called nothing true.
type Precision struct {
	// Threshold is above what an output means true; 0 means 0.5 (without TopK), nn.Zero means 0.
	Threshold float64 `default:"0.5"`
	// TopK calls true only the K largest outputs of a row, whatever they are unless Threshold is set; 0: all that pass.
	TopK int
	// Classes are the positions on the last axis that count; none: all.
	Classes []int
	// As is the name in logs; empty: "precision".
	As string
}

// Name is "precision", or As.
func (m Precision) Name() string { return named(m.As, "precision") }

// Rises is true: more is better.
func (m Precision) Rises() bool { return true }

// Update takes an output and a target of one shape; a target other than 0 means true.
func (m Precision) Update(t *Totals, y, target, weight *tensor.Tensor) {
	said, is, w := verdicts("Precision", m.Threshold, m.TopK, m.Classes, y, target, weight)
	t.Add("true_positives", weighed(said.And(is), w))
	t.Add("false_positives", weighed(said.And(is.Not()), w))
}

// Result is TP / (TP + FP).
func (m Precision) Result(v Values) float64 {
	tp := v.scalar("true_positives")
	return ratio(tp, tp+v.scalar("false_positives"))
}

// Recall is, of what is true, the share that the model called true: TP / (TP + FN); 0 when nothing is true.
type Recall struct {
	// Threshold is above what an output means true; 0 means 0.5 (without TopK), nn.Zero means 0.
	Threshold float64 `default:"0.5"`
	// TopK calls true only the K largest outputs of a row, whatever they are unless Threshold is set; 0: all that pass.
	TopK int
	// Classes are the positions on the last axis that count; none: all.
	Classes []int
	// As is the name in logs; empty: "recall".
	As string
}

// Name is "recall", or As.
func (m Recall) Name() string { return named(m.As, "recall") }

// Rises is true: more is better.
func (m Recall) Rises() bool { return true }

// Update takes an output and a target of one shape; a target other than 0 means true.
func (m Recall) Update(t *Totals, y, target, weight *tensor.Tensor) {
	said, is, w := verdicts("Recall", m.Threshold, m.TopK, m.Classes, y, target, weight)
	t.Add("true_positives", weighed(said.And(is), w))
	t.Add("false_negatives", weighed(said.Not().And(is), w))
}

// Result is TP / (TP + FN).
func (m Recall) Result(v Values) float64 {
	tp := v.scalar("true_positives")
	return ratio(tp, tp+v.scalar("false_negatives"))
}

// weighed is the sum of the weights where hit holds.
func weighed(hit, w *tensor.Tensor) *tensor.Tensor {
	h := number(hit)
	if w != nil {
		h = h.Mul(w)
	}
	return h.Sum()
}

// verdicts says for each element what the model called true, what is true, and how much it counts (nil: 1).
func verdicts(op string, threshold float64, topK int, classes []int, y, target, weight *tensor.Tensor) (said, is, w *tensor.Tensor) {
	mask := y.Mask()
	y, target = loss.Match(op, number(y), number(target))
	limit := nn.Value(threshold, 0.5)
	var top *tensor.Tensor
	if topK != 0 {
		if topK < 0 || y.Rank() < 2 || topK > y.Dim(-1) {
			panic(&tensor.ShapeError{Op: op, Layer: y.Label(), Why: fmt.Sprintf("TopK is %d for an output of shape %v", topK, y.Shape())})
		}
		limit = nn.Value(threshold, -1e10)
		top = largest(y, topK)
	}
	w = weightsOf(op, y, mask, weight)
	said = y.Greater(tensor.Full(y, limit))
	if top != nil {
		said = said.And(top)
	}
	is = target.NotEqual(tensor.Full(target, 0))
	if len(classes) == 0 {
		return said, is, w
	}
	pick := func(x *tensor.Tensor) *tensor.Tensor {
		var cols []*tensor.Tensor
		for _, c := range classes {
			if c < 0 || c >= y.Dim(-1) {
				panic(&tensor.ShapeError{Op: op, Layer: y.Label(), Why: fmt.Sprintf("class %d is outside of an output of shape %v", c, y.Shape())})
			}
			cols = append(cols, x.Slice(-1, c, c+1))
		}
		return tensor.Concat(-1, cols...)
	}
	if w != nil {
		w = pick(w)
	}
	return pick(said), pick(is), w
}

// largest marks the k largest elements of each row of y (...,C); among equals the first ones.
func largest(y *tensor.Tensor, k int) *tensor.Tensor {
	var mark *tensor.Tensor
	low := tensor.Full(y, -maxFinite)
	for range k {
		hot := y.ArgMax(-1).OneHot(y.Dim(-1), y.DType())
		hit := hot.Greater(tensor.Full(hot, 0))
		y = tensor.Where(hit, low, y)
		if mark != nil {
			hit = hit.Or(mark)
		}
		mark = hit
	}
	return mark
}
