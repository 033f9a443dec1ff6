package tensor

import (
	"fmt"
	"math"

	"github.com/kun-ml/kun/array"
)

// SliceAttr cuts one axis: elements From, From+Step, ... Len of them, out of Of.
type SliceAttr struct{ Axis, From, Len, Step, Of int }

// ConcatAttr is the axis along which operands are joined.
type ConcatAttr struct{ Axis int }

// PadAttr is the number of elements added before and after on each axis, with their value.
type PadAttr struct {
	Before, After []int
	Value         float64
}

var opSlice, opUnslice, opConcat, opPad *Op

func sliceAttr(n *Node) (outer, inner int, a *SliceAttr) {
	a = n.Attr.(*SliceAttr)
	s := n.In[0].Shape()
	return s[:a.Axis].Size(), s[a.Axis+1:].Size(), a
}

func (a *SliceAttr) check(s array.Shape, have int) error {
	if a.Axis < 0 || a.Axis >= len(s) || a.Step == 0 || a.Len < 0 || a.Of < 0 || s[a.Axis] != have {
		return fmt.Errorf("slice %+v does not fit shape %v", *a, s)
	}
	if a.Len == 0 {
		return nil
	}
	room := 0 // steps from From to the last element on its side; a product with Step could overflow
	switch {
	case a.From < 0 || a.From >= a.Of || a.Step == math.MinInt:
		room = -1
	case a.Step > 0:
		room = (a.Of - 1 - a.From) / a.Step
	default:
		room = a.From / -a.Step
	}
	if a.Len-1 > room {
		return fmt.Errorf("%d elements from %d on, %d apart, are not all among the %d of axis %d", a.Len, a.From, a.Step, a.Of, a.Axis)
	}
	return nil
}

func init() {
	opSlice = Define(Op{Name: "Slice", Doc: "Every step-th element of one axis from a start on; a negative step runs backwards.", NewAttr: func() any { return &SliceAttr{} },
		Infer: func(n *Node, in []Type) ([]Type, error) {
			a := n.Attr.(*SliceAttr)
			if err := a.check(in[0].Shape, a.Of); err != nil {
				return nil, err
			}
			s := in[0].Shape.Clone()
			s[a.Axis] = a.Len
			return []Type{{in[0].DType, s}}, nil
		},
		RefArray: func(n *Node, in, out [][]float64) {
			outer, inner, a := sliceAttr(n)
			for o := range outer {
				for i := range a.Len {
					copy(out[0][(o*a.Len+i)*inner:][:inner], in[0][(o*a.Of+a.From+i*a.Step)*inner:])
				}
			}
		},
		Grad:    func(n *Node, dy []*Tensor) []*Tensor { return []*Tensor{opUnslice.Apply(n.Attr, dy[0])} },
		FlopsOf: noFlops,
		Cases: []Case{{In: []Type{F(4, 6)}, Attr: &SliceAttr{1, 2, 3, 1, 6}}, {In: []Type{F(4, 6)}, Attr: &SliceAttr{0, 3, 2, -2, 4}},
			{In: []Type{F(2, 7, 3)}, Attr: &SliceAttr{1, 0, 3, 3, 7}}}})
	opUnslice = Define(Op{Name: "Unslice", Doc: "Zeros with the operand's elements at the places that a Slice takes: its gradient.", NewAttr: func() any { return &SliceAttr{} },
		Infer: func(n *Node, in []Type) ([]Type, error) {
			a := n.Attr.(*SliceAttr)
			if err := a.check(in[0].Shape, a.Len); err != nil {
				return nil, err
			}
			s := in[0].Shape.Clone()
			s[a.Axis] = a.Of
			return checked(in[0].DType, s)
		},
		RefArray: func(n *Node, in, out [][]float64) {
			outer, inner, a := sliceAttr(n)
			clear(out[0])
			for o := range outer {
				for i := range a.Len {
					copy(out[0][(o*a.Of+a.From+i*a.Step)*inner:][:inner], in[0][(o*a.Len+i)*inner:])
				}
			}
		},
		Grad:    func(n *Node, dy []*Tensor) []*Tensor { return []*Tensor{opSlice.Apply(n.Attr, dy[0])} },
		FlopsOf: noFlops, Cases: []Case{{In: []Type{F(4, 3)}, Attr: &SliceAttr{1, 2, 3, 1, 6}}}})
	opConcat = Define(Op{Name: "Concat", Doc: "The operands joined along an axis.", NewAttr: func() any { return &ConcatAttr{} },
		Infer: func(n *Node, in []Type) ([]Type, error) {
			a := n.Attr.(*ConcatAttr).Axis
			if a < 0 || a >= len(in[0].Shape) {
				return nil, fmt.Errorf("axis %d does not fit shape %v", a, in[0].Shape)
			}
			s := in[0].Shape.Clone()
			for _, t := range in[1:] {
				k := t.Shape.Clone()
				if len(k) == len(s) {
					k[a] = s[a]
				}
				if !k.Equal(s) || t.DType != in[0].DType {
					return nil, fmt.Errorf("%v and %v differ beside axis %d", in[0], t, a)
				}
				s[a] += t.Shape[a]
			}
			return checked(in[0].DType, s)
		},
		RefArray: func(n *Node, in, out [][]float64) {
			a, s := n.Attr.(*ConcatAttr).Axis, n.types[0].Shape
			outer, inner, at := s[:a].Size(), s[a+1:].Size(), 0
			for i, t := range n.In {
				w := t.Shape()[a]
				for o := range outer {
					copy(out[0][(o*s[a]+at)*inner:][:w*inner], in[i][o*w*inner:])
				}
				at += w
			}
		},
		Grad: func(n *Node, dy []*Tensor) []*Tensor {
			a, at := n.Attr.(*ConcatAttr).Axis, 0
			out := make([]*Tensor, len(n.In))
			for i, t := range n.In {
				out[i] = dy[0].Slice(a, at, at+t.Shape()[a])
				at += t.Shape()[a]
			}
			return out
		},
		FlopsOf: noFlops, Cases: []Case{{In: []Type{F(3, 2), F(3, 4)}, Attr: &ConcatAttr{1}}, {In: []Type{F(3, 2), F(1, 2), F(2, 2)}, Attr: &ConcatAttr{0}}}})
	opPad = Define(Op{Name: "Pad", Doc: "A constant added before and after on each axis; negative counts cut.", NewAttr: func() any { return &PadAttr{} },
		Infer: func(n *Node, in []Type) ([]Type, error) {
			a := n.Attr.(*PadAttr)
			if len(a.Before) != len(in[0].Shape) || len(a.After) != len(in[0].Shape) {
				return nil, fmt.Errorf("padding %v, %v does not fit shape %v", a.Before, a.After, in[0].Shape)
			}
			s := in[0].Shape.Clone()
			for i := range s {
				if most := math.MaxInt / 4; max(a.Before[i], a.After[i], s[i]/2) > most || min(a.Before[i], a.After[i]) < -most {
					return nil, fmt.Errorf("padding %v, %v is too large", a.Before, a.After)
				}
				s[i] += a.Before[i] + a.After[i]
			}
			return checked(in[0].DType, s)
		},
		RefArray: func(n *Node, in, out [][]float64) {
			a, s, t := n.Attr.(*PadAttr), n.In[0].Shape(), n.types[0].Shape
			st := s.Strides()
			for o := range out[0] {
				at := 0
				for i, r := len(t)-1, o; i >= 0; i-- {
					p := r%t[i] - a.Before[i]
					r /= t[i]
					if p < 0 || p >= s[i] {
						at = -1
						break
					}
					at += p * st[i]
				}
				out[0][o] = a.Value
				if at >= 0 {
					out[0][o] = in[0][at]
				}
			}
		},
		Grad: func(n *Node, dy []*Tensor) []*Tensor {
			a := n.Attr.(*PadAttr)
			b := &PadAttr{make([]int, len(a.Before)), make([]int, len(a.Before)), 0}
			for i := range a.Before {
				b.Before[i], b.After[i] = -a.Before[i], -a.After[i]
			}
			return []*Tensor{opPad.Apply(b, dy[0])}
		},
		FlopsOf: noFlops, Cases: []Case{{In: []Type{F(3, 4)}, Attr: &PadAttr{[]int{1, 0}, []int{2, 3}, 0.5}}, {In: []Type{F(3, 4)}, Attr: &PadAttr{[]int{-1, 2}, []int{0, -1}, 0}}}})
}

