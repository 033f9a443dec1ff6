package tensor

import (
	"fmt"
	"math"
	"slices"

	"github.com/kun-ml/kun/array"
)

// AxesAttr are the axes, ascending and not negative, that an operation takes together; Keep leaves them as size 1.
type AxesAttr struct {
	Axes []int
	Keep bool
}

func reducedShape(s array.Shape, axes []int, keep bool) (array.Shape, error) {
	out := array.Shape{}
	for i, a := range axes {
		if a < 0 || a >= len(s) || i > 0 && axes[i-1] >= a {
			return nil, fmt.Errorf("axes %v do not fit shape %v", axes, s)
		}
	}
	for i, d := range s {
		switch {
		case !slices.Contains(axes, i):
			out = append(out, d)
		case keep:
			out = append(out, 1)
		}
	}
	return out, nil
}

func inferReduce(n *Node, in []Type) ([]Type, error) {
	a := n.Attr.(*AxesAttr)
	s, err := reducedShape(in[0].Shape, a.Axes, a.Keep)
	if n.Op != opMax && n.Op != opMin && err == nil { // the extremes of truth values are any and all
		err = numbers(in)
	}
	return []Type{{in[0].DType, s}}, err
}

// eachGroup calls f with the flat positions of the operand elements that make up output element o.
func eachGroup(s array.Shape, axes []int, f func(o int, at []int)) {
	kept, _ := reducedShape(s, axes, true)
	st := s.Strides()
	red := make(array.Shape, len(axes))
	rst := make([]int, len(axes))
	for i, a := range axes {
		red[i], rst[i] = s[a], st[a]
	}
	at := make([]int, red.Size())
	index := make([]int, len(s))
	for o := range kept.Size() {
		base := 0
		for i, r := len(s)-1, o; i >= 0; i-- {
			index[i] = r % kept[i]
			r /= kept[i]
			base += index[i] * st[i]
		}
		for j := range at {
			p := base
			for i, r := len(red)-1, j; i >= 0; i-- {
				p += r % red[i] * rst[i]
				r /= red[i]
			}
			at[j] = p
		}
		f(o, at)
	}
}

func reduction(name, doc string, ref func(x []float64, at []int) float64, grad func(n *Node, dy, y *Tensor) *Tensor, c Case) *Op {
	o := Op{Name: name, Doc: doc, Class: Reduction, NewAttr: func() any { return &AxesAttr{} }, Infer: inferReduce,
		RefArray: func(n *Node, in, out [][]float64) {
			eachGroup(n.In[0].Shape(), n.Attr.(*AxesAttr).Axes, func(o int, at []int) { out[0][o] = ref(in[0], at) })
		}}
	if grad != nil {
		o.Grad = func(n *Node, dy []*Tensor) []*Tensor {
			kept, _ := reducedShape(n.In[0].Shape(), n.Attr.(*AxesAttr).Axes, true)
			return []*Tensor{grad(n, dy[0].Reshape(kept...), n.Out(0).Reshape(kept...))}
		}
	} else {
		o.NoGrad, o.Stops = "an index is piecewise constant", true
	}
	for _, k := range []struct {
		s    []int
		axes []int
		keep bool
	}{{[]int{7}, []int{0}, false}, {[]int{3, 37}, []int{1}, false}, {[]int{3, 37}, []int{0}, true}, {[]int{2, 3, 21}, []int{0, 2}, false}, {[]int{2, 3, 21}, []int{0, 1}, false}, {[]int{4, 5}, []int{0, 1}, false}} {
		d := c
		d.In, d.Attr = []Type{F(k.s...)}, &AxesAttr{k.axes, k.keep}
		o.Cases = append(o.Cases, d)
	}
	return Define(o)
}

var opSum, opMean, opMax, opMin, opProd, opLogSumExp *Op

func init() {
	opSum = reduction("Sum", "The sum over axes.", func(x []float64, at []int) (s float64) {
		for _, p := range at {
			s += x[p]
		}
		return s
	}, func(n *Node, dy, y *Tensor) *Tensor { return dy.BroadcastTo(n.In[0].Shape()...) }, Case{})
	opMean = reduction("Mean", "The mean over axes; the count follows from the shape.", func(x []float64, at []int) (s float64) {
		for _, p := range at {
			s += x[p]
		}
		return s / float64(len(at))
	}, func(n *Node, dy, y *Tensor) *Tensor {
		return opMeanGrad.Apply(&ShapeAttr{n.In[0].Shape().Clone()}, dy)
	}, Case{})
	opMax = reduction("Max", "The largest element along axes; NaN when one is. The gradient is shared among equals.", func(x []float64, at []int) float64 {
		m := math.Inf(-1)
		for _, p := range at {
			m = MaxNaN(m, x[p])
		}
		return m
	}, extremeGrad, Case{Kink: 1e-3})
	opMin = reduction("Min", "The smallest element along axes; NaN when one is. The gradient is shared among equals.", func(x []float64, at []int) float64 {
		m := math.Inf(-1)
		for _, p := range at {
			m = MaxNaN(m, -x[p])
		}
		return -m
	}, extremeGrad, Case{Kink: 1e-3})
	opProd = reduction("Prod", "The product over axes. The gradient divides by the elements, so none may be 0.", func(x []float64, at []int) float64 {
		m := 1.0
		for _, p := range at {
			m *= x[p]
		}
		return m
	}, func(n *Node, dy, y *Tensor) *Tensor { return dy.Mul(y).Div(n.In[0]) }, Case{Low: 0.5, High: 1.5})
	opLogSumExp = reduction("LogSumExp", "log(sum(exp(x))) over axes, without overflow.", func(x []float64, at []int) float64 {
		m := math.Inf(-1)
		for _, p := range at {
			m = MaxNaN(m, x[p])
		}
		if math.IsInf(m, 0) || m != m {
			return m
		}
		s := 0.0
		for _, p := range at {
			s += math.Exp(x[p] - m)
		}
		return m + math.Log(s)
	}, func(n *Node, dy, y *Tensor) *Tensor {
		none := y.Equal(Full(y, math.Inf(-1))) // all are minus infinity, and so is x - 0
		return dy.Mul(n.In[0].Sub(Where(none, Full(y, 0), y)).Exp())
	}, Case{})
}

