package nn

import (
	"fmt"

	"github.com/kun-ml/kun/tensor"
)

// Layer is what a model is made of. Forward runs inside a trace (tensor.Trace): it records operations, it computes
// nothing. It may be called several times in one trace; each call uses the same parameters.
type Layer interface {
	Forward(x *tensor.Tensor) *tensor.Tensor
}

// Sequential is a layer that passes its input through layers one after the other. Without layers it is the identity.
type Sequential []Layer

// Forward applies the layers in order.
func (s Sequential) Forward(x *tensor.Tensor) *tensor.Tensor {
	for i, l := range s {
		if l == nil {
			fail(x, "Sequential", "take the entry out of the list", "layer %d is nil", i)
		}
		x = l.Forward(x)
	}
	return x
}

// fail panics with a *tensor.ShapeError about the layer that x belongs to.
func fail(x *tensor.Tensor, op, hint, format string, a ...any) {
	panic(&tensor.ShapeError{Op: op, Layer: x.Label(), Why: fmt.Sprintf(format, a...), Hint: hint})
}

// at gives x the path of a layer without parameters, when the layer is part of the model; a layer made on the spot
// inside a Forward keeps the path that x has.
func at(x *tensor.Tensor, layer any) *tensor.Tensor {
	if _, ok := x.Graph().Trace().Names().Path(layer); ok {
		return x.At(layer)
	}
	return x
}
