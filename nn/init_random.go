package nn

import (
	"fmt"
	"math/rand/v2"

	"github.com/kun-ml/kun/array"
	"github.com/kun-ml/kun/tensor"
)

// Constant fills with one number.
type Constant struct{ Value float64 }

// Init fills dst.
func (c Constant) Init(dst []float64, _ array.Shape, _ *rand.Rand) { fill(dst, c.Value) }

// RandomNormal draws from a normal distribution.
type RandomNormal struct {
	Mean float64
	// Stddev is the standard deviation; 0 means 0.05.
	Stddev float64 `default:"0.05"`
}

// Init fills dst.
func (n RandomNormal) Init(dst []float64, _ array.Shape, r *rand.Rand) {
	normal(dst, n.Mean, Value(n.Stddev, 0.05), r)
}

// TruncatedNormal draws from a normal distribution and draws again what lies more than two standard deviations from the
// mean.
type TruncatedNormal struct {
	Mean float64
	// Stddev is the standard deviation before the cut; 0 means 0.05.
	Stddev float64 `default:"0.05"`
}

// Init fills dst.
func (n TruncatedNormal) Init(dst []float64, _ array.Shape, r *rand.Rand) {
	truncated(dst, n.Mean, Value(n.Stddev, 0.05), r)
}

// RandomUniform draws from [Low, High). Both 0 mean -0.05 and 0.05.
type RandomUniform struct{ Low, High float64 }

// Init fills dst.
func (u RandomUniform) Init(dst []float64, _ array.Shape, r *rand.Rand) {
	if u.Low == 0 && u.High == 0 {
		u.Low, u.High = -0.05, 0.05
	}
	uniform(dst, u.Low, u.High, r)
}

// Identity is Gain on the diagonal of a matrix and 0 elsewhere. Other ranks than 2 are a *tensor.ShapeError.
type Identity struct {
	// Gain is the value on the diagonal; 0 means 1.
	Gain float64 `default:"1"`
}

// Init fills dst.
func (d Identity) Init(dst []float64, shape array.Shape, _ *rand.Rand) {
	must(d.check(shape))
	clear(dst)
	for i := range min(shape[0], shape[1]) {
		dst[i*shape[1]+i] = Value(d.Gain, 1)
	}
}

func (d Identity) check(shape array.Shape) *tensor.ShapeError {
	if len(shape) != 2 {
		return &tensor.ShapeError{Op: "Identity", Why: fmt.Sprintf("fills matrices, not the shape %v", shape)}
	}
	return nil
}
