package tensor

// Grad gives d loss / d w for each w; loss is a scalar, every w a value of the same graph. Where loss does not depend on
// w the result is zeros. Asking for the gradient of an integer or boolean value, or through an operation that has none,
// is a *ShapeError.
func Grad(loss *Tensor, wrt ...*Tensor) []*Tensor {
	if loss.Rank() != 0 {
		fail("Grad", loss.label, "the loss must be a scalar, it has shape %v", loss.Shape())
	}
	d := VJP([]*Tensor{loss}, []*Tensor{Full(loss, 1)}, wrt...)
	for i, w := range wrt {
		if !w.DType().IsFloat() {
			fail("Grad", w.label, "a value of type %v has no gradient", w.DType())
		}
		if d[i] == nil {
			d[i] = Full(w, 0, w.Shape()...)
		}
	}
	return d
}

// VJP is the vector-Jacobian product: the sum over outs of seed times d out / d w, for each w; nil where no path leads
// from an out to w. All tensors belong to one graph.
func VJP(outs, seeds []*Tensor, wrt ...*Tensor) []*Tensor {
	type value struct {
		n *Node
		i int
	}
	g := inner(append(append([]*Tensor(nil), outs...), seeds...))
	needs := make([]bool, len(g.Nodes))
	low := len(g.Nodes)
	at := make([]*Tensor, len(wrt))
	for i, w := range wrt {
		at[i] = g.lift(w)
		needs[at[i].n.id] = true
		low = min(low, at[i].n.id)
	}
	for id := low; id < len(needs); id++ { // a node needs a gradient when one of its operands does
		for _, t := range g.Nodes[id].In {
			needs[id] = needs[id] || needs[t.n.id]
		}
	}
	adj := map[value]*Tensor{}
	add := func(t, d *Tensor) {
		if !t.Shape().Equal(d.Shape()) || t.DType() != d.DType() {
			fail("Grad", t.label, "gradient of %v has type %v", t.Type(), d.Type())
		}
		k := value{t.n, t.i}
		if p := adj[k]; p != nil {
			d = p.Add(d)
		}
		adj[k] = d
	}
	top := -1
	for i, o := range outs {
		o = g.lift(o)
		if o.n.id < len(needs) && needs[o.n.id] {
			add(o, seeds[i])
			top = max(top, o.n.id)
		}
	}
	for id := top; id >= low; id-- {
		n := g.Nodes[id]
		if !needs[id] || len(n.In) == 0 {
			continue
		}
		dy, some := make([]*Tensor, len(n.outs)), false
		for i := range n.outs {
			dy[i] = adj[value{n, i}]
			some = some || dy[i] != nil
		}
		if !some || n.Op.Stops {
			continue
		}
		if n.Op.Grad == nil {
			file, line, fn := n.Where()
			panic(&ShapeError{Op: n.Op.Name, Layer: n.Label, Why: "has no gradient: " + n.Op.NoGrad, File: file, Line: line, Func: fn})
		}
		for i, d := range n.Op.Grad(n, dy) {
			if d != nil && needs[n.In[i].n.id] && n.In[i].DType().IsFloat() {
				add(n.In[i], d)
			}
		}
	}
	res := make([]*Tensor, len(wrt))
	for i := range wrt {
		res[i] = adj[value{at[i].n, at[i].i}]
	}
	return res
}
