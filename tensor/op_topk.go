package tensor

import (
	"fmt"
	"slices"

	"github.com/kun-ml/kun/array"
)

// TopKAttr is the number of elements taken.
type TopKAttr struct{ K int }

var opTopK *Op

func init() {
	opTopK = Define(Op{Name: "TopK", Doc: "The k largest elements along the last axis in descending order and their int32 positions; the first among equals comes first, NaN before all.",
		NewAttr: func() any { return &TopKAttr{} },
		Infer: func(n *Node, in []Type) ([]Type, error) {
			s, k := in[0].Shape.Clone(), n.Attr.(*TopKAttr).K
			if len(s) == 0 || k < 0 || k > s[len(s)-1] {
				return nil, fmt.Errorf("cannot take %d elements of the last axis of shape %v", k, s)
			}
			s[len(s)-1] = k
			return []Type{{in[0].DType, s}, {array.Int32, s}}, nil
		},
		RefArray: func(n *Node, in, out [][]float64) {
			w, k := n.In[0].Dim(-1), n.Attr.(*TopKAttr).K
			idx := make([]int, w)
			for r := range len(out[0]) / max(1, k) {
				row := in[0][r*w : (r+1)*w]
				for i := range idx {
					idx[i] = i
				}
				slices.SortStableFunc(idx, func(a, b int) int { return descending(row[a], row[b]) })
				for i, p := range idx[:k] {
					out[0][r*k+i], out[1][r*k+i] = row[p], float64(p)
				}
			}
		},
		Grad: func(n *Node, dy []*Tensor) []*Tensor {
			if dy[0] == nil {
				return []*Tensor{nil}
			}
			hot := n.Out(1).OneHot(n.In[0].Dim(-1), dy[0].DType()) // (...,K,C)
			d := dy[0].Reshape(append(dy[0].Shape().Clone(), 1)...)
			return []*Tensor{Where(hot.NotEqual(Full(hot, 0)), d, Full(d, 0)).Sum(-2)}
		},
		FlopsOf: func(n *Node) float64 { return 8 * float64(n.In[0].Shape().Size()) },
		Cases:   []Case{{In: []Type{F(3, 9)}, Attr: &TopKAttr{4}, Kink: 1e-3}, {In: []Type{F(2, 3, 5)}, Attr: &TopKAttr{5}, Kink: 1e-3}}})
}

func descending(a, b float64) int {
	switch {
	case a != a && b != b:
		return 0
	case a != a || a > b:
		return -1
	case b != b || a < b:
		return 1
	}
	return 0
}

// TopK is the k largest elements along the last axis, in descending order, and their positions (int32).
func (x *Tensor) TopK(k int) (values, positions *Tensor) {
	o := opTopK.ApplyAll(&TopKAttr{k}, x)
	return o[0], o[1]
}

// Sort puts the last axis in descending order.
func (x *Tensor) Sort() *Tensor { v, _ := x.TopK(x.Dim(-1)); return v }
