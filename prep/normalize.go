package prep

import (
	"context"
	"fmt"
	"math"

	"github.com/kun-ml/kun/array"
	"github.com/kun-ml/kun/data"
	"github.com/kun-ml/kun/tensor"
)

// Normalize shifts and scales to mean 0 and variance 1: (x - Mean) / max(sqrt(Var), 1e-7), Keras's Normalization. It keeps
// one mean and variance for each position of the last axis, or with Whole one for all elements.
type Normalize struct {
	// Whole takes all elements together.
	Whole bool
	// Mean and Var are the fitted numbers; given ones are kept and nothing is fitted.
	Mean, Var []float64
	// On is the field; empty: "x".
	On string
}

// Field is On.
func (n *Normalize) Field() string { return n.On }

// Fit computes mean and (biased) variance over the data in float64.
func (n *Normalize) Fit(ctx context.Context, src data.Source, field string) error {
	if n.Mean != nil {
		return n.check()
	}
	f, _ := data.FieldOf(src, field)
	width := 1
	if !n.Whole && len(f.Shape) > 0 {
		width = f.Shape[len(f.Shape)-1]
	}
	mean, m2, count := make([]float64, width), make([]float64, width), make([]float64, width)
	row := 0
	err := columns(ctx, src, field, func(x []float64) error {
		for i, v := range x {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return fmt.Errorf("%v in field %q, row %d", v, field, row+i/max(1, f.Shape.Size()))
			}
			j := i % width
			count[j]++
			d := v - mean[j]
			mean[j] += d / count[j]
			m2[j] += d * (v - mean[j])
		}
		row += len(x) / max(1, f.Shape.Size())
		return nil
	})
	if err != nil {
		return err
	}
	for j := range m2 {
		m2[j] /= max(1, count[j])
	}
	n.Mean, n.Var = mean, m2
	return nil
}

func (n *Normalize) check() error {
	if len(n.Mean) != len(n.Var) || len(n.Mean) == 0 {
		return fmt.Errorf("normalize: %d means and %d variances", len(n.Mean), len(n.Var))
	}
	return nil
}

// Forward normalizes x.
func (n *Normalize) Forward(x *tensor.Tensor) *tensor.Tensor {
	if n.Mean == nil {
		fail("Normalize", x, "Fit comes first, or give Mean and Var", "the transform has not been fitted")
	}
	if err := n.check(); err != nil {
		fail("Normalize", x, "", "%v", err)
	}
	if len(n.Mean) > 1 && (x.Rank() == 0 || x.Dim(-1) != len(n.Mean)) {
		fail("Normalize", x, "the data have another shape than those that it was fitted to", "the last axis has not %d elements", len(n.Mean))
	}
	mean, scale := make([]float32, len(n.Mean)), make([]float32, len(n.Mean))
	for i, v := range n.Mean {
		mean[i], scale[i] = float32(v), float32(max(math.Sqrt(n.Var[i]), 1e-7))
	}
	x = x.Cast(array.Float32)
	return x.Sub(tensor.Const(x, array.From(mean))).Div(tensor.Const(x, array.From(scale)))
}

// columns reads a field in pieces and hands the values to f.
func columns(ctx context.Context, src data.Source, field string, f func(x []float64) error) error {
	const chunk = 1024
	fields := src.Fields()
	dst := make([]*array.Array, len(fields))
	var a *array.Array
	for i, d := range fields {
		if d.Name == field {
			a = array.New(d.DType, append(array.Shape{chunk}, d.Shape...)...)
			dst[i] = a
		}
	}
	rows := make([]int, chunk)
	for from := 0; from < src.Len(); from += chunk {
		if err := ctx.Err(); err != nil {
			return err
		}
		n := min(chunk, src.Len()-from)
		for i := range n {
			rows[i] = from + i
		}
		if err := src.Gather(dst, rows[:n]); err != nil {
			return err
		}
		if err := f(a.Rows(0, n).Float64s()); err != nil {
			return err
		}
	}
	return nil
}
