package tensor

import (
	"fmt"
	"slices"

	"github.com/kun-ml/kun/array"
)

// DepthAttr is the number of classes of a one-hot code and its element type.
type DepthAttr struct {
	Depth int
	To    array.DType
}

// RowsAttr is a number of rows.
type RowsAttr struct{ Rows int }

var opTake, opScatterRows, opOneHot, opGatherLast, opScatterLast *Op

func init() {
	opTake = Define(Op{Name: "Take", Doc: "Rows of a table (N,...) by int32 indices (I...) to (I...,...). An index outside 0..N-1 gives NaN, or 0 for integers.",
		Infer: func(n *Node, in []Type) ([]Type, error) {
			if len(in[0].Shape) == 0 || in[1].DType != array.Int32 {
				return nil, fmt.Errorf("want a table and int32 indices, got %v and %v", in[0], in[1])
			}
			return checked(in[0].DType, slices.Concat(in[1].Shape, in[0].Shape[1:]))
		},
		RefArray: func(n *Node, in, out [][]float64) {
			rows := n.In[0].Shape()[0]
			w := n.In[0].Shape()[1:].Size()
			for i, v := range in[1] {
				for j := range w {
					out[0][i*w+j] = outside(n.types[0].DType)
					if v >= 0 && int(v) < rows {
						out[0][i*w+j] = in[0][int(v)*w+j]
					}
				}
			}
		},
		Grad: func(n *Node, dy []*Tensor) []*Tensor {
			return []*Tensor{opScatterRows.Apply(&RowsAttr{n.In[0].Shape()[0]}, n.In[1], dy[0]), nil}
		},
		FlopsOf: noFlops, Cases: []Case{{In: []Type{F(6, 5), I(4)}, Index: 6}, {In: []Type{F(6, 5), I(2, 3)}, Index: 6}, {In: []Type{F(6), I(2, 3)}, Index: 6}}})
	opScatterRows = Define(Op{Name: "ScatterAddRows", Doc: "A table of zeros to which row i of the values (I...,...) is added at row index[i], in order; indices outside are skipped.",
		NewAttr: func() any { return &RowsAttr{} },
		Infer: func(n *Node, in []Type) ([]Type, error) {
			k := len(in[0].Shape)
			if in[0].DType != array.Int32 || len(in[1].Shape) < k || !in[1].Shape[:k].Equal(in[0].Shape) {
				return nil, fmt.Errorf("int32 indices and values do not fit: %v and %v", in[0], in[1])
			}
			if err := numbers(in); err != nil {
				return nil, err
			}
			return checked(in[1].DType, append(array.Shape{n.Attr.(*RowsAttr).Rows}, in[1].Shape[k:]...))
		},
		RefArray: func(n *Node, in, out [][]float64) {
			rows, w := n.types[0].Shape[0], n.types[0].Shape[1:].Size()
			clear(out[0])
			for i, v := range in[0] {
				if v >= 0 && int(v) < rows {
					for j := range w {
						out[0][int(v)*w+j] += in[1][i*w+j]
					}
				}
			}
		},
		Grad:    func(n *Node, dy []*Tensor) []*Tensor { return []*Tensor{nil, dy[0].Take(n.In[0])} },
		FlopsOf: func(n *Node) float64 { return float64(n.In[1].Shape().Size()) },
		Cases:   []Case{{In: []Type{I(4), F(4, 5)}, Index: 6, Attr: &RowsAttr{6}}, {In: []Type{I(2, 3), F(2, 3, 5)}, Index: 3, Attr: &RowsAttr{3}}}})
	opOneHot = Define(Op{Name: "OneHot", Doc: "int32 classes (...) to (...,depth): 1 at the class, else 0; all 0 for a class outside.", NewAttr: func() any { return &DepthAttr{} },
		Infer: func(n *Node, in []Type) ([]Type, error) {
			if in[0].DType != array.Int32 {
				return nil, fmt.Errorf("want int32 classes, got %v", in[0])
			}
			a := n.Attr.(*DepthAttr)
			return checked(a.To, append(in[0].Shape.Clone(), a.Depth))
		},
		RefArray: func(n *Node, in, out [][]float64) {
			d := n.Attr.(*DepthAttr).Depth
			clear(out[0])
			for i, v := range in[0] {
				if v >= 0 && int(v) < d {
					out[0][i*d+int(v)] = 1
				}
			}
		},
		NoGrad: "its operand is an index", Stops: true, FlopsOf: noFlops, Cases: []Case{{In: []Type{I(2, 3)}, Index: 5, Attr: &DepthAttr{4, array.Float32}}}})
	opGatherLast = Define(Op{Name: "GatherLast", Doc: "x (...,C) and int32 indices (...) to x[...,index] (...): one element of each row. An index outside gives NaN.",
		Infer: func(n *Node, in []Type) ([]Type, error) {
			s := in[0].Shape
			if len(s) == 0 || in[1].DType != array.Int32 || !s[:len(s)-1].Equal(in[1].Shape) {
				return nil, fmt.Errorf("%v needs int32 indices of the shape without the last axis, got %v", in[0], in[1])
			}
			return []Type{{in[0].DType, in[1].Shape}}, nil
		},
		RefArray: func(n *Node, in, out [][]float64) {
			w := n.In[0].Dim(-1)
			for i, v := range in[1] {
				out[0][i] = outside(n.types[0].DType)
				if v >= 0 && int(v) < w {
					out[0][i] = in[0][i*w+int(v)]
				}
			}
		},
		Grad: func(n *Node, dy []*Tensor) []*Tensor {
			return []*Tensor{opScatterLast.Apply(&DepthAttr{n.In[0].Dim(-1), dy[0].DType()}, n.In[1], dy[0]), nil}
		},
		FlopsOf: noFlops, Cases: []Case{{In: []Type{F(4, 5), I(4)}, Index: 5}, {In: []Type{F(2, 3, 5), I(2, 3)}, Index: 5}}})
	opScatterLast = Define(Op{Name: "ScatterLast", Doc: "int32 indices (...) and values (...) to (...,depth): the value at the index, else 0.", NewAttr: func() any { return &DepthAttr{} },
		Infer: func(n *Node, in []Type) ([]Type, error) {
			if in[0].DType != array.Int32 || !in[0].Shape.Equal(in[1].Shape) {
				return nil, fmt.Errorf("int32 indices and values do not fit: %v and %v", in[0], in[1])
			}
			return checked(in[1].DType, append(in[0].Shape.Clone(), n.Attr.(*DepthAttr).Depth))
		},
		RefArray: func(n *Node, in, out [][]float64) {
			d := n.Attr.(*DepthAttr).Depth
			clear(out[0])
			for i, v := range in[0] {
				if v >= 0 && int(v) < d {
					out[0][i*d+int(v)] = in[1][i]
				}
			}
		},
		Grad:    func(n *Node, dy []*Tensor) []*Tensor { return []*Tensor{nil, opGatherLast.Apply(nil, dy[0], n.In[0])} },
		FlopsOf: noFlops, Cases: []Case{{In: []Type{I(4), F(4)}, Index: 5, Attr: &DepthAttr{5, array.Float32}}}})
}

