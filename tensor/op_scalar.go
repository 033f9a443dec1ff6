package tensor

import "math"

// ScalarValue is the attribute of operations with one number.
type ScalarValue struct{ Value float64 }

func scalarOp(name, doc string, flops int, ref func(x, s float64) float64, grad func(x, dy *Tensor, s float64) *Tensor, s float64, c Case) *Op {
	o := Op{Name: name, Doc: doc, Class: Elementwise, Flops: flops, Infer: inferNumbers, NewAttr: func() any { return &ScalarValue{} }}
	o.RefAttr = func(a any, x []float64) float64 { return ref(x[0], a.(*ScalarValue).Value) }
	o.Grad = func(n *Node, dy []*Tensor) []*Tensor {
		return []*Tensor{grad(n.In[0], dy[0], n.Attr.(*ScalarValue).Value)}
	}
	for _, sh := range shapesUnary {
		k := c
		k.In, k.Attr = []Type{F(sh...)}, &ScalarValue{s}
		o.Cases = append(o.Cases, k)
	}
	return Define(o)
}

var opAddScalar, opScale, opPowScalar, opMaximumScalar, opMinimumScalar *Op

func init() {
	opAddScalar = scalarOp("AddScalar", "x + c.", 1, func(x, s float64) float64 { return x + s },
		func(x, dy *Tensor, s float64) *Tensor { return dy }, 0.75, Case{})
	opScale = scalarOp("Scale", "x * c.", 1, func(x, s float64) float64 { return x * s },
		func(x, dy *Tensor, s float64) *Tensor { return dy.Scale(s) }, -1.5, Case{})
	opPowScalar = scalarOp("PowScalar", "x to the power c.", 40, math.Pow,
		func(x, dy *Tensor, s float64) *Tensor {
			if s == 0 {
				return nil
			}
			return dy.Mul(x.PowScalar(s - 1).Scale(s))
		}, 2.5, Case{Low: 0.25, High: 2})
	opMaximumScalar = scalarOp("MaximumScalar", "The larger of x and c; the gradient flows where x > c.", 1, MaxNaN,
		func(x, dy *Tensor, s float64) *Tensor { return Where(x.Greater(Full(x, s)), dy, Full(dy, 0)) }, 0.25, Case{Kink: 1e-3})
	opMinimumScalar = scalarOp("MinimumScalar", "The smaller of x and c; the gradient flows where x < c.", 1,
		func(x, s float64) float64 { return -MaxNaN(-x, -s) },
		func(x, dy *Tensor, s float64) *Tensor { return Where(x.Less(Full(x, s)), dy, Full(dy, 0)) }, 0.25, Case{Kink: 1e-3})
}

// AddScalar is x + c.
func (x *Tensor) AddScalar(c float64) *Tensor { return opAddScalar.Apply(&ScalarValue{c}, x) }

// Scale is x * c.
func (x *Tensor) Scale(c float64) *Tensor { return opScale.Apply(&ScalarValue{c}, x) }

// OneMinus is 1 - x.
func (x *Tensor) OneMinus() *Tensor { return x.Neg().AddScalar(1) }

// PowScalar is x to the power c.
func (x *Tensor) PowScalar(c float64) *Tensor { return opPowScalar.Apply(&ScalarValue{c}, x) }

// MaximumScalar is the larger of x and c.
func (x *Tensor) MaximumScalar(c float64) *Tensor { return opMaximumScalar.Apply(&ScalarValue{c}, x) }

// MinimumScalar is the smaller of x and c.
func (x *Tensor) MinimumScalar(c float64) *Tensor { return opMinimumScalar.Apply(&ScalarValue{c}, x) }

// Clip limits x to low..high; the gradient flows strictly inside.
func (x *Tensor) Clip(low, high float64) *Tensor { return x.MaximumScalar(low).MinimumScalar(high) }