// Slice is elements from..to-1 of an axis; negative bounds count from the end.
func (x *Tensor) Slice(axis, from, to int) *Tensor {
	a := x.axis("Slice", axis)
	d := x.Shape()[a]
	if from < 0 {
		from += d
	}
	if to < 0 {
		to += d
	}
	if from < 0 || to > d || from > to {
		fail("Slice", x.label, "elements %d to %d of axis %d of shape %v", from, to, a, x.Shape())
	}
	if from == 0 && to == d {
		return x
	}
	return opSlice.Apply(&SliceAttr{a, from, to - from, 1, d}, x)
}

// SliceStep is n elements of an axis from a start on, step apart; a negative step runs backwards.
func (x *Tensor) SliceStep(axis, from, n, step int) *Tensor {
	a := x.axis("Slice", axis)
	return opSlice.Apply(&SliceAttr{a, from, n, step, x.Shape()[a]}, x)
}

// Flip reverses an axis.
func (x *Tensor) Flip(axis int) *Tensor {
	d := x.Dim(axis)
	return x.SliceStep(axis, max(0, d-1), d, -1)
}

// Split cuts an axis into n equal parts.
func (x *Tensor) Split(axis, n int) []*Tensor {
	d := x.Dim(axis)
	if n <= 0 || d%n != 0 {
		fail("Split", x.label, "axis %d of shape %v does not split into %d equal parts", axis, x.Shape(), n)
	}
	out := make([]*Tensor, n)
	for i := range out {
		out[i] = x.Slice(axis, i*d/n, (i+1)*d/n)
	}
	return out
}

// Concat joins tensors along an axis.
func Concat(axis int, ts ...*Tensor) *Tensor {
	if len(ts) == 0 {
		panic("tensor: Concat of nothing")
	}
	if len(ts) == 1 {
		return ts[0]
	}
	return opConcat.Apply(&ConcatAttr{ts[0].axis("Concat", axis)}, ts...)
}

// Pad adds before[i] and after[i] elements of a value on axis i.
func (x *Tensor) Pad(value float64, before, after []int) *Tensor {
	return opPad.Apply(&PadAttr{append([]int{}, before...), append([]int{}, after...), value}, x)
}
