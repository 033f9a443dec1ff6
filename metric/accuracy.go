package metric

import (
	"fmt"

	"github.com/kun-ml/kun/array"
	"github.com/kun-ml/kun/loss"
	"github.com/kun-ml/kun/nn"
	"github.com/kun-ml/kun/tensor"
)

// Accuracy is the share of right answers. What is right follows from the shapes, as in Keras: an output whose last axis
// has size 1 is judged as by BinaryAccuracy; class numbers as targets as by SparseCategoricalAccuracy; targets of the
// output's shape as by CategoricalAccuracy.
type Accuracy struct {
	// As is the name in logs; empty: "accuracy".
	As string
}

// Name is "accuracy", or As.
func (m Accuracy) Name() string { return named(m.As, "accuracy") }

// Rises is true: more is better.
func (m Accuracy) Rises() bool { return true }

// Update adds the right answers of a batch.
func (m Accuracy) Update(t *Totals, y, target, weight *tensor.Tensor) {
	switch {
	case y.Rank() == 1 || y.Dim(-1) == 1:
		BinaryAccuracy{}.Update(t, y, target, weight)
	case target.Rank() < y.Rank() || target.Dim(-1) == 1:
		SparseCategoricalAccuracy{}.Update(t, y, target, weight)
	default:
		CategoricalAccuracy{}.Update(t, y, target, weight)
	}
}

// Result is right answers / all.
func (m Accuracy) Result(v Values) float64 { return v.mean() }

// BinaryAccuracy is the share of elements for which (output > Threshold) is the target, 0 or 1.
type BinaryAccuracy struct {
	// Threshold is above what an output means 1; 0 means 0.5, nn.Zero means 0.
	Threshold float64 `default:"0.5"`
	// As is the name in logs; empty: "binary_accuracy".
	As string
}

// Name is "binary_accuracy", or As.
func (m BinaryAccuracy) Name() string { return named(m.As, "binary_accuracy") }

// Rises is true: more is better.
func (m BinaryAccuracy) Rises() bool { return true }

// Update takes an output and a target of one shape.
func (m BinaryAccuracy) Update(t *Totals, y, target, weight *tensor.Tensor) {
	p, g := loss.Match("BinaryAccuracy", y, target)
	p = p.Greater(tensor.Full(p, nn.Value(m.Threshold, 0.5)))
	t.mean("BinaryAccuracy", number(number(p).Equal(number(g))), y.Mask(), weight)
}

// Result is right answers / all.
func (m BinaryAccuracy) Result(v Values) float64 { return v.mean() }

// CategoricalAccuracy is the share of samples whose largest output stands where the largest target stands; the first
// among equals.
type CategoricalAccuracy struct {
	// As is the name in logs; empty: "categorical_accuracy".
	As string
}

// Name is "categorical_accuracy", or As.
func (m CategoricalAccuracy) Name() string { return named(m.As, "categorical_accuracy") }

// Rises is true: more is better.
func (m CategoricalAccuracy) Rises() bool { return true }

// Update takes an output (B,...,C) and a target of the same shape.
func (m CategoricalAccuracy) Update(t *Totals, y, target, weight *tensor.Tensor) {
	y, g := distributions("CategoricalAccuracy", y, target)
	t.mean("CategoricalAccuracy", number(y.ArgMax(-1).Equal(g)), y.Mask(), weight)
}

// Result is right answers / all.
func (m CategoricalAccuracy) Result(v Values) float64 { return v.mean() }

// distributions checks the shapes and gives the class of each target.
func distributions(op string, y, target *tensor.Tensor) (*tensor.Tensor, *tensor.Tensor) {
	if y.Rank() < 2 || !y.Shape().Equal(target.Shape()) {
		panic(&tensor.ShapeError{Op: op, Layer: y.Label(), Why: fmt.Sprintf("the output has shape %v, the target %v", y.Shape(), target.Shape()),
			Got: y.Type().String() + " x " + target.Type().String(), Hint: "both must be (B,C); use Sparse" + op + " for class numbers"})
	}
	return y, target.ArgMax(-1)
}

// SparseCategoricalAccuracy is the share of samples whose largest output stands at the class number that is the target;
// the first among equals.
type SparseCategoricalAccuracy struct {
	// As is the name in logs; empty: "sparse_categorical_accuracy".
	As string
}

// Name is "sparse_categorical_accuracy", or As.
func (m SparseCategoricalAccuracy) Name() string { return named(m.As, "sparse_categorical_accuracy") }

