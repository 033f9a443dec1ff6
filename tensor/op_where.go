package tensor

import (
	"fmt"

	"github.com/kun-ml/kun/array"
)

var opWhere, opMaskScale *Op

func init() {
	opWhere = Define(Op{Name: "Where", Doc: "x where the condition holds, else y.", Class: Elementwise, Flops: 1,
		Infer: func(n *Node, in []Type) ([]Type, error) {
			if in[0].DType != array.Bool {
				return nil, fmt.Errorf("the condition is %v, want bool", in[0].DType)
			}
			if in[1].DType != in[2].DType {
				return nil, fmt.Errorf("element types %v and %v differ; use Cast", in[1].DType, in[2].DType)
			}
			s, err := Broadcast(in[0].Shape, in[1].Shape, in[2].Shape)
			return []Type{{in[1].DType, s}}, err
		},
		Ref: func(x []float64) float64 {
			if x[0] != 0 {
				return x[1]
			}
			return x[2]
		},
		Grad: func(n *Node, dy []*Tensor) []*Tensor {
			z := Full(dy[0], 0)
			return []*Tensor{nil, Where(n.In[0], dy[0], z).SumTo(n.In[1].Shape()...), Where(n.In[0], z, dy[0]).SumTo(n.In[2].Shape()...)}
		},
		Cases: []Case{
			{In: []Type{{array.Bool, array.Shape{3, 4}}, F(3, 4), F(3, 4)}},
			{In: []Type{{array.Bool, array.Shape{3, 1}}, F(4), F()}},
			{In: []Type{{array.Bool, array.Shape{3, 41}}, {array.Bool, array.Shape{3, 41}}, {array.Bool, array.Shape{3, 41}}}},
			{In: []Type{{array.Bool, array.Shape{3, 1}}, I(3, 5), I(5)}},
		}})
	opMaskScale = Define(Op{Name: "MaskScale", Doc: "x * c where the mask holds, else 0: inverted dropout.", Class: Elementwise, Flops: 1,
		NewAttr: func() any { return &ScalarValue{} },
		Infer: func(n *Node, in []Type) ([]Type, error) {
			if in[1].DType != array.Bool {
				return nil, fmt.Errorf("the mask is %v, want bool", in[1].DType)
			}
			if err := numbers(in[:1]); err != nil {
				return nil, err
			}
			s, err := Broadcast(in[0].Shape, in[1].Shape)
			return []Type{{in[0].DType, s}}, err
		},
		RefAttr: func(a any, x []float64) float64 {
			if x[1] != 0 {
				return x[0] * a.(*ScalarValue).Value
			}
			return 0
		},
		Grad: func(n *Node, dy []*Tensor) []*Tensor {
			return []*Tensor{dy[0].MaskScale(n.In[1], n.Attr.(*ScalarValue).Value).SumTo(n.In[0].Shape()...), nil}
		},
		Cases: []Case{
			{In: []Type{F(3, 4), {array.Bool, array.Shape{3, 4}}}, Attr: &ScalarValue{1.25}},
			{In: []Type{F(3, 4), {array.Bool, array.Shape{3, 1}}}, Attr: &ScalarValue{1.25}},
		}})
}

// Where is x where cond (bool) holds, else y; shapes broadcast.
func Where(cond, x, y *Tensor) *Tensor { return opWhere.Apply(nil, cond, x, y) }

// MaskScale is x * c where mask (bool) holds, else 0; shapes broadcast.
func (x *Tensor) MaskScale(mask *Tensor, c float64) *Tensor {
	return opMaskScale.Apply(&ScalarValue{c}, x, mask)
}
