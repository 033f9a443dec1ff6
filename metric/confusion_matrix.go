package metric

import (
	"github.com/kun-ml/kun/array"
	"github.com/kun-ml/kun/loss"
	"github.com/kun-ml/kun/tensor"
)

// ConfusionMatrix counts samples by true class and answer. It takes outputs and targets as Accuracy does; an output whose
// last axis has size 1 stands for two classes, the second above 0.5. Samples of weight 0 and classes outside do not
// count; other weights count as 1.
type ConfusionMatrix struct {
	// As is the name in logs; empty: "confusion_matrix".
	As string
}

// Name is "confusion_matrix", or As.
func (m ConfusionMatrix) Name() string { return named(m.As, "confusion_matrix") }

// Rises is true: more is better.
func (m ConfusionMatrix) Rises() bool { return true }

// Update counts a batch.
func (m ConfusionMatrix) Update(t *Totals, y, target, weight *tensor.Tensor) {
	const op = "ConfusionMatrix"
	mask := y.Mask()
	var said, is *tensor.Tensor
	classes := 2
	switch {
	case y.Rank() == 1 || y.Dim(-1) == 1:
		y, target = loss.Match(op, y, target)
		said, is = y.Greater(tensor.Full(y, 0.5)).Cast(array.Int32), target.Cast(array.Int32)
	case target.Rank() < y.Rank() || target.Dim(-1) == 1:
		said, is, classes = y.ArgMax(-1), loss.Classes(op, y, target), y.Dim(-1)
	default:
		p, c := distributions(op, y, target)
		said, is, classes = p.ArgMax(-1), c, p.Dim(-1)
	}
	counts := tensor.FullOf(said, array.Int64, 1, said.Shape()...)
	if w := weightsOf(op, number(said), mask, weight); w != nil {
		counts = w.NotEqual(tensor.Full(w, 0)).Cast(array.Int64)
	}
	// A true class outside 0..C-1 leads to a cell outside 0..C*C-1, because the answer never does; it is skipped.
	cell := is.Mul(tensor.Full(is, float64(classes))).Add(said)
	t.Add("matrix", cell.ScatterAddRows(counts, classes*classes).Reshape(classes, classes))
}

// Result is the share of samples on the diagonal: the accuracy.
func (m ConfusionMatrix) Result(v Values) float64 {
	right, all := 0.0, 0.0
	for i, row := range m.Matrix(v) {
		for j, n := range row {
			all += float64(n)
			if i == j {
				right += float64(n)
			}
		}
	}
	return ratio(right, all)
}

// Matrix is the table of counts: row the true class, column the answer. It is a copy.
func (m ConfusionMatrix) Matrix(v Values) [][]int64 {
	a := v("matrix")
	out := make([][]int64, a.Dim(0))
	for i := range out {
		out[i] = append([]int64(nil), array.Data[int64](a.Rows(i, i+1))...)
	}
	return out
}
