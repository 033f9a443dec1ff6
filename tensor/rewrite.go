package tensor

// Builder makes a graph from another one; see Rewrite.
type Builder struct{ to *Graph }

// Graph is the graph under construction.
func (b *Builder) Graph() *Graph { return b.to }

// Copy adds n with other operands.
func (b *Builder) Copy(n *Node, in []*Tensor) []*Tensor {
	return b.Add(n.Op, n.Attr, n.Body, n, in)
}

// Add adds an operation that stands for like: it takes over like's layer path and place in the user's code.
// A type that does not fit is a *ShapeError panic.
func (b *Builder) Add(op *Op, attr any, body *Graph, like *Node, in []*Tensor) []*Tensor {
	c := &Node{Op: op, Attr: attr, Body: body, g: b.to, In: in, Label: like.Label, pcs: like.pcs}
	types := make([]Type, len(in))
	for i, t := range in {
		types[i] = t.Type()
	}
	out, err := op.Infer(c, types)
	if err != nil {
		file, line, fn := like.Where()
		panic(&ShapeError{Op: op.Name, Layer: like.Label, Why: err.Error(), Got: operands(types), File: file, Line: line, Func: fn})
	}
	return c.append(out)
}

// Rewrite builds a new root graph from the nodes that g's results need, in order. For each node f gets the new operands
// and returns the new outputs: those of b.Copy, of other nodes, or tensors that exist already. Inputs are all kept.
func (g *Graph) Rewrite(f func(b *Builder, n *Node, in []*Tensor) []*Tensor) *Graph {
	live := make([]bool, len(g.Nodes))
	for _, t := range g.Results() {
		live[t.n.id] = true
	}
	for _, t := range g.Inputs {
		live[t.n.id] = true
	}
	for id := len(g.Nodes) - 1; id >= 0; id-- {
		if live[id] {
			for _, t := range g.Nodes[id].In {
				live[t.n.id] = true
			}
		}
	}
	b := &Builder{NewGraph()}
	m := make([][]*Tensor, len(g.Nodes))
	at := func(t *Tensor) *Tensor { return m[t.n.id][t.i] }
	for _, n := range g.Nodes {
		if !live[n.id] {
			continue
		}
		in := make([]*Tensor, len(n.In))
		for i, t := range n.In {
			in[i] = at(t)
		}
		if n.Op == opInput || n.Op == opVar {
			m[n.id] = b.Copy(n, nil)
			continue
		}
		m[n.id] = f(b, n, in)
	}
	for _, t := range g.Inputs {
		b.to.Inputs = append(b.to.Inputs, at(t))
	}
	for _, t := range g.Outs {
		b.to.Outs = append(b.to.Outs, at(t))
	}
	r, old := b.to.root, g.root
	r.Options, r.names, r.Scalars, r.draws = old.Options, old.names, old.Scalars, old.draws
	for _, d := range old.Decls {
		c := *d
		c.read = nil
		if d.read != nil && live[d.read.n.id] {
			c.read = at(d.read)
		}
		r.Decls = append(r.Decls, &c)
		r.byPath[c.Path] = &c
	}
	for _, a := range old.Assigns {
		r.Assigns = append(r.Assigns, Assignment{r.byPath[a.Decl.Path], at(a.Value)})
	}
	if old.Guard != nil {
		r.Guard = at(old.Guard)
	}
	return b.to
}
