package tensor

import (
	"fmt"

	"github.com/kun-ml/kun/array"
)

func compare(name, doc string, f func(x, y float64) bool) *Op {
	o := Op{Name: name, Doc: doc, Class: Elementwise, Flops: 1, NoGrad: "a comparison is piecewise constant", Stops: true,
		Infer: func(n *Node, in []Type) ([]Type, error) {
			t, err := inferBroadcast(n, in)
			if err == nil {
				t[0].DType = array.Bool
			}
			return t, err
		},
		Ref: func(x []float64) float64 {
			if f(x[0], x[1]) {
				return 1
			}
			return 0
		}}
	for _, p := range shapesBinary {
		o.Cases = append(o.Cases, Case{In: []Type{F(p[0]...), F(p[1]...)}})
	}
	o.Cases = append(o.Cases, Case{In: []Type{{array.Int32, array.Shape{3, 4}}, {array.Int32, array.Shape{3, 4}}}})
	return Define(o)
}

var opEqual = compare("Equal", "x == y; false for NaN.", func(x, y float64) bool { return x == y })
var opNotEqual = compare("NotEqual", "x != y; true for NaN.", func(x, y float64) bool { return x != y })
var opLess = compare("Less", "x < y.", func(x, y float64) bool { return x < y })
var opLessEqual = compare("LessEqual", "x <= y.", func(x, y float64) bool { return x <= y })
var opGreater = compare("Greater", "x > y.", func(x, y float64) bool { return x > y })
var opGreaterEqual = compare("GreaterEqual", "x >= y.", func(x, y float64) bool { return x >= y })

// Equal is x == y, a bool tensor; shapes broadcast.
func (x *Tensor) Equal(y *Tensor) *Tensor { return opEqual.Apply(nil, x, y) }

// NotEqual is x != y, a bool tensor; shapes broadcast.
func (x *Tensor) NotEqual(y *Tensor) *Tensor { return opNotEqual.Apply(nil, x, y) }

// Less is x < y, a bool tensor; shapes broadcast.
func (x *Tensor) Less(y *Tensor) *Tensor { return opLess.Apply(nil, x, y) }

// LessEqual is x <= y, a bool tensor; shapes broadcast.
func (x *Tensor) LessEqual(y *Tensor) *Tensor { return opLessEqual.Apply(nil, x, y) }

// Greater is x > y, a bool tensor; shapes broadcast.
func (x *Tensor) Greater(y *Tensor) *Tensor { return opGreater.Apply(nil, x, y) }

// GreaterEqual is x >= y, a bool tensor; shapes broadcast.
func (x *Tensor) GreaterEqual(y *Tensor) *Tensor { return opGreaterEqual.Apply(nil, x, y) }

func logic(name, doc string, operands int, f func(x []float64) bool) *Op {
	in := []Type{{array.Bool, array.Shape{3, 4}}, {array.Bool, array.Shape{3, 4}}}[:operands]
	return Define(Op{Name: name, Doc: doc, Class: Elementwise, Flops: 1, NoGrad: "truth values have no gradient", Stops: true,
		Infer: func(n *Node, in []Type) ([]Type, error) {
			if in[0].DType != array.Bool {
				return nil, fmt.Errorf("want bool operands, got %v", in[0].DType)
			}
			return inferBroadcast(n, in)
		},
		Ref: func(x []float64) float64 {
			if f(x) {
				return 1
			}
			return 0
		},
		Cases: []Case{{In: in}}})
}

var opAnd = logic("And", "x and y.", 2, func(x []float64) bool { return x[0] != 0 && x[1] != 0 })
var opOr = logic("Or", "x or y.", 2, func(x []float64) bool { return x[0] != 0 || x[1] != 0 })
var opNot = logic("Not", "not x.", 1, func(x []float64) bool { return x[0] == 0 })

// And is x and y for bool tensors.
func (x *Tensor) And(y *Tensor) *Tensor { return opAnd.Apply(nil, x, y) }

// Or is x or y for bool tensors.
func (x *Tensor) Or(y *Tensor) *Tensor { return opOr.Apply(nil, x, y) }

// Not is the opposite of a bool tensor.
func (x *Tensor) Not() *Tensor { return opNot.Apply(nil, x) }
