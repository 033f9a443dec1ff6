package nn

import "github.com/kun-ml/kun/tensor"

// Flatten joins all axes but the first: (B,...) to (B,N). A sample that is one number becomes a vector of one.
type Flatten struct{}

// Forward is x as (B,N).
func (f *Flatten) Forward(x *tensor.Tensor) *tensor.Tensor { return at(x, f).Flatten2() }
