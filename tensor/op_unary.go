package tensor

import "math"

var opNeg, opAbs, opSign, opExp, opExpm1, opLog, opLog1p, opSqrt, opRsqrt, opSquare, opReciprocal *Op
var opSin, opCos, opTanh, opErf, opSigmoid, opRelu, opFloor, opRound *Op

func init() {
	opNeg = unary("Neg", "-x.", 1, func(x float64) float64 { return -x }, func(x, y, dy *Tensor) *Tensor { return dy.Neg() }, Case{})
	opAbs = unary("Abs", "|x|; the gradient at 0 is 0.", 1, math.Abs, func(x, y, dy *Tensor) *Tensor { return dy.Mul(x.Sign()) }, Case{Kink: 1e-3})
	opSign = unary("Sign", "-1, 0 or 1 by the sign of x; NaN stays NaN. The gradient is 0.", 1, sign, zeroGrad, Case{Kink: 1e-3})
	opExp = unary("Exp", "e to the power x.", 12, math.Exp, func(x, y, dy *Tensor) *Tensor { return dy.Mul(y) }, Case{})
	opExpm1 = unary("Expm1", "exp(x) - 1, exact near 0.", 14, math.Expm1, func(x, y, dy *Tensor) *Tensor { return dy.Mul(y.AddScalar(1)) }, Case{})
	opLog = unary("Log", "The natural logarithm.", 14, math.Log, func(x, y, dy *Tensor) *Tensor { return dy.Div(x) }, Case{Low: 0.25, High: 4})
	opLog1p = unary("Log1p", "log(1 + x), exact near 0.", 16, math.Log1p, func(x, y, dy *Tensor) *Tensor { return dy.Div(x.AddScalar(1)) }, Case{Low: -0.5, High: 4})
	opSqrt = unary("Sqrt", "The square root.", 1, math.Sqrt, func(x, y, dy *Tensor) *Tensor { return dy.Scale(0.5).Div(y) }, Case{Low: 0.25, High: 4})
	opRsqrt = unary("Rsqrt", "1 / sqrt(x), exactly rounded steps.", 2, func(x float64) float64 { return 1 / math.Sqrt(x) },
		func(x, y, dy *Tensor) *Tensor { return dy.Scale(-0.5).Mul(y).Div(x) }, Case{Low: 0.25, High: 4})
	opSquare = unary("Square", "x * x.", 1, func(x float64) float64 { return x * x }, func(x, y, dy *Tensor) *Tensor { return dy.Mul(x).Scale(2) }, Case{})
	opReciprocal = unary("Reciprocal", "1 / x.", 1, func(x float64) float64 { return 1 / x },
		func(x, y, dy *Tensor) *Tensor { return dy.Mul(y.Square()).Neg() }, Case{Low: 0.5, High: 2})
	opSin = unary("Sin", "The sine of x in radians.", 16, math.Sin, func(x, y, dy *Tensor) *Tensor { return dy.Mul(x.Cos()) }, Case{})
	opCos = unary("Cos", "The cosine of x in radians.", 16, math.Cos, func(x, y, dy *Tensor) *Tensor { return dy.Mul(x.Sin()).Neg() }, Case{})
	opTanh = unary("Tanh", "The hyperbolic tangent.", 20, math.Tanh, func(x, y, dy *Tensor) *Tensor { return dy.Mul(y.Square().OneMinus()) }, Case{})
	opErf = unary("Erf", "The error function.", 20, math.Erf,
		func(x, y, dy *Tensor) *Tensor { return dy.Mul(x.Square().Neg().Exp()).Scale(2 / math.Sqrt(math.Pi)) }, Case{})
	opSigmoid = unary("Sigmoid", "1 / (1 + exp(-x)).", 14, func(x float64) float64 { return 1 / (1 + math.Exp(-x)) },
		func(x, y, dy *Tensor) *Tensor { return dy.Mul(y).Mul(y.OneMinus()) }, Case{})
	opRelu = unary("Relu", "max(0, x); the gradient at 0 is 0.", 1, func(x float64) float64 { return MaxNaN(x, 0) },
		func(x, y, dy *Tensor) *Tensor { return opReluGrad.Apply(nil, dy, y) }, Case{Kink: 1e-3})
	opFloor = unary("Floor", "The largest integer not above x. The gradient is 0.", 1, math.Floor, zeroGrad, Case{})
	opRound = unary("Round", "The nearest integer, halves to even. The gradient is 0.", 1, math.RoundToEven, zeroGrad, Case{})
}

