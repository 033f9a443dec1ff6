package prep

import (
	"github.com/kun-ml/kun/array"
	"github.com/kun-ml/kun/nn"
	"github.com/kun-ml/kun/tensor"
)

// Rescale is x * Scale + Offset in float32, Keras's Rescaling. Shapes stay.
type Rescale struct {
	// Scale multiplies; 0 means 1, nn.Zero means 0. Pixels 0..255 become 0..1 with 1/255.
	Scale float64 `default:"1"`
	// Offset is added.
	Offset float64
	// On is the field; empty: "x".
	On string
}

// Field is On.
func (r *Rescale) Field() string { return r.On }

// Forward rescales x.
func (r *Rescale) Forward(x *tensor.Tensor) *tensor.Tensor {
	return x.Cast(array.Float32).Scale(nn.Value(r.Scale, 1)).AddScalar(r.Offset)
}

// Flatten joins all axes but the batch: (B,...) to (B,N).
type Flatten struct {
	// On is the field; empty: "x".
	On string
}

// Field is On.
func (f *Flatten) Field() string { return f.On }

// Forward flattens x.
func (f *Flatten) Forward(x *tensor.Tensor) *tensor.Tensor {
	if x.Rank() < 1 {
		fail("Flatten", x, "give batches of samples", "a single number has no samples")
	}
	n := 1
	for _, d := range x.Shape()[1:] {
		n *= d
	}
	return x.Reshape(x.Dim(0), n)
}
