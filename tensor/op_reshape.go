package tensor

import (
	"fmt"
	"slices"

	"github.com/kun-ml/kun/array"
)

// ShapeAttr is a shape.
type ShapeAttr struct{ Shape array.Shape }

// PermAttr lists for each output axis the operand's axis.
type PermAttr struct{ Perm []int }

var opReshape, opTranspose, opBroadcastTo *Op

func init() {
	opReshape = Define(Op{Name: "Reshape", Doc: "The same elements in the same order under another shape.", Class: View, NewAttr: func() any { return &ShapeAttr{} },
		Infer: func(n *Node, in []Type) ([]Type, error) {
			s := n.Attr.(*ShapeAttr).Shape
			t, err := checked(in[0].DType, s)
			if err == nil && s.Size() != in[0].Shape.Size() {
				err = fmt.Errorf("cannot give shape %v (%d elements) the shape %v (%d)", in[0].Shape, in[0].Shape.Size(), s, s.Size())
			}
			return t, err
		},
		RefArray: func(n *Node, in, out [][]float64) { copy(out[0], in[0]) },
		Grad:     func(n *Node, dy []*Tensor) []*Tensor { return []*Tensor{dy[0].Reshape(n.In[0].Shape()...)} },
		FlopsOf:  noFlops,
		Cases:    []Case{{In: []Type{F(4, 6)}, Attr: &ShapeAttr{array.Shape{2, 12}}}, {In: []Type{F(6)}, Attr: &ShapeAttr{array.Shape{1, 6, 1}}}}})
	opTranspose = Define(Op{Name: "Transpose", Doc: "The axes in another order.", NewAttr: func() any { return &PermAttr{} },
		Infer: func(n *Node, in []Type) ([]Type, error) {
			p := n.Attr.(*PermAttr).Perm
			s := make(array.Shape, len(p))
			if q := slices.Sorted(slices.Values(p)); len(q) != len(in[0].Shape) || len(q) > 0 && (q[0] != 0 || q[len(q)-1] != len(q)-1 || len(slices.Compact(q)) != len(p)) {
				return nil, fmt.Errorf("%v is not an order of the axes of shape %v", p, in[0].Shape)
			}
			for i, a := range p {
				s[i] = in[0].Shape[a]
			}
			return []Type{{in[0].DType, s}}, nil
		},
		RefArray: func(n *Node, in, out [][]float64) {
			p, s := n.Attr.(*PermAttr).Perm, n.types[0].Shape
			from := n.In[0].Shape().Strides()
			for o := range out[0] {
				at := 0
				for i, r := len(s)-1, o; i >= 0; i-- {
					at += r % s[i] * from[p[i]]
					r /= s[i]
				}
				out[0][o] = in[0][at]
			}
		},
		Grad: func(n *Node, dy []*Tensor) []*Tensor {
			p := n.Attr.(*PermAttr).Perm
			inv := make([]int, len(p))
			for i, a := range p {
				inv[a] = i
			}
			return []*Tensor{dy[0].Permute(inv...)}
		},
		FlopsOf: noFlops,
		Cases:   []Case{{In: []Type{F(5, 7)}, Attr: &PermAttr{[]int{1, 0}}}, {In: []Type{F(2, 3, 4)}, Attr: &PermAttr{[]int{0, 2, 1}}}, {In: []Type{F(2, 3, 4, 5)}, Attr: &PermAttr{[]int{0, 2, 1, 3}}}, {In: []Type{F(2, 3, 4)}, Attr: &PermAttr{[]int{2, 0, 1}}}}})
	opBroadcastTo = Define(Op{Name: "BroadcastTo", Doc: "The elements repeated to a larger shape, as NumPy broadcasts.", NewAttr: func() any { return &ShapeAttr{} },
		Infer:    inferBroadcastTo,
		RefArray: func(n *Node, in, out [][]float64) { broadcastRef(n.In[0].Shape(), n.types[0].Shape, in[0], out[0]) },
		Grad:     func(n *Node, dy []*Tensor) []*Tensor { return []*Tensor{dy[0].SumTo(n.In[0].Shape()...)} },
		FlopsOf:  noFlops,
		Cases:    []Case{{In: []Type{F(3, 1)}, Attr: &ShapeAttr{array.Shape{3, 5}}}, {In: []Type{F(4)}, Attr: &ShapeAttr{array.Shape{2, 3, 4}}}, {In: []Type{F()}, Attr: &ShapeAttr{array.Shape{3}}}}})
}

func noFlops(*Node) float64 { return 0 }

func inferBroadcastTo(n *Node, in []Type) ([]Type, error) {
	s := n.Attr.(*ShapeAttr).Shape
	b, err := Broadcast(in[0].Shape, s)
	if err == nil && !b.Equal(s) {
		err = fmt.Errorf("shape %v does not broadcast to %v", in[0].Shape, s)
	}
	if err != nil {
		return nil, err
	}
	return checked(in[0].DType, s)
}

func broadcastRef(from, to array.Shape, in, out []float64) {
	st := BroadcastStrides(from, to)
	for o := range out {
		at := 0
		for i, r := len(to)-1, o; i >= 0; i-- {
			at += r % to[i] * st[i]
			r /= to[i]
		}
		out[o] = in[at]
	}
}

// BroadcastStrides are the strides, in elements of from, with which an array of shape from is read as if it had shape to.
func BroadcastStrides(from, to array.Shape) []int {
	st := make([]int, len(to))
	own := from.Strides()
	for i := range from {
		if from[i] != 1 {
			st[len(to)-len(from)+i] = own[i]
		}
	}
	return st
}

// Reshape gives the elements another shape; one dimension may be -1 and follows from the others.
func (x *Tensor) Reshape(dims ...int) *Tensor {
	s := append(array.Shape{}, dims...)
	free, n := -1, 1
	for i, d := range s {
		if d == -1 && free < 0 {
			free = i
			continue
		}
		n *= d
	}
	if free >= 0 && n > 0 {
		s[free] = x.Shape().Size() / n
	}
	if x.Shape().Equal(s) {
		return x
	}
	return opReshape.Apply(&ShapeAttr{s}, x)
}

// Transpose swaps two axes.
func (x *Tensor) Transpose(a, b int) *Tensor {
	p := make([]int, x.Rank())
	for i := range p {
		p[i] = i
	}
	a, b = x.axis("Transpose", a), x.axis("Transpose", b)
	p[a], p[b] = p[b], p[a]
	return opTranspose.Apply(&PermAttr{p}, x)
}

// Permute puts the axes in another order: output axis i is x's axis perm[i].
func (x *Tensor) Permute(perm ...int) *Tensor {
	return opTranspose.Apply(&PermAttr{append([]int{}, perm...)}, x)
}

// BroadcastTo repeats the elements to a larger shape.
func (x *Tensor) BroadcastTo(dims ...int) *Tensor {
	if x.Shape().Equal(dims) {
		return x
	}
	return opBroadcastTo.Apply(&ShapeAttr{append(array.Shape{}, dims...)}, x)
}

// Flatten2 keeps the first axis and joins the others: (B,...) to (B,N).
func (x *Tensor) Flatten2() *Tensor {
	if x.Rank() == 0 {
		fail("Flatten", x.label, "a scalar has no batch axis")
	}
	return x.Reshape(x.Dim(0), x.Shape()[1:].Size())
}
