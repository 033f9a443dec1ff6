package tensor

import (
	"fmt"

	"github.com/kun-ml/kun/array"
)

// AxisAttr is one axis, not negative.
type AxisAttr struct{ Axis int }

func argOp(name, doc string, better func(a, b float64) bool) *Op {
	o := Op{Name: name, Doc: doc, Class: Reduction, NewAttr: func() any { return &AxisAttr{} }, NoGrad: "an index is piecewise constant", Stops: true,
		Infer: func(n *Node, in []Type) ([]Type, error) {
			a := n.Attr.(*AxisAttr).Axis
			s, err := reducedShape(in[0].Shape, []int{a}, false)
			if err == nil && in[0].Shape[a] == 0 {
				err = fmt.Errorf("axis %d of shape %v is empty", a, in[0].Shape)
			}
			return []Type{{array.Int32, s}}, err
		},
		RefArray: func(n *Node, in, out [][]float64) {
			eachGroup(n.In[0].Shape(), []int{n.Attr.(*AxisAttr).Axis}, func(o int, at []int) {
				best := 0
				for j, p := range at {
					if v, b := in[0][p], in[0][at[best]]; better(v, b) || v != v && b == b {
						best = j
					}
				}
				out[0][o] = float64(best)
			})
		}}
	for _, a := range []int{0, 1} {
		o.Cases = append(o.Cases, Case{In: []Type{F(5, 11)}, Attr: &AxisAttr{a}})
	}
	return Define(o)
}

var opArgMax = argOp("ArgMax", "The position of the largest element along an axis, the first among equals; int32.", func(a, b float64) bool { return a > b })
var opArgMin = argOp("ArgMin", "The position of the smallest element along an axis, the first among equals; int32.", func(a, b float64) bool { return a < b })

// ArgMax is the position of the largest element along axis, the first among equals; int32.
func (x *Tensor) ArgMax(axis int) *Tensor {
	return opArgMax.Apply(&AxisAttr{x.axis("ArgMax", axis)}, x)
}

// ArgMin is the position of the smallest element along axis, the first among equals; int32.
func (x *Tensor) ArgMin(axis int) *Tensor {
	return opArgMin.Apply(&AxisAttr{x.axis("ArgMin", axis)}, x)
}