func extremeGrad(n *Node, dy, y *Tensor) *Tensor {
	x := n.In[0]
	hit := x.Equal(y)
	equals := opSum.Apply(&AxesAttr{n.Attr.(*AxesAttr).Axes, true}, hit.Cast(x.DType()))
	return Where(hit, dy.Div(equals), Full(dy, 0))
}

// MeanGrad spreads dy over the elements that a mean took together. The count is known from the shapes, so that the
// program holds for any batch size.
var opMeanGrad = Define(Op{Name: "MeanGrad", Doc: "dy broadcast to a shape and divided by the number of elements that one element of dy stands for.",
	Class: Structural, NewAttr: func() any { return &ShapeAttr{} },
	Infer: func(n *Node, in []Type) ([]Type, error) {
		if err := numbers(in); err != nil {
			return nil, err
		}
		return inferBroadcastTo(n, in)
	},
	RefArray: func(n *Node, in, out [][]float64) {
		broadcastRef(n.In[0].Shape(), n.types[0].Shape, in[0], out[0])
		c := float64(n.types[0].Shape.Size()) / float64(max(1, n.In[0].Shape().Size()))
		for i := range out[0] {
			out[0][i] /= c
		}
	},
	Grad: func(n *Node, dy []*Tensor) []*Tensor {
		s, t := n.In[0].Shape(), n.types[0].Shape
		axes := []int{}
		for i := range s {
			if s[i] != t[i] {
				axes = append(axes, i)
			}
		}
		return []*Tensor{opMean.Apply(&AxesAttr{axes, true}, dy[0])}
	},
	FlopsOf: func(n *Node) float64 { return float64(n.types[0].Shape.Size()) },
	Cases:   []Case{{In: []Type{F(3, 1)}, Attr: &ShapeAttr{array.Shape{3, 5}}}, {In: []Type{F(1, 1)}, Attr: &ShapeAttr{array.Shape{3, 5}}}}})

func (x *Tensor) axes(op string, axes []int) []int {
	out := make([]int, 0, x.Rank())
	if len(axes) == 0 {
		for i := range x.Rank() {
			out = append(out, i)
		}
		return out
	}
	for _, a := range axes {
		out = append(out, x.axis(op, a))
	}
	slices.Sort(out)
	for i := 1; i < len(out); i++ {
		if out[i] == out[i-1] {
			fail(op, x.label, "axis %d appears twice", out[i])
		}
	}
	return out
}

func (x *Tensor) reduce(o *Op, keep bool, axes []int) *Tensor {
	return o.Apply(&AxesAttr{x.axes(o.Name, axes), keep}, x)
}

// Sum adds over axes; without axes over all.
func (x *Tensor) Sum(axes ...int) *Tensor { return x.reduce(opSum, false, axes) }

// SumKeep adds over axes, which stay with size 1.
func (x *Tensor) SumKeep(axes ...int) *Tensor { return x.reduce(opSum, true, axes) }

// Mean averages over axes; without axes over all.
func (x *Tensor) Mean(axes ...int) *Tensor { return x.reduce(opMean, false, axes) }

// MeanKeep averages over axes, which stay with size 1.
func (x *Tensor) MeanKeep(axes ...int) *Tensor { return x.reduce(opMean, true, axes) }

// Max is the largest element along axes; without axes of all.
func (x *Tensor) Max(axes ...int) *Tensor { return x.reduce(opMax, false, axes) }

// MaxKeep is the largest element along axes, which stay with size 1.
func (x *Tensor) MaxKeep(axes ...int) *Tensor { return x.reduce(opMax, true, axes) }

// Min is the smallest element along axes; without axes of all.
func (x *Tensor) Min(axes ...int) *Tensor { return x.reduce(opMin, false, axes) }

// Prod multiplies over axes; without axes over all.
func (x *Tensor) Prod(axes ...int) *Tensor { return x.reduce(opProd, false, axes) }

// LogSumExp is log(sum(exp(x))) over axes; without axes over all.
func (x *Tensor) LogSumExp(axes ...int) *Tensor { return x.reduce(opLogSumExp, false, axes) }

// SumTo adds over the axes that broadcasting from dims to x's shape repeated: the gradient of a broadcast.
func (x *Tensor) SumTo(dims ...int) *Tensor {
	if x == nil || x.Shape().Equal(dims) {
		return x
	}
	s, lead := x.Shape(), x.Rank()-len(dims)
	var axes []int
	for i := range s {
		if i < lead || dims[i-lead] == 1 && s[i] != 1 {
			axes = append(axes, i)
		}
	}
	y := x
	if len(axes) > 0 {
		y = x.Sum(axes...)
	}
	return y.Reshape(dims...)
}
