package prep

import (
	"context"
	"fmt"
	"math"

	"github.com/kun-ml/kun/array"
	"github.com/kun-ml/kun/data"
	"github.com/kun-ml/kun/tensor"
)

// Normalize shifts and scales to mean 0 and variance 1: (x - Mean) / max(sqrt(Var), 1e-7) in float32, Keras's
// Normalization. By default it keeps one mean and variance for each position of the last axis: for each column of a table,
// each channel of (H,W,C) images. Samples that are one number, (B), have one of both. Shapes stay.
type Normalize struct {
	// Whole takes all elements together, Keras's axis=None.
	Whole bool
	// Axes are the axes that keep numbers of their own, counted in the batch (0 is the batch and cannot be one), negative
	// ones from the end; empty: the last.
	Axes []int
	// Mean and Var are the fitted numbers, row-major over the kept axes; Var is the biased variance. Given ones are kept and
	// nothing is fitted: a single number serves for all elements. Set both to nil to fit anew.
	Mean, Var []float64
	// Invert goes the other way, x * max(sqrt(Var), 1e-7) + Mean: from normalized values to those of the data.
	Invert bool
	// On is the field; empty: "x".
	On string
}

// normalizeEpsilon is the least that Normalize divides by, Keras's.
const normalizeEpsilon = 1e-7

// Field is On.
func (n *Normalize) Field() string { return n.On }

// Fit computes mean and variance over the data in float64: in pieces of fixed size, by two passes over each, joined as Chan,
// Golub and LeVeque (1983, doi:10.2307/2683386) join them. A NaN or an infinity is an error that names its row.
func (n *Normalize) Fit(ctx context.Context, src data.Source, field string) error {
	if n.Mean != nil || n.Var != nil {
		return n.check()
	}
	f, ok := data.FieldOf(src, field)
	if !ok {
		return fmt.Errorf("no field %q", field)
	}
	kept, err := n.kept(len(f.Shape) + 1)
	if err != nil {
		return err
	}
	group, size := groups(f.Shape, kept)
	m := moments{mean: make([]float64, size), m2: make([]float64, size), sum: make([]float64, size), sq: make([]float64, size)}
	piece := max(1, 1<<16/max(1, len(group)))
	room := make([]float64, piece*len(group))
	row := 0
	for a, err := range data.Chunks(ctx, src, field, piece) {
		if err != nil {
			return err
		}
		x := room[:a.Len()]
		array.Convert(array.From(x, a.Shape()...), a)
		if i := m.add(x, group); i >= 0 {
			return fmt.Errorf("%v in field %q, row %d", x[i], field, row+i/len(group))
		}
		row += a.Dim(0)
	}
	if row == 0 || len(group) == 0 {
		return fmt.Errorf("field %q has no values to fit to", field)
	}
	for j := range m.m2 {
		m.m2[j] /= m.count
	}
	n.Mean, n.Var = m.mean, m.m2
	return n.check()
}

// moments are means and sums of squared deviations of several groups of numbers, all equally many.
type moments struct {
	count    float64 // of numbers in each group
	mean, m2 []float64
	sum, sq  []float64 // of a piece
}

// add takes in a piece of whole samples: element i of x belongs to group[i%len(group)]. It returns the position of a number
// that is not finite, -1 when all are.
func (m *moments) add(x []float64, group []int32) int {
	clear(m.sum)
	clear(m.sq)
	for at := 0; at < len(x); at += len(group) {
		for j, v := range x[at : at+len(group)] {
			if v-v != 0 {
				return at + j
			}
			m.sum[group[j]] += v
		}
	}
	k := float64(len(x) / max(1, len(m.mean)))
	for g := range m.sum {
		m.sum[g] /= k
	}
	for at := 0; at < len(x); at += len(group) {
		for j, v := range x[at : at+len(group)] {
			d := v - m.sum[group[j]]
			m.sq[group[j]] += d * d
		}
	}
	total := m.count + k
	for g, mean := range m.sum {
		d := mean - m.mean[g]
		m.mean[g] += d * (k / total)
		m.m2[g] += m.sq[g] + d*d*(m.count*k/total)
	}
	m.count = total
	return -1
}

// kept marks the axes of a batch of that rank that keep numbers of their own.
func (n *Normalize) kept(rank int) ([]bool, error) {
	kept := make([]bool, rank)
	switch {
	case n.Whole && len(n.Axes) > 0:
		return nil, fmt.Errorf("the fields Whole and Axes %v exclude each other", n.Axes)
	case n.Whole, rank == 1 && len(n.Axes) == 0:
		return kept, nil
	case len(n.Axes) == 0:
		kept[rank-1] = true
		return kept, nil
	}
	for _, axis := range n.Axes {
		a, err := array.Axis(axis, rank)
		if err != nil {
			return nil, err
		}
		if a == 0 {
			return nil, fmt.Errorf("axis %d is that of the batch; samples have no numbers of their own", axis)
		}
		kept[a] = true
	}
	return kept, nil
}

// groups gives the group of every element of a sample, and how many groups there are.
func groups(sample array.Shape, kept []bool) ([]int32, int) {
	own := make(array.Shape, len(sample))
	for i, d := range sample {
		own[i] = 1
		if kept[i+1] {
			own[i] = d
		}
	}
	strides := tensor.BroadcastStrides(own, sample)
	out := make([]int32, sample.Size())
	for i := range out {
		for a, r := len(sample)-1, i; a >= 0; a-- {
			out[i] += int32(r % sample[a] * strides[a])
			r /= sample[a]
		}
	}
	return out, own.Size()
}

func (n *Normalize) check() error {
	if len(n.Mean) != len(n.Var) || len(n.Mean) == 0 {
		return fmt.Errorf("%d means and %d variances; there must be as many of both", len(n.Mean), len(n.Var))
	}
	for i, v := range n.Var {
		if !(v >= 0) || math.IsInf(v, 0) || n.Mean[i]-n.Mean[i] != 0 {
			return fmt.Errorf("mean %v and variance %v at %d: not numbers that can be", n.Mean[i], v, i)
		}
	}
	return nil
}

// Forward normalizes x.
func (n *Normalize) Forward(x *tensor.Tensor) *tensor.Tensor {
	if n.Mean == nil && n.Var == nil {
		fail("Normalize", x, "fit the pipeline to the training data first (Model.Fit does), or give Mean and Var", "the transform has not been fitted")
	}
	if err := n.check(); err != nil {
		fail("Normalize", x, "", "%v", err)
	}
	kept, err := n.kept(max(1, x.Rank()))
	if err != nil {
		fail("Normalize", x, "", "%v", err)
	}
	var shape array.Shape // of the numbers, for broadcasting
	if len(n.Mean) > 1 {
		for a, d := range x.Shape() {
			if !kept[a] {
				d = 1
			}
			shape = append(shape, d)
		}
		if shape.Size() != len(n.Mean) {
			fail("Normalize", x, "the data have another shape than those that it was fitted to", "it has %d means, the data %d positions", len(n.Mean), shape.Size())
		}
	}
	mean, scale := make([]float32, len(n.Mean)), make([]float32, len(n.Mean))
	for i, v := range n.Mean {
		mean[i], scale[i] = float32(v), float32(max(math.Sqrt(n.Var[i]), normalizeEpsilon))
	}
	x = x.Cast(array.Float32)
	m, s := tensor.Const(x, array.From(mean, shape...)), tensor.Const(x, array.From(scale, shape...))
	if n.Invert {
		return x.Mul(s).Add(m)
	}
	return x.Sub(m).Div(s)
}
