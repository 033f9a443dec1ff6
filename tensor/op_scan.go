package tensor

import (
	"fmt"
	"slices"

	"github.com/kun-ml/kun/array"
)

// ScanAttr describes a loop: the operands are NX sequences (axis 0 of size Len), NC carries, then captures. The body has the
// same inputs, one step of each sequence; its outputs are the NC next carries, then one step of each result. The node's
// outputs are the last carries, then the whole results.
type ScanAttr struct {
	Len, NX, NC int
	Reverse     bool
}

// maxSteps bounds the trip count, which need not follow from any data when a program comes from a file.
const maxSteps = 1 << 24

var opScan *Op

func init() {
	opScan = Define(Op{Name: "Scan", Doc: "A loop over axis 0 of sequences that hands carries along; the trip count is fixed by the shape.",
		NewAttr: func() any { return &ScanAttr{} }, Infer: inferScan, Grad: gradScan,
		FlopsOf: func(n *Node) (f float64) {
			for _, m := range n.Body.Nodes {
				f += m.FLOPs()
			}
			return f * float64(n.Attr.(*ScanAttr).Len)
		}})
}

func inferScan(n *Node, in []Type) ([]Type, error) {
	a := n.Attr.(*ScanAttr)
	if n.Body == nil || a.NX < 0 || a.NC < 0 || a.Len < 0 || len(in) != len(n.Body.Inputs) || a.NX > len(in) || a.NC > len(in)-a.NX || a.NC > len(n.Body.Outs) {
		return nil, fmt.Errorf("the loop %+v has %d operands and does not fit its body", *a, len(in))
	}
	if a.Len > maxSteps {
		return nil, fmt.Errorf("a loop of %d steps is longer than %d", a.Len, maxSteps)
	}
	for i, t := range in {
		want := n.Body.Inputs[i].Type()
		s := t.Shape
		if i < a.NX {
			if len(s) == 0 || s[0] != a.Len {
				return nil, fmt.Errorf("sequence %d has shape %v, the loop runs %d times", i, s, a.Len)
			}
			s = s[1:]
		}
		if t.DType != want.DType || !s.Equal(want.Shape) {
			return nil, fmt.Errorf("operand %d is %v, the body wants %v", i, t, want)
		}
	}
	var out []Type
	for i, o := range n.Body.Outs {
		t := o.Type()
		if i < a.NC {
			if w := in[a.NX+i]; t.DType != w.DType || !t.Shape.Equal(w.Shape) {
				return nil, fmt.Errorf("carry %d goes in as %v and comes out as %v", i, w, t)
			}
			out = append(out, t)
			continue
		}
		out = append(out, Type{t.DType, append(array.Shape{a.Len}, t.Shape...)})
	}
	return out, nil
}

// Scan runs step once per element of axis 0 of each of xs, handing the carry along: last is the carry after the last step,
// ys are the results of all steps along a new axis 0. step is traced once; tensors from outside become captures by
// themselves. Its gradient is a loop in the other direction that keeps the carries and computes the rest of a step again.
// Random operations inside the step draw the same numbers in every iteration.
func Scan(xs, carry []*Tensor, step func(x, carry []*Tensor) (next, ys []*Tensor)) (last, ys []*Tensor) {
	if len(xs) == 0 || xs[0].Rank() == 0 {
		panic("tensor: Scan needs at least one sequence")
	}
	out := scan(inner(append(append([]*Tensor(nil), xs...), carry...)), xs, carry, false, step)
	return out[:len(carry)], out[len(carry):]
}

func scan(g *Graph, xs, carry []*Tensor, reverse bool, step func(x, carry []*Tensor) (next, ys []*Tensor)) []*Tensor {
	a := &ScanAttr{Len: xs[0].Shape()[0], NX: len(xs), NC: len(carry), Reverse: reverse}
	b := &Graph{parent: g}
	var in []*Tensor
	enter := func(t *Tensor, s array.Shape) {
		in = append(in, g.lift(t))
		b.input(&InputAttr{DType: t.DType(), Shape: s.Clone()}).label = t.label
	}
	for i, t := range xs {
		if t.Rank() == 0 || t.Shape()[0] != a.Len {
			fail("Scan", t.label, "sequence %d has shape %v, the first has %d steps", i, t.Shape(), a.Len)
		}
		enter(t, t.Shape()[1:])
	}
	for _, t := range carry {
		enter(t, t.Shape())
	}
	own := append([]*Tensor(nil), b.Inputs...)
	next, ys := step(own[:a.NX:a.NX], own[a.NX:])
	if len(next) != len(carry) {
		fail("Scan", xs[0].label, "%d carries go in and %d come out", len(carry), len(next))
	}
	for _, t := range append(append([]*Tensor(nil), next...), ys...) {
		l := b.lift(t)
		b.Outs = append(b.Outs, l.n.outs[l.i])
	}
	return record(g, opScan, a, b, append(in, b.caps...))
}