func outside(d array.DType) float64 {
	if d.IsFloat() {
		return nan
	}
	return 0
}

// Take is the rows of x, a table (N,...), by int32 indices (I...): (I...,...).
func (x *Tensor) Take(index *Tensor) *Tensor { return opTake.Apply(nil, x, index) }

// Gather takes along an axis: with index of the shape of x without that axis, one element of each row; x (...,C) and
// index (...) give (...).
func (x *Tensor) Gather(index *Tensor, axis int) *Tensor {
	a := x.axis("Gather", axis)
	if a != x.Rank()-1 {
		p := make([]int, 0, x.Rank())
		for i := range x.Rank() {
			if i != a {
				p = append(p, i)
			}
		}
		x = x.Permute(append(p, a)...)
	}
	return opGatherLast.Apply(nil, x, index)
}

// OneHot is 1 at the class and 0 elsewhere along a new last axis, as element type d.
func (x *Tensor) OneHot(depth int, d array.DType) *Tensor {
	return opOneHot.Apply(&DepthAttr{depth, d}, x)
}

// ScatterAddRows is a table of rows zeros to which the rows of values are added at the indices x.
func (x *Tensor) ScatterAddRows(values *Tensor, rows int) *Tensor {
	return opScatterRows.Apply(&RowsAttr{rows}, x, values)
}