func zeroGrad(x, y, dy *Tensor) *Tensor { return nil }

func sign(x float64) float64 {
	switch {
	case x > 0:
		return 1
	case x < 0:
		return -1
	}
	return x
}

var opReluGrad = Define(Op{Name: "ReluGrad", Doc: "dy where y > 0, else 0: the gradient of Relu from its output.", Class: Elementwise, Flops: 1, Infer: inferNumbers,
	Ref: func(x []float64) float64 {
		if x[1] > 0 {
			return x[0]
		}
		return 0
	},
	Grad:  func(n *Node, d []*Tensor) []*Tensor { return []*Tensor{n.Op.Apply(nil, d[0], n.In[1]), nil} },
	Cases: []Case{{In: []Type{F(3, 5), F(3, 5)}, Kink: 1e-3}},
})

// Neg is -x.
func (x *Tensor) Neg() *Tensor { return opNeg.Apply(nil, x) }

// Abs is |x|.
func (x *Tensor) Abs() *Tensor { return opAbs.Apply(nil, x) }

// Sign is -1, 0 or 1.
func (x *Tensor) Sign() *Tensor { return opSign.Apply(nil, x) }

// Exp is e to the power x.
func (x *Tensor) Exp() *Tensor { return opExp.Apply(nil, x) }

// Expm1 is exp(x) - 1.
func (x *Tensor) Expm1() *Tensor { return opExpm1.Apply(nil, x) }

// Log is the natural logarithm.
func (x *Tensor) Log() *Tensor { return opLog.Apply(nil, x) }

// Log1p is log(1 + x).
func (x *Tensor) Log1p() *Tensor { return opLog1p.Apply(nil, x) }

// Sqrt is the square root.
func (x *Tensor) Sqrt() *Tensor { return opSqrt.Apply(nil, x) }

// Rsqrt is 1 / sqrt(x).
func (x *Tensor) Rsqrt() *Tensor { return opRsqrt.Apply(nil, x) }

// Square is x * x.
func (x *Tensor) Square() *Tensor { return opSquare.Apply(nil, x) }

// Reciprocal is 1 / x.
func (x *Tensor) Reciprocal() *Tensor { return opReciprocal.Apply(nil, x) }

// Sin is the sine.
func (x *Tensor) Sin() *Tensor { return opSin.Apply(nil, x) }

// Cos is the cosine.
func (x *Tensor) Cos() *Tensor { return opCos.Apply(nil, x) }

// Tanh is the hyperbolic tangent.
func (x *Tensor) Tanh() *Tensor { return opTanh.Apply(nil, x) }

// Erf is the error function.
func (x *Tensor) Erf() *Tensor { return opErf.Apply(nil, x) }

// Sigmoid is 1 / (1 + exp(-x)).
func (x *Tensor) Sigmoid() *Tensor { return opSigmoid.Apply(nil, x) }

// ReLU is max(0, x).
func (x *Tensor) ReLU() *Tensor { return opRelu.Apply(nil, x) }

// Floor is the largest integer not above x.
func (x *Tensor) Floor() *Tensor { return opFloor.Apply(nil, x) }

// Round is the nearest integer, halves to even.
func (x *Tensor) Round() *Tensor { return opRound.Apply(nil, x) }
