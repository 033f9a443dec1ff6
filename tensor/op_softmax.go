package tensor

import "math"

func rowsOf(n *Node) (rows, width int) {
	s := n.types[0].Shape
	width = s[len(s)-1]
	if width == 0 {
		return 0, 0
	}
	return s.Size() / width, width
}

func inferRow(n *Node, in []Type) ([]Type, error) {
	if len(in[0].Shape) == 0 {
		return nil, errScalar
	}
	if !in[0].DType.IsFloat() {
		return nil, errWhole
	}
	for _, t := range in[1:] {
		if !t.Shape.Equal(in[0].Shape) || t.DType != in[0].DType {
			return nil, errOperands
		}
	}
	return []Type{in[0]}, nil
}

const (
	errScalar   = constError("a scalar has no last axis")
	errOperands = constError("the operands' types differ")
	errWhole    = constError("want floating-point numbers; use Cast")
)

type constError string

// Error is the text itself.
func (e constError) Error() string { return string(e) }

func softmaxRow(x, y []float64) (logsum float64) {
	m, s := math.Inf(-1), 0.0
	for _, v := range x {
		m = MaxNaN(m, v)
	}
	for i, v := range x {
		y[i] = math.Exp(v - m)
		s += y[i]
	}
	for i := range y {
		y[i] /= s
	}
	return m + math.Log(s)
}

func rowFlops(n *Node) float64 { return 16 * float64(n.types[0].Shape.Size()) }

var rowCases = []Case{{In: []Type{F(5, 10)}}, {In: []Type{F(2, 3, 33)}}, {In: []Type{F(1)}}}

var opSoftmax, opLogSoftmax, opSoftmaxGrad *Op

func init() {
	opSoftmax = Define(Op{Name: "Softmax", Doc: "exp(x) / sum(exp(x)) over the last axis, without overflow.", Infer: inferRow,
		RefArray: func(n *Node, in, out [][]float64) {
			rows, w := rowsOf(n)
			for r := range rows {
				softmaxRow(in[0][r*w:(r+1)*w], out[0][r*w:(r+1)*w])
			}
		},
		Grad:    func(n *Node, dy []*Tensor) []*Tensor { return []*Tensor{opSoftmaxGrad.Apply(nil, n.Out(0), dy[0])} },
		FlopsOf: rowFlops, Cases: rowCases})
	opSoftmaxGrad = Define(Op{Name: "SoftmaxGrad", Doc: "y * (dy - sum(dy * y)) over the last axis: the gradient of Softmax from its output.", Infer: inferRow,
		RefArray: func(n *Node, in, out [][]float64) {
			rows, w := rowsOf(n)
			for r := range rows {
				y, d, s := in[0][r*w:(r+1)*w], in[1][r*w:(r+1)*w], 0.0
				for i := range y {
					s += float64(y[i] * d[i])
				}
				for i := range y {
					out[0][r*w+i] = y[i] * (d[i] - s)
				}
			}
		},
		Grad: func(n *Node, e []*Tensor) []*Tensor { // z = y*(d - <d,y>)
			y, d := n.In[0], n.In[1]
			ey := e[0].Mul(y).SumKeep(-1)
			return []*Tensor{e[0].Mul(d.Sub(d.Mul(y).SumKeep(-1))).Sub(d.Mul(ey)), y.Mul(e[0].Sub(ey))}
		},
		FlopsOf: rowFlops, Cases: []Case{{In: []Type{F(5, 10), F(5, 10)}}}})
	opLogSoftmax = Define(Op{Name: "LogSoftmax", Doc: "x - log(sum(exp(x))) over the last axis, without overflow.", Infer: inferRow,
		RefArray: func(n *Node, in, out [][]float64) {
			rows, w := rowsOf(n)
			for r := range rows {
				l := softmaxRow(in[0][r*w:(r+1)*w], out[0][r*w:(r+1)*w])
				for i := range w {
					out[0][r*w+i] = in[0][r*w+i] - l
				}
			}
		},
		Grad: func(n *Node, dy []*Tensor) []*Tensor {
			return []*Tensor{dy[0].Sub(n.Out(0).Exp().Mul(dy[0].SumKeep(-1)))}
		},
		FlopsOf: rowFlops, Cases: rowCases})
}

func (x *Tensor) lastAxis(axis int, f func(*Tensor) *Tensor) *Tensor {
	a := x.axis("Softmax", axis)
	if a == x.Rank()-1 {
		return f(x)
	}
	return f(x.Transpose(a, -1)).Transpose(a, -1)
}

// Softmax is exp(x) / sum(exp(x)) over an axis.
func (x *Tensor) Softmax(axis int) *Tensor {
	return x.lastAxis(axis, func(t *Tensor) *Tensor { return opSoftmax.Apply(nil, t) })
}

// LogSoftmax is x - log(sum(exp(x))) over an axis.
func (x *Tensor) LogSoftmax(axis int) *Tensor {
	return x.lastAxis(axis, func(t *Tensor) *Tensor { return opLogSoftmax.Apply(nil, t) })
}

// Logits gives the operand when x came out of a softmax over its last axis: losses use it to avoid the logarithm of
// rounded probabilities, as Keras does.
func (x *Tensor) Logits() (*Tensor, bool) {
	if x.n.Op == opSoftmax {
		return x.n.In[0], true
	}
	return nil, false
}

// SigmoidLogits gives the operand when x came out of a sigmoid.
func (x *Tensor) SigmoidLogits() (*Tensor, bool) {
	if x.n.Op == opSigmoid {
		return x.n.In[0], true
	}
	return nil, false
}
