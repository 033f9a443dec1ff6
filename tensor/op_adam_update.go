package tensor

import (
	"fmt"
	"math"
)

// AdamAttr are the constants of Adam; Beta1, Beta2 are the decays, Eps stands outside the bias correction (Keras).
type AdamAttr struct{ Beta1, Beta2, Eps float64 }

var opAdamUpdate = Define(Op{Name: "AdamUpdate",
	Doc:     "One step of Adam: m += (g-m)(1-beta1); v += (g*g-v)(1-beta2); w' = w*(1-decay) - alpha*m/(sqrt(v)+eps). Operands w, m, v, g and the scalars alpha, decay; outputs w', m, v. Gradients of at most 2^-56 and moments m of at most 2^-100 and v of at most 2^-112 may count as 0. Kingma and Ba 2015, arXiv:1412.6980, in Keras's form.",
	NewAttr: func() any { return &AdamAttr{} },
	Infer: func(n *Node, in []Type) ([]Type, error) {
		for _, t := range in[1:4] {
			if !t.Shape.Equal(in[0].Shape) || t.DType != in[0].DType {
				return nil, fmt.Errorf("operands %v and %v differ", in[0], t)
			}
		}
		for _, t := range in[4:] {
			if len(t.Shape) != 0 || t.DType != in[0].DType {
				return nil, fmt.Errorf("want a scalar of type %v, got %v", in[0].DType, t)
			}
		}
		return []Type{in[0], in[0], in[0]}, nil
	},
	RefArray: func(n *Node, in, out [][]float64) {
		a, alpha, decay := n.Attr.(*AdamAttr), in[4][0], in[5][0]
		for i := range in[0] {
			w, m, v, g := in[0][i], in[1][i], in[2][i], in[3][i]
			m += float64((g - m) * (1 - a.Beta1)) // a product rounds before it is added, on every processor
			v += float64((float64(g*g) - v) * (1 - a.Beta2))
			out[0][i], out[1][i], out[2][i] = w-float64(w*decay)-alpha*m/(math.Sqrt(v)+a.Eps), m, v
		}
	},
	NoGrad:  "an optimizer's step is not differentiated",
	FlopsOf: func(n *Node) float64 { return 14 * float64(n.types[0].Shape.Size()) },
	Cases:   []Case{{In: []Type{F(3, 7), F(3, 7), F(3, 7), F(3, 7), F(), F()}, Low: 0.1, High: 1, Attr: &AdamAttr{0.9, 0.999, 1e-7}}}})

// AdamUpdate is one step of Adam for the weight x: new weight, new first moment, new second moment. alpha and decay are scalars.
func (x *Tensor) AdamUpdate(m, v, g, alpha, decay *Tensor, a AdamAttr) (w, m2, v2 *Tensor) {
	o := opAdamUpdate.ApplyAll(&a, x, m, v, g, alpha, decay)
	return o[0], o[1], o[2]
}
