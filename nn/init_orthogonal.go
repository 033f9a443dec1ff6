package nn

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/kun-ml/kun/array"
	"github.com/kun-ml/kun/tensor"
)

// Orthogonal draws a random orthogonal matrix (all axes but the last taken together as rows) times Gain: its rows or its
// columns, whichever are fewer, are orthogonal and of length Gain. Uniform over all such matrices. Saxe et al. 2014,
// arXiv:1312.6120. Shapes of rank 0 or 1 are a *tensor.ShapeError.
type Orthogonal struct {
	// Gain multiplies the matrix; 0 means 1.
	Gain float64 `default:"1"`
}

// Init fills dst.
func (o Orthogonal) Init(dst []float64, shape array.Shape, r *rand.Rand) {
	must(o.check(shape))
	cols := shape[len(shape)-1]
	rows := shape[:len(shape)-1].Size()
	// Vectors of a normal distribution made orthogonal one after the other: the QR decomposition with a positive
	// diagonal, so that no direction is preferred.
	n, length := min(rows, cols), max(rows, cols)
	q := make([][]float64, n)
	for i := range q {
		q[i] = make([]float64, length)
		normal(q[i], 0, 1, r)
		for range 2 { // twice is enough: what rounding leaves after the first pass goes in the second
			for _, p := range q[:i] {
				c := dot(p, q[i])
				for k := range p {
					q[i][k] -= c * p[k]
				}
			}
		}
		scale := 1 / math.Sqrt(dot(q[i], q[i]))
		for k := range q[i] {
			q[i][k] *= scale
		}
	}
	gain := Value(o.Gain, 1)
	for i, v := range q {
		for k, x := range v {
			if rows >= cols {
				dst[k*cols+i] = gain * x
			} else {
				dst[i*cols+k] = gain * x
			}
		}
	}
}

func dot(x, y []float64) (s float64) {
	for i := range x {
		s += x[i] * y[i]
	}
	return s
}

func (o Orthogonal) check(shape array.Shape) *tensor.ShapeError {
	if len(shape) < 2 {
		return &tensor.ShapeError{Op: "Orthogonal", Why: fmt.Sprintf("needs at least two axes, not the shape %v", shape)}
	}
	return nil
}
