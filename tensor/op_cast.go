package tensor

import (
	"math"

	"github.com/kun-ml/kun/array"
)

// CastAttr is the element type to convert to.
type CastAttr struct{ To array.DType }

var opCast *Op

func init() {
	opCast = Define(Op{Name: "Cast", Doc: "Conversion to another element type: floats to integers truncate and saturate, anything but zero is true.",
		Class: Elementwise, Flops: 1, NewAttr: func() any { return &CastAttr{} },
		Infer: func(n *Node, in []Type) ([]Type, error) { return checked(n.Attr.(*CastAttr).To, in[0].Shape) },
		RefAttr: func(a any, x []float64) float64 {
			to := a.(*CastAttr).To
			switch {
			case to == array.Bool:
				if x[0] != 0 {
					return 1
				}
				return 0
			case to.IsInt():
				return saturate(x[0], to)
			}
			return x[0]
		},
		Grad: func(n *Node, dy []*Tensor) []*Tensor {
			if !n.In[0].DType().IsFloat() {
				return []*Tensor{nil}
			}
			return []*Tensor{dy[0].Cast(n.In[0].DType())}
		},
		Cases: castCases()})
}

func castCases() (c []Case) {
	for _, from := range array.DTypes() {
		for _, to := range array.DTypes() {
			c = append(c, Case{In: []Type{{from, array.Shape{3, 5}}}, Attr: &CastAttr{to}, Low: -3, High: 3})
		}
	}
	return c
}

func saturate(x float64, to array.DType) float64 {
	if x != x {
		return 0
	}
	x = math.Trunc(x)
	switch to {
	case array.Int8:
		return min(max(x, math.MinInt8), math.MaxInt8)
	case array.Uint8:
		return min(max(x, 0), math.MaxUint8)
	case array.Int32:
		return min(max(x, math.MinInt32), math.MaxInt32)
	}
	return x
}

// Cast converts to another element type; it is x itself when the type is the same.
func (x *Tensor) Cast(to array.DType) *Tensor {
	if x.DType() == to {
		return x
	}
	return opCast.Apply(&CastAttr{to}, x)
}