// Rises is true: more is better.
func (m SparseCategoricalAccuracy) Rises() bool { return true }

// Update takes an output (B,...,C) and class numbers (B,...) or (B,...,1).
func (m SparseCategoricalAccuracy) Update(t *Totals, y, target, weight *tensor.Tensor) {
	c := loss.Classes("SparseCategoricalAccuracy", y, target)
	t.mean("SparseCategoricalAccuracy", number(y.ArgMax(-1).Equal(c)), y.Mask(), weight)
}

// Result is right answers / all.
func (m SparseCategoricalAccuracy) Result(v Values) float64 { return v.mean() }

// TopKCategoricalAccuracy is the share of samples for which fewer than K outputs are larger than that of the class where
// the target is largest.
type TopKCategoricalAccuracy struct {
	// K is how many classes may be named; 0 means 5.
	K int `default:"5"`
	// As is the name in logs; empty: "top_k_categorical_accuracy".
	As string
}

// Name is "top_k_categorical_accuracy", or As.
func (m TopKCategoricalAccuracy) Name() string { return named(m.As, "top_k_categorical_accuracy") }

// Rises is true: more is better.
func (m TopKCategoricalAccuracy) Rises() bool { return true }

// Update takes an output (B,...,C) and a target of the same shape.
func (m TopKCategoricalAccuracy) Update(t *Totals, y, target, weight *tensor.Tensor) {
	y, c := distributions("TopKCategoricalAccuracy", y, target)
	t.mean("TopKCategoricalAccuracy", inTopK("TopKCategoricalAccuracy", y, c, m.K), y.Mask(), weight)
}

// Result is right answers / all.
func (m TopKCategoricalAccuracy) Result(v Values) float64 { return v.mean() }

// SparseTopKCategoricalAccuracy is the share of samples for which fewer than K outputs are larger than that of the class
// number that is the target.
type SparseTopKCategoricalAccuracy struct {
	// K is how many classes may be named; 0 means 5.
	K int `default:"5"`
	// FromSortedIDs says that the outputs are class numbers already, the most likely first.
	FromSortedIDs bool
	// As is the name in logs; empty: "sparse_top_k_categorical_accuracy".
	As string
}

// Name is "sparse_top_k_categorical_accuracy", or As.
func (m SparseTopKCategoricalAccuracy) Name() string {
	return named(m.As, "sparse_top_k_categorical_accuracy")
}

// Rises is true: more is better.
func (m SparseTopKCategoricalAccuracy) Rises() bool { return true }

// Update takes an output (B,...,C) and class numbers (B,...) or (B,...,1).
func (m SparseTopKCategoricalAccuracy) Update(t *Totals, y, target, weight *tensor.Tensor) {
	const op = "SparseTopKCategoricalAccuracy"
	c := loss.Classes(op, y, target)
	if !m.FromSortedIDs {
		t.mean(op, inTopK(op, y, c, m.K), y.Mask(), weight)
		return
	}
	first := y.Slice(-1, 0, min(topK(op, y, m.K), y.Dim(-1)))
	hit := first.Cast(array.Int32).Equal(c.Reshape(append(c.Shape().Clone(), 1)...))
	t.mean(op, number(hit).Max(-1), y.Mask(), weight)
}

// Result is right answers / all.
func (m SparseTopKCategoricalAccuracy) Result(v Values) float64 { return v.mean() }

// inTopK is 1 where fewer than k elements of a row of y (...,C) are larger than the one of class c (...). A row with a
// NaN or an infinity, or a class outside, counts as wrong.
func inTopK(op string, y, c *tensor.Tensor, k int) *tensor.Tensor {
	k = topK(op, y, k)
	y = number(y)
	own := y.Gather(c, -1) // (...)
	larger := number(y.Greater(own.Reshape(append(own.Shape().Clone(), 1)...))).Sum(-1)
	limit := tensor.Full(own, maxFinite)
	sound := y.Abs().Max(-1).LessEqual(limit).And(own.Abs().LessEqual(limit))
	return number(larger.Less(tensor.Full(larger, float64(k))).And(sound))
}

// topK is the K of a metric, 5 by default.
func topK(op string, y *tensor.Tensor, k int) int {
	switch {
	case k == 0:
		return 5
	case k < 0:
		panic(&tensor.ShapeError{Op: op, Layer: y.Label(), Why: fmt.Sprintf("K is %d, it must be at least 1", k)})
	}
	return k
}

// maxFinite is the largest float32.
const maxFinite = 3.4028234663852886e38
