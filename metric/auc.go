package metric

import (
	"fmt"
	"math"

	"github.com/kun-ml/kun/array"
	"github.com/kun-ml/kun/loss"
	"github.com/kun-ml/kun/tensor"
)

// Curve is what AUC measures the area under.
type Curve string

// The curves. The empty Curve is ROC.
const (
	ROC Curve = "roc" // the true-positive rate over the false-positive rate
	PR  Curve = "pr"  // precision over recall
)

// Summation is how AUC adds up the area between two thresholds.
type Summation string

// The summations. The empty Summation is Interpolation.
const (
	Interpolation Summation = "interpolation" // trapezoids for ROC; for PR the interpolation of Davis and Goadrich 2006
	Minoring      Summation = "minoring"      // the lower of both ends
	Majoring      Summation = "majoring"      // the higher of both ends
)

// AUC is the area under a curve that a threshold between 0 and 1 runs along: for ROC the probability that the model
// ranks a true sample above a false one. The curve is known at NumThresholds points, so the area is an approximation,
// the same as Keras's.
type AUC struct {
	// NumThresholds is the number of points; 0 means 200.
	NumThresholds int `default:"200"`
	// Curve is the curve; empty: ROC.
	Curve Curve
	// Summation is the rule for the area; empty: Interpolation.
	Summation Summation
	// MultiLabel takes the columns of the output (B,L) as separate questions and averages their areas.
	MultiLabel bool
	// FromLogits says that the output is x with p = sigmoid(x).
	FromLogits bool
	// As is the name in logs; empty: "auc".
	As string
}

// Name is "auc", or As.
func (m AUC) Name() string { return named(m.As, "auc") }

func (m AUC) points() int {
	if m.NumThresholds == 0 {
		return 200
	}
	return m.NumThresholds
}

// Update takes probabilities and targets 0 or 1 of one shape. Probabilities are cut to 0..1. It counts them in buckets
// between the thresholds: one pass, whatever the number of thresholds.
func (m AUC) Update(t *Totals, y, target, weight *tensor.Tensor) {
	mask, n := y.Mask(), m.points()
	y, target = loss.Match("AUC", number(y), number(target))
	bad := func(format string, a ...any) {
		panic(&tensor.ShapeError{Op: "AUC", Layer: y.Label(), Why: fmt.Sprintf(format, a...)})
	}
	switch {
	case n < 2:
		bad("NumThresholds is %d, it must be at least 2", n)
	case m.Curve != "" && m.Curve != ROC && m.Curve != PR:
		bad("unknown Curve %q (known: roc, pr)", string(m.Curve))
	case m.Summation != "" && m.Summation != Interpolation && m.Summation != Minoring && m.Summation != Majoring:
		bad("unknown Summation %q (known: interpolation, minoring, majoring)", string(m.Summation))
	case m.MultiLabel && y.Rank() != 2:
		bad("MultiLabel wants an output (B,L), got shape %v", y.Shape())
	}
	if m.FromLogits {
		y = y.Sigmoid()
	}
	// Bucket i holds the probabilities in (i/(n-1), (i+1)/(n-1)]; the first one holds 0 as well.
	ceil := y.Clip(0, 1).Scale(float64(n - 1)).Neg().Floor().Neg()
	bucket := ceil.AddScalar(-1).MaximumScalar(0).Cast(array.Int32)
	rows := n
	if m.MultiLabel {
		first := make([]int32, y.Dim(-1))
		for i := range first {
			first[i] = int32(i * n)
		}
		bucket = bucket.Add(tensor.Const(bucket, array.From(first)))
		rows *= len(first)
	}
	yes, no := target, target.OneMinus()
	if w := weightsOf("AUC", y, mask, weight); w != nil {
		yes, no = yes.Mul(w), no.Mul(w)
	}
	t.Add("true", bucket.ScatterAddRows(yes, rows))
	t.Add("false", bucket.ScatterAddRows(no, rows))
}

// Result is the area, averaged over the columns with MultiLabel.
func (m AUC) Result(v Values) float64 {
	n := m.points()
	yes, no := v("true").Float64s(), v("false").Float64s()
	area, columns := 0.0, len(yes)/n
	for c := range columns {
		area += m.area(above(yes[c*n:(c+1)*n]), above(no[c*n:(c+1)*n]))
	}
	return ratio(area, float64(columns))
}

// above turns the counts in the buckets into the counts above each threshold.
func above(bucket []float64) []float64 {
	out := make([]float64, len(bucket))
	sum := 0.0
	for i := len(bucket) - 1; i >= 0; i-- {
		sum += bucket[i]
		out[i] = sum
	}
	return out
}

// area is that under one curve: tp and fp above each threshold; all of them lie above the first.
func (m AUC) area(tp, fp []float64) float64 {
	all, none := tp[0], fp[0]
	if m.Curve == PR && (m.Summation == "" || m.Summation == Interpolation) {
		return interpolatePR(tp, fp)
	}
	point := func(i int) (x, y float64) {
		recall := ratio(tp[i], all)
		if m.Curve == PR {
			return recall, ratio(tp[i], tp[i]+fp[i])
		}
		return ratio(fp[i], none), recall
	}
	sum := 0.0
	for i := range len(tp) - 1 {
		x0, y0 := point(i)
		x1, y1 := point(i + 1)
		height := (y0 + y1) / 2
		switch m.Summation {
		case Minoring:
			height = min(y0, y1)
		case Majoring:
			height = max(y0, y1)
		}
		sum += (x0 - x1) * height
	}
	return sum
}

// interpolatePR is the area under precision over recall with true positives taken as linear in positives between two
// thresholds (Davis and Goadrich 2006, doi:10.1145/1143844.1143874).
func interpolatePR(tp, fp []float64) float64 {
	sum := 0.0
	for i := range len(tp) - 1 {
		p0, p1 := tp[i]+fp[i], tp[i+1]+fp[i+1]
		slope := ratio(tp[i]-tp[i+1], max(p0-p1, 0))
		intercept := tp[i+1] - slope*p1
		r := 1.0
		if p0 > 0 && p1 > 0 {
			r = p0 / p1
		}
		sum += ratio(slope*(tp[i]-tp[i+1]+intercept*math.Log(r)), tp[0])
	}
	return sum
}
