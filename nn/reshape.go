package nn

import (
	"github.com/kun-ml/kun/array"
	"github.com/kun-ml/kun/tensor"
)

// Reshape gives each sample another shape of the same size: (B,...) to (B,Shape...).
type Reshape struct {
	// Shape is the shape of a sample, without the batch axis. One dimension may be -1 and follows from the others.
	Shape []int
}

// Forward is x under the new shape.
func (r *Reshape) Forward(x *tensor.Tensor) *tensor.Tensor {
	x = at(x, r)
	if x.Rank() == 0 {
		fail(x, "Reshape", "", "a scalar has no batch axis")
	}
	have, free, n := x.Shape()[1:].Size(), -1, 1
	dims := append([]int{x.Dim(0)}, r.Shape...)
	for i, d := range r.Shape {
		switch {
		case d == -1 && free < 0:
			free = i + 1
		case d < 0:
			fail(x, "Reshape", "one dimension may be -1, the others are sizes", "Shape %v has a dimension that cannot be", array.Shape(r.Shape))
		default:
			n *= d
		}
	}
	if free >= 0 && n > 0 {
		dims[free] = have / n
		n *= dims[free]
	}
	if n != have {
		fail(x, "Reshape", "", "a sample of shape %v has %d elements, which do not fit Shape %v", x.Shape()[1:], have, array.Shape(r.Shape))
	}
	return x.Reshape(dims...)
}