// addOutput lets a loop give one more value per step: how the gradient keeps what it needs. It is the only change ever
// made to a recorded node, whose body's outputs are its own.
func (n *Node) addOutput(step *Tensor) *Tensor {
	t := step.Type()
	n.Body.Outs = append(n.Body.Outs, step)
	n.types = append(n.types, Type{t.DType, append(array.Shape{n.Attr.(*ScanAttr).Len}, t.Shape...)})
	o := &Tensor{n: n, i: len(n.outs), label: n.Label}
	n.outs = append(n.outs, o)
	return o
}

// ownOuts is the same loop body with outputs of its own, for a copy of a Scan: addOutput must not reach the other one.
func (g *Graph) ownOuts() *Graph {
	if g == nil {
		return nil
	}
	b := *g
	b.Outs = slices.Clone(g.Outs)
	return &b
}

// replay copies the nodes of src into dst with src's inputs replaced.
func replay(dst, src *Graph, ins []*Tensor) func(*Tensor) *Tensor {
	m := make([][]*Tensor, len(src.Nodes))
	for i, t := range src.Inputs {
		m[t.n.id] = []*Tensor{ins[i]}
	}
	for _, n := range append([]*Node(nil), src.Nodes...) {
		if m[n.id] != nil {
			continue
		}
		in := make([]*Tensor, len(n.In))
		for i, t := range n.In {
			in[i] = m[t.n.id][t.i]
		}
		c := &Node{Op: n.Op, Attr: n.Attr, Body: n.Body.ownOuts(), g: dst, In: in, Label: n.Label, pcs: n.pcs}
		m[n.id] = c.append(append([]Type(nil), n.types...))
	}
	return func(t *Tensor) *Tensor { return m[t.n.id][t.i] }
}

func gradScan(n *Node, dy []*Tensor) []*Tensor {
	a, body := n.Attr.(*ScanAttr), n.Body
	xs, caps := n.In[:a.NX], n.In[a.NX+a.NC:]
	outs := len(dy)
	var saved []*Tensor
	for i := range a.NC {
		saved = append(saved, n.addOutput(body.Inputs[a.NX+i]))
	}
	zeros := func(like *Tensor, t *Tensor) *Tensor { return FullOf(like, t.DType(), 0, t.Shape()...) }
	seq := append(append([]*Tensor(nil), xs...), saved...)
	var carry []*Tensor
	type flow struct{ in, carry, seq int } // where the gradient of output i enters the reverse step
	flows := make([]flow, outs)
	for i := range outs {
		flows[i] = flow{-1, -1, -1}
		switch {
		case !n.outs[i].DType().IsFloat():
		case i < a.NC:
			flows[i].carry = len(carry)
			d := dy[i]
			if d == nil {
				d = zeros(n.In[0], n.outs[i])
			}
			carry = append(carry, d)
		case dy[i] != nil:
			flows[i].seq = len(seq)
			seq = append(seq, dy[i])
		}
	}
	summed := make([]int, len(caps))
	for i, c := range caps {
		summed[i] = -1
		if c.DType().IsFloat() {
			summed[i] = len(carry)
			carry = append(carry, zeros(n.In[0], c))
		}
	}
	dxAt := make([]int, a.NX)
	out := scan(n.g, seq, carry, !a.Reverse, func(x, c []*Tensor) (next, ys []*Tensor) {
		g := x[0].n.g
		ins := append([]*Tensor(nil), x[:a.NX+a.NC]...)
		for _, t := range caps {
			ins = append(ins, g.lift(t))
		}
		at := replay(g, body, ins)
		var os, seeds, wrt []*Tensor
		for i := range outs {
			var d *Tensor
			if f := flows[i]; f.carry >= 0 {
				d = c[f.carry]
			} else if f.seq >= 0 {
				d = x[f.seq]
			}
			if d != nil {
				os, seeds = append(os, at(body.Outs[i])), append(seeds, d)
			}
		}
		wrt = ins
		d := VJP(os, seeds, wrt...)
		for i := range d {
			if d[i] == nil && ins[i].DType().IsFloat() {
				d[i] = zeros(x[0], ins[i])
			}
		}
		next = make([]*Tensor, len(carry))
		for i := range a.NC {
			if f := flows[i]; f.carry >= 0 {
				next[f.carry] = d[a.NX+i]
			}
		}
		for i, s := range summed {
			if s >= 0 {
				next[s] = c[s].Add(d[a.NX+a.NC+i])
			}
		}
		for i := range a.NX {
			dxAt[i] = -1
			if ins[i].DType().IsFloat() {
				dxAt[i] = len(ys)
				ys = append(ys, d[i])
			}
		}
		return next, ys
	})
	res := make([]*Tensor, len(n.In))
	for i, at := range dxAt {
		if at >= 0 {
			res[i] = out[len(carry)+at]
		}
	}
	for i := range a.NC {
		if f := flows[i]; f.carry >= 0 {
			res[a.NX+i] = out[f.carry]
		}
	}
	for i, s := range summed {
		if s >= 0 {
			res[a.NX+a.NC+i] = out[s]
		}
	}
	return res
}
