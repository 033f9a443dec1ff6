package tensor

import (
	"fmt"
	"math"

	"github.com/kun-ml/kun/array"
)

var opSparseCE, opSparseCEGrad *Op

func init() {
	opSparseCE = Define(Op{Name: "SparseCrossEntropy",
		Doc: "logits (...,C) and classes (...) int32 to the loss -log(softmax(logits)[class]) (...) and the probabilities (...,C). A class outside 0..C-1 gives NaN.",
		Infer: func(n *Node, in []Type) ([]Type, error) {
			s := in[0].Shape
			if len(s) == 0 || !in[0].DType.IsFloat() || !s[:len(s)-1].Equal(in[1].Shape) || in[1].DType != array.Int32 {
				return nil, fmt.Errorf("logits %v need int32 classes of the shape without the last axis, got %v", in[0], in[1])
			}
			return []Type{{in[0].DType, in[1].Shape}, in[0]}, nil
		},
		RefArray: func(n *Node, in, out [][]float64) {
			w := n.types[1].Shape[len(n.types[1].Shape)-1]
			for r, c := range in[1] {
				l := softmaxRow(in[0][r*w:(r+1)*w], out[1][r*w:(r+1)*w])
				out[0][r] = math.NaN()
				if c >= 0 && int(c) < w {
					out[0][r] = l - in[0][r*w+int(c)]
				}
			}
		},
		Grad: func(n *Node, dy []*Tensor) []*Tensor {
			var d *Tensor
			if dy[0] != nil {
				d = opSparseCEGrad.Apply(nil, n.Out(1), n.In[1], dy[0])
			}
			if dy[1] != nil {
				e := opSoftmaxGrad.Apply(nil, n.Out(1), dy[1])
				if d != nil {
					e = d.Add(e)
				}
				d = e
			}
			return []*Tensor{d, nil}
		},
		FlopsOf: func(n *Node) float64 { return 20 * float64(n.types[1].Shape.Size()) },
		Cases:   []Case{{In: []Type{F(5, 10), I(5)}, Index: 10}, {In: []Type{F(2, 3, 4), I(2, 3)}, Index: 4}}})
	opSparseCEGrad = Define(Op{Name: "SparseCrossEntropyGrad", Doc: "(p - onehot(class)) * dy: the gradient of SparseCrossEntropy from its probabilities.",
		Infer: func(n *Node, in []Type) ([]Type, error) {
			p, class, dy := in[0], in[1], in[2]
			if k := len(p.Shape) - 1; k < 0 || class.DType != array.Int32 || !p.Shape[:k].Equal(class.Shape) || dy.DType != p.DType || !dy.Shape.Equal(class.Shape) {
				return nil, fmt.Errorf("probabilities %v, classes %v and the gradient %v of the loss do not fit", p, class, dy)
			}
			return []Type{p}, nil
		},
		RefArray: func(n *Node, in, out [][]float64) {
			w := n.types[0].Shape[len(n.types[0].Shape)-1]
			for r, c := range in[1] {
				for j := range w {
					p := in[0][r*w+j]
					if j == int(c) {
						p--
					}
					out[0][r*w+j] = p * in[2][r]
				}
			}
		},
		Grad: func(n *Node, e []*Tensor) []*Tensor {
			p, c, dy := n.In[0], n.In[1], n.In[2]
			d := dy.Reshape(append(dy.Shape().Clone(), 1)...)
			return []*Tensor{e[0].Mul(d), nil, e[0].Mul(p.Sub(c.OneHot(p.Dim(-1), p.DType()))).Sum(-1)}
		},
		FlopsOf: func(n *Node) float64 { return 2 * float64(n.types[0].Shape.Size()) },
		Cases:   []Case{{In: []Type{F(5, 10), I(5), F(5)}, Index: 10}}})
}

// SparseCrossEntropy is -log(softmax(x)[class]) for logits x (...,C) and classes (...) of type int32.
func (x *Tensor) SparseCrossEntropy(class *Tensor) *Tensor { return opSparseCE.Apply(nil, x, class) }
