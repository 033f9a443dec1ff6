package tensor

import (
	"fmt"

	"github.com/kun-ml/kun/array"
)

// MatMulAttr says which operands are taken transposed in their last two axes.
type MatMulAttr struct{ TransA, TransB bool }

// KCut is the cut of the inner dimension of a product: nk = ceil(k/400) blocks, rounded up to an even number if more than
// one, of ceil(k/nk) rounded up to 8. Each block is one chain of fused multiply-adds from zero, k ascending; blocks are added
// in order, in groups of 16. It is a function of k alone, so the bits of a product depend on nothing else.
func KCut(k int) (block, blocks int) {
	if k <= 0 {
		return 0, 0
	}
	blocks = (k + 399) / 400
	if blocks > 1 {
		blocks += blocks % 2
	}
	block = ((k+blocks-1)/blocks + 7) / 8 * 8
	return block, (k + block - 1) / block
}

var opMatMul *Op

func init() {
	opMatMul = Define(Op{Name: "MatMul", Doc: "The matrix product of the last two axes, (...,M,K) x (...,K,N) to (...,M,N); leading axes broadcast.",
		NewAttr: func() any { return &MatMulAttr{} }, Infer: inferMatMul, RefArray: refMatMul, Grad: gradMatMul,
		FlopsOf: func(n *Node) float64 {
			_, k := matDims(n.In[0].Shape(), n.Attr.(*MatMulAttr).TransA)
			return 2 * float64(n.types[0].Shape.Size()) * float64(k)
		},
		Cases: []Case{
			{In: []Type{F(5, 7), F(7, 3)}, Attr: &MatMulAttr{}},
			{In: []Type{F(7, 5), F(7, 3)}, Attr: &MatMulAttr{TransA: true}},
			{In: []Type{F(5, 7), F(3, 7)}, Attr: &MatMulAttr{TransB: true}},
			{In: []Type{F(7, 5), F(3, 7)}, Attr: &MatMulAttr{true, true}},
			{In: []Type{F(2, 5, 7), F(2, 7, 3)}, Attr: &MatMulAttr{}},
			{In: []Type{F(2, 1, 5, 7), F(3, 7, 4)}, Attr: &MatMulAttr{}},
			{In: []Type{F(2, 5, 7), F(7, 3)}, Attr: &MatMulAttr{}},
			{In: []Type{F(2, 5, 7), F(2, 3, 7)}, Attr: &MatMulAttr{TransB: true}},
			{In: []Type{F(33, 65), F(65, 50)}, Attr: &MatMulAttr{}},
			{In: []Type{F(3, 800), F(800, 20)}, Attr: &MatMulAttr{}},
		}})
}

func matDims(s array.Shape, trans bool) (rows, cols int) {
	r, c := s[len(s)-2], s[len(s)-1]
	if trans {
		return c, r
	}
	return r, c
}

func inferMatMul(n *Node, in []Type) ([]Type, error) {
	a, b, t := in[0], in[1], n.Attr.(*MatMulAttr)
	if a.DType != b.DType {
		return nil, fmt.Errorf("element types %v and %v differ; use Cast", a.DType, b.DType)
	}
	if !a.DType.IsFloat() && !a.DType.IsInt() {
		return nil, fmt.Errorf("no product of %v", a.DType)
	}
	if len(a.Shape) < 2 || len(b.Shape) < 2 {
		return nil, fmt.Errorf("want matrices, got shapes %v and %v", a.Shape, b.Shape)
	}
	m, k := matDims(a.Shape, t.TransA)
	k2, c := matDims(b.Shape, t.TransB)
	if k != k2 {
		return nil, fmt.Errorf("inner dimensions %d and %d differ", k, k2)
	}
	lead, err := Broadcast(a.Shape[:len(a.Shape)-2], b.Shape[:len(b.Shape)-2])
	if err != nil {
		return nil, err
	}
	return checked(a.DType, append(lead, m, c))
}

func refMatMul(n *Node, in, out [][]float64) {
	t := n.Attr.(*MatMulAttr)
	sa, sb, so := n.In[0].Shape(), n.In[1].Shape(), n.types[0].Shape
	m, k := matDims(sa, t.TransA)
	_, c := matDims(sb, t.TransB)
	lead := so[:len(so)-2]
	la, lb := BroadcastStrides(sa[:len(sa)-2], lead), BroadcastStrides(sb[:len(sb)-2], lead)
	ar, ac, br, bc := k, 1, c, 1
	if t.TransA {
		ar, ac = 1, m
	}
	if t.TransB {
		br, bc = 1, k
	}
	for o := range lead.Size() {
		pa, pb := 0, 0
		for i, r := len(lead)-1, o; i >= 0; i-- {
			pa += r % lead[i] * la[i] * m * k
			pb += r % lead[i] * lb[i] * k * c
			r /= lead[i]
		}
		for i := range m {
			for j := range c {
				s := 0.0
				for p := range k {
					s += float64(in[0][pa+i*ar+p*ac] * in[1][pb+p*br+j*bc])
				}
				out[0][(o*m+i)*c+j] = s
			}
		}
	}
}

func gradMatMul(n *Node, dy []*Tensor) []*Tensor {
	t, a, b, d := n.Attr.(*MatMulAttr), n.In[0], n.In[1], dy[0]
	if b.Rank() == 2 && a.Rank() > 2 && !t.TransA { // one product for all leading axes
		flat := func(x *Tensor) *Tensor { return x.Reshape(x.Shape()[:x.Rank()-1].Size(), x.Dim(-1)) }
		var da, db *Tensor
		da = d.matmul(b, false, !t.TransB)
		if t.TransB {
			db = flat(d).matmul(flat(a), true, false)
		} else {
			db = flat(a).matmul(flat(d), true, false)
		}
		return []*Tensor{da, db}
	}
	var da, db *Tensor
	if t.TransA {
		da = b.matmul(d, t.TransB, true)
	} else {
		da = d.matmul(b, false, !t.TransB)
	}
	if t.TransB {
		db = d.matmul(a, true, t.TransA)
	} else {
		db = a.matmul(d, !t.TransA, false)
	}
	return []*Tensor{da.SumTo(a.Shape()...), db.SumTo(b.Shape()...)}
}

func (x *Tensor) matmul(y *Tensor, ta, tb bool) *Tensor {
	return opMatMul.Apply(&MatMulAttr{ta, tb}, x, y)
}

// MatMul is the matrix product over the last two axes; leading axes broadcast.
func (x *Tensor) MatMul(y *Tensor) *Tensor { return x.matmul(y, false, false) }

// MatMulT is the product of x with y transposed in its last two axes: (...,M,K) x (...,N,K) to (...,M,N).
func (x *Tensor) MatMulT(y *Tensor) *Tensor { return x.matmul(y, false, true) }

// TMatMul is the product of x, transposed in its last two axes, with y: (...,K,M) x (...,K,N) to (...,M,N).
func (x *Tensor) TMatMul(y *Tensor) *Tensor { return x.matmul(y, true, false) }
