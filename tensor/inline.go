package tensor

// Inline records the nodes of another graph, such as a loaded program, in the trace of in with in as its inputs, and
// returns its outputs. Variables become variables of the trace under their paths; labels are kept. Assignments of g are
// not taken over; g does not change. Types that do not fit are a *ShapeError.
func Inline(g *Graph, in ...*Tensor) []*Tensor {
	if len(in) != len(g.Inputs) || len(in) == 0 {
		panic(place(&ShapeError{Op: "Inline", Why: "the number of inputs differs from that of the program"}, callers(2)))
	}
	to := inner(in)
	m := make([][]*Tensor, len(g.Nodes))
	for i, t := range g.Inputs {
		if want, got := t.Type(), in[i].Type(); want.DType != got.DType || !want.Shape.Equal(got.Shape) {
			fail("Inline", in[i].label, "input %d is %v, the program wants %v", i, got, want)
		}
		m[t.n.id] = []*Tensor{to.lift(in[i])}
	}
	for _, n := range g.Nodes {
		if m[n.id] != nil {
			continue
		}
		if a, ok := n.Attr.(*VarAttr); ok {
			m[n.id] = []*Tensor{to.lift(to.Variable(a.Path, a.Role, nil, a.DType, a.Shape...))}
			continue
		}
		ops := make([]*Tensor, len(n.In))
		for i, t := range n.In {
			ops[i] = m[t.n.id][t.i]
		}
		c := &Node{Op: n.Op, Attr: n.Attr, Body: n.Body.ownOuts(), g: to, In: ops, Label: n.Label, pcs: n.pcs}
		m[n.id] = c.append(append([]Type(nil), n.types...))
	}
	out := make([]*Tensor, len(g.Outs))
	for i, t := range g.Outs {
		out[i] = m[t.n.id][t.i]
	}
	return out
}
