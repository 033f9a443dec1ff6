package metric

import (
	"fmt"
	"math"
	"slices"

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
	// PRGain is precision gain over recall gain, which a guess at random cannot lift. Flach and Kull 2015.
	PRGain Curve = "pr_gain"
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
// ranks a true sample above a false one. The curve is known at some points only, so the area is an approximation, the same
// as Keras's.
type AUC struct {
	// NumThresholds is the number of points, spread evenly; 0 means 200.
	NumThresholds int `default:"200"`
	// Thresholds are the points between 0 and 1 instead; none: NumThresholds counts. Both ends are added.
	Thresholds []float64
	// Curve is the curve; empty: ROC.
	Curve Curve
	// Summation is the rule for the area; empty: Interpolation.
	Summation Summation
	// MultiLabel takes the columns of the output (B,L) as separate questions and averages their areas.
	MultiLabel bool
	// LabelWeights weigh the columns of the output: their areas with MultiLabel, else their elements; none: 1 each.
	LabelWeights []float64
	// FromLogits says that the output is x with p = sigmoid(x).
	FromLogits bool
	// As is the name in logs; empty: "auc".
	As string
}

// Name is "auc", or As.
func (m AUC) Name() string { return named(m.As, "auc") }

// Rises is true: more is better.
func (m AUC) Rises() bool { return true }

func (m AUC) points() int {
	switch {
	case len(m.Thresholds) > 0:
		return len(m.Thresholds) + 2
	case m.NumThresholds == 0:
		return 200
	}
	return m.NumThresholds
}

// Update takes probabilities and targets of one shape; a target other than 0 means true. Probabilities are cut to 0..1. It
// counts them in buckets between the thresholds: one pass, whatever the number of even thresholds.
func (m AUC) Update(t *Totals, y, target, weight *tensor.Tensor) {
	mask, n := y.Mask(), m.points()
	y, target = loss.Match("AUC", number(y), number(target))
	if why := m.wrong(y); why != "" {
		panic(&tensor.ShapeError{Op: "AUC", Layer: y.Label(), Why: why})
	}
	if m.FromLogits {
		y = y.Sigmoid()
	}
	bucket, rows := m.bucket(y), n
	if m.MultiLabel {
		first := make([]int32, y.Dim(-1))
		for i := range first {
			first[i] = int32(i * n)
		}
		bucket = bucket.Add(tensor.Const(bucket, array.From(first)))
		rows *= len(first)
	}
	yes := number(target.NotEqual(tensor.Full(target, 0)))
	no := yes.OneMinus()
	w := weightsOf("AUC", y, mask, weight)
	if len(m.LabelWeights) > 0 && !m.MultiLabel {
		of := make([]float32, len(m.LabelWeights))
		for i, v := range m.LabelWeights {
			of[i] = float32(v)
		}
		labels := tensor.Const(y, array.From(of)).BroadcastTo(y.Shape()...)
		if w != nil {
			labels = labels.Mul(w)
		}
		w = labels
	}
	if w != nil {
		yes, no = yes.Mul(w), no.Mul(w)
	}
	t.Add("true", bucket.ScatterAddRows(yes, rows))
	t.Add("false", bucket.ScatterAddRows(no, rows))
}

// bucket is, for each probability, how many of the thresholds after the first one lie below it.
func (m AUC) bucket(y *tensor.Tensor) *tensor.Tensor {
	y = y.Clip(0, 1)
	if len(m.Thresholds) == 0 {
		// Bucket i holds what lies in (i/(n-1), (i+1)/(n-1)]; the first one holds 0 as well.
		ceil := y.Scale(float64(m.points() - 1)).Neg().Floor().Neg()
		return ceil.AddScalar(-1).MaximumScalar(0).Cast(array.Int32)
	}
	limits := make([]float32, len(m.Thresholds))
	for i, v := range slices.Sorted(slices.Values(m.Thresholds)) {
		limits[i] = float32(v)
	}
	wide := y.Reshape(append(y.Shape().Clone(), 1)...)
	return number(wide.Greater(tensor.Const(y, array.From(limits)))).Sum(-1).Cast(array.Int32)
}

// wrong says which setting cannot be, or "".
func (m AUC) wrong(y *tensor.Tensor) string {
	switch {
	case m.points() < 2:
		return fmt.Sprintf("NumThresholds is %d, it must be at least 2", m.NumThresholds)
	case m.Curve != "" && m.Curve != ROC && m.Curve != PR && m.Curve != PRGain:
		return fmt.Sprintf("unknown Curve %q (known: roc, pr, pr_gain)", string(m.Curve))
	case m.Summation != "" && m.Summation != Interpolation && m.Summation != Minoring && m.Summation != Majoring:
		return fmt.Sprintf("unknown Summation %q (known: interpolation, minoring, majoring)", string(m.Summation))
	case m.MultiLabel && y.Rank() != 2:
		return fmt.Sprintf("MultiLabel wants an output (B,L), got shape %v", y.Shape())
	case len(m.LabelWeights) > 0 && (y.Rank() < 2 || y.Dim(-1) != len(m.LabelWeights)):
		return fmt.Sprintf("%d LabelWeights for an output of shape %v", len(m.LabelWeights), y.Shape())
	}
	for _, v := range m.Thresholds {
		if !(v >= 0 && v <= 1) {
			return fmt.Sprintf("a threshold is %v, it must lie between 0 and 1", v)
		}
	}
	return ""
}

// Result is the area, averaged over the columns with MultiLabel.
func (m AUC) Result(v Values) float64 {
	n := m.points()
	yes, no := v("true").Float64s(), v("false").Float64s()
	area, sum := 0.0, 0.0
	for c := range len(yes) / n {
		w := 1.0
		if m.MultiLabel && len(m.LabelWeights) > 0 {
			w = m.LabelWeights[c]
		}
		area += w * m.area(above(yes[c*n:(c+1)*n]), above(no[c*n:(c+1)*n]))
		sum += w
	}
	return ratio(area, sum)
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
		switch m.Curve {
		case PR:
			return recall, ratio(tp[i], tp[i]+fp[i])
		case PRGain:
			if tp[i] == 0 {
				return 0, 1
			}
			odds := ratio(all, none)
			return max(0, 1-odds*(all-tp[i])/tp[i]), 1 - odds*fp[i]/tp[i]
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
