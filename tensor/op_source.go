package tensor

import (
	"fmt"
	"slices"

	"github.com/kun-ml/kun/array"
)

// InputAttr types an input of a graph.
type InputAttr struct {
	Name  string `json:",omitempty"`
	DType array.DType
	Shape array.Shape
}

// VarAttr names and types a variable.
type VarAttr struct {
	Path  string
	Role  Role
	DType array.DType
	Shape array.Shape
}

// FillAttr is a value repeated over a shape.
type FillAttr struct {
	Value float64
	DType array.DType
	Shape array.Shape
}

// ConstAttr is a constant array, its bytes little-endian and row-major.
type ConstAttr struct {
	DType array.DType
	Shape array.Shape
	Data  []byte
}

// ScalarAttr names a number that the host computes before each run.
type ScalarAttr struct{ Name string }

func checked(d array.DType, s array.Shape) ([]Type, error) {
	if !d.Valid() {
		return nil, fmt.Errorf("element type %v", d)
	}
	if _, err := s.CheckedSize(d.Size()); err != nil {
		return nil, err
	}
	return []Type{{d, s}}, nil
}

var opInput = Define(Op{Name: "Input", Doc: "A value given at each run.", Class: Source, NewAttr: func() any { return &InputAttr{} },
	Infer:  func(n *Node, _ []Type) ([]Type, error) { a := n.Attr.(*InputAttr); return checked(a.DType, a.Shape) },
	NoGrad: "it is where the gradient ends", Stops: true})

var opVar = Define(Op{Name: "Var", Doc: "The value of a variable at the start of a run.", Class: Source, NewAttr: func() any { return &VarAttr{} },
	Infer:  func(n *Node, _ []Type) ([]Type, error) { a := n.Attr.(*VarAttr); return checked(a.DType, a.Shape) },
	NoGrad: "it is where the gradient ends", Stops: true})

var opFill = Define(Op{Name: "Fill", Doc: "One value repeated over a shape.", Class: Source, NewAttr: func() any { return &FillAttr{} },
	Infer: func(n *Node, _ []Type) ([]Type, error) { a := n.Attr.(*FillAttr); return checked(a.DType, a.Shape) },
	RefArray: func(n *Node, _, out [][]float64) {
		for i := range out[0] {
			out[0][i] = n.Attr.(*FillAttr).Value
		}
	},
	NoGrad: "it is constant", Stops: true})

var opConst = Define(Op{Name: "Const", Doc: "A constant array.", Class: Source, NewAttr: func() any { return &ConstAttr{} },
	Infer: func(n *Node, _ []Type) ([]Type, error) {
		a := n.Attr.(*ConstAttr)
		t, err := checked(a.DType, a.Shape)
		if err == nil && a.Shape.Size()*a.DType.Size() != len(a.Data) {
			err = fmt.Errorf("%d bytes of data do not fill %v%v", len(a.Data), a.DType, a.Shape)
		}
		if err == nil && a.DType == array.Bool && slices.ContainsFunc(a.Data, func(b byte) bool { return b > 1 }) {
			err = fmt.Errorf("a truth value is neither 0 nor 1")
		}
		return t, err
	},
	RefArray: func(n *Node, _, out [][]float64) { copy(out[0], n.Attr.(*ConstAttr).Array().Float64s()) },
	NoGrad:   "it is constant", Stops: true})

var opHostScalar = Define(Op{Name: "HostScalar", Doc: "A float32 scalar that the host computes from the step counter before each run.",
	Class: Source, NewAttr: func() any { return &ScalarAttr{} },
	Infer:  func(n *Node, _ []Type) ([]Type, error) { return []Type{{array.Float32, array.Shape{}}}, nil },
	NoGrad: "it is given by the host", Stops: true})

// Array is the constant as an array of its own memory.
func (a *ConstAttr) Array() *array.Array {
	v := array.New(a.DType, a.Shape...)
	copy(v.Bytes(), a.Data)
	return v
}

// Full is value repeated over a shape, with the element type of like and in its graph.
func Full(like *Tensor, value float64, dims ...int) *Tensor {
	return FullOf(like, like.DType(), value, dims...)
}

// FullOf is value repeated over a shape, with a given element type, in the graph of like.
func FullOf(like *Tensor, d array.DType, value float64, dims ...int) *Tensor {
	t := record(like.n.g, opFill, &FillAttr{value, d, append(array.Shape{}, dims...)}, nil, nil)[0]
	t.label, t.n.Label = like.label, like.label
	return t
}

// Const is a constant array in the graph of like. The array is copied.
func Const(like *Tensor, a *array.Array) *Tensor {
	t := record(like.n.g, opConst, &ConstAttr{a.DType(), a.Shape().Clone(), append([]byte(nil), a.Bytes()...)}, nil, nil)[0]
	t.label, t.n.Label = like.label, like.label
	return t
}

// IsInput, IsVar and the like tell devices and passes what a source is.
func (n *Node) IsInput() bool { return n.Op == opInput }

// IsVar reports whether the node reads a variable.
func (n *Node) IsVar() bool { return n.Op == opVar }
