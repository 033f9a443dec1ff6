package tensor

import "math"

func unary(name, doc string, flops int, ref func(float64) float64, grad func(x, y, dy *Tensor) *Tensor, c Case) *Op {
	o := Op{Name: name, Doc: doc, Class: Elementwise, Flops: flops, Infer: inferNumbers, Ref: func(x []float64) float64 { return ref(x[0]) }}
	o.Grad = func(n *Node, dy []*Tensor) []*Tensor { return []*Tensor{grad(n.In[0], n.Out(0), dy[0])} }
	for _, s := range shapesUnary {
		k := c
		k.In = []Type{F(s...)}
		o.Cases = append(o.Cases, k)
	}
	return Define(o)
}

func binary(name, doc string, flops int, ref func(x, y float64) float64, grad func(n *Node, dy *Tensor) (dx, dy2 *Tensor), c Case) *Op {
	o := Op{Name: name, Doc: doc, Class: Elementwise, Flops: flops, Infer: inferNumbers, Ref: func(x []float64) float64 { return ref(x[0], x[1]) }}
	o.Grad = func(n *Node, dy []*Tensor) []*Tensor {
		a, b := grad(n, dy[0])
		return []*Tensor{a.SumTo(n.In[0].Shape()...), b.SumTo(n.In[1].Shape()...)}
	}
	for _, p := range shapesBinary {
		k := c
		k.In = []Type{F(p[0]...), F(p[1]...)}
		o.Cases = append(o.Cases, k)
	}
	return Define(o)
}

var opAdd, opSub, opMul, opDiv, opMaximum, opMinimum, opPow *Op

func init() {
	opAdd = binary("Add", "x + y, element by element.", 1, func(x, y float64) float64 { return x + y },
		func(n *Node, dy *Tensor) (*Tensor, *Tensor) { return dy, dy }, Case{})
	opSub = binary("Sub", "x - y, element by element.", 1, func(x, y float64) float64 { return x - y },
		func(n *Node, dy *Tensor) (*Tensor, *Tensor) { return dy, dy.Neg() }, Case{})
	opMul = binary("Mul", "x * y, element by element.", 1, func(x, y float64) float64 { return x * y },
		func(n *Node, dy *Tensor) (*Tensor, *Tensor) { return dy.Mul(n.In[1]), dy.Mul(n.In[0]) }, Case{})
	opDiv = binary("Div", "x / y, element by element.", 1, func(x, y float64) float64 { return x / y },
		func(n *Node, dy *Tensor) (*Tensor, *Tensor) {
			d := dy.Div(n.In[1])
			return d, d.Mul(n.Out(0)).Neg()
		}, Case{Low: 0.5, High: 2})
	opMaximum = binary("Maximum", "The larger of x and y; NaN when one of them is. At a tie the gradient is halved.", 1, MaxNaN, pick, Case{Kink: 1e-3})
	opMinimum = binary("Minimum", "The smaller of x and y; NaN when one of them is. At a tie the gradient is halved.", 1,
		func(x, y float64) float64 { return -MaxNaN(-x, -y) }, pick, Case{Kink: 1e-3})
	opMaximum.Infer, opMinimum.Infer = inferBroadcast, inferBroadcast // of truth values: or, and
	opPow = binary("Pow", "x to the power y. The gradient of y is 0 where x is, that of x where y is.", 40, math.Pow,
		func(n *Node, dy *Tensor) (*Tensor, *Tensor) {
			x, y := n.In[0], n.In[1]
			flat, one := y.Equal(Full(y, 0)), Full(dy, 1) // 0 times an infinite power or logarithm would be NaN
			dx := Where(flat, Full(dy, 0), y.Mul(x.Pow(Where(flat, one, y.AddScalar(-1)))))
			return dy.Mul(dx), dy.Mul(n.Out(0)).Mul(Where(x.Equal(Full(x, 0)), one, x).Log())
		}, Case{Low: 0.5, High: 2})
}

// pick is the gradient of a choice: all of dy to the operand that was taken, half to each at a tie.
func pick(n *Node, dy *Tensor) (*Tensor, *Tensor) {
	x, y := n.In[0], n.In[1]
	tie, zero, half := x.Equal(y), Full(dy, 0), dy.Scale(0.5)
	return Where(tie, half, Where(x.Equal(n.Out(0)), dy, zero)), Where(tie, half, Where(y.Equal(n.Out(0)), dy, zero))
}

// MaxNaN is the larger of two numbers; NaN when one of them is.
func MaxNaN(x, y float64) float64 {
	if x != x || y != y {
		return math.NaN()
	}
	return max(x, y)
}

// Add is x + y; shapes broadcast.
func (x *Tensor) Add(y *Tensor) *Tensor { return opAdd.Apply(nil, x, y) }

// Sub is x - y; shapes broadcast.
func (x *Tensor) Sub(y *Tensor) *Tensor { return opSub.Apply(nil, x, y) }

// Mul is x * y, element by element; shapes broadcast.
func (x *Tensor) Mul(y *Tensor) *Tensor { return opMul.Apply(nil, x, y) }

// Div is x / y, element by element; shapes broadcast.
func (x *Tensor) Div(y *Tensor) *Tensor { return opDiv.Apply(nil, x, y) }

// Maximum is the larger of x and y, element by element; shapes broadcast.
func (x *Tensor) Maximum(y *Tensor) *Tensor { return opMaximum.Apply(nil, x, y) }

// Minimum is the smaller of x and y, element by element; shapes broadcast.
func (x *Tensor) Minimum(y *Tensor) *Tensor { return opMinimum.Apply(nil, x, y) }

// Pow is x to the power y, element by element; shapes broadcast.
func (x *Tensor) Pow(y *Tensor) *Tensor { return opPow.Apply(nil, x, y) }
