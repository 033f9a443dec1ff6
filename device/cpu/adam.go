package cpu

import (
	"unsafe"

	"github.com/kun-ml/kun/internal/kernel"
	"github.com/kun-ml/kun/tensor"
)

// gradient is a product that only an optimizer's step reads: each piece of rows is computed and used while it is in the
// cache of the core that made it.
type gradient struct {
	n    *tensor.Node
	plan *kernel.MatMulPlan
}

// mergeAdam finds the gradients that can be made inside of the step that reads them.
func (c *compiler) mergeAdam() {
	c.merged, c.grads = map[int]bool{}, map[int]*gradient{}
	if c.d.check {
		return
	}
	for _, n := range c.g.Nodes {
		if n.Op.Name != "AdamUpdate" || !allFloat32(n) {
			continue
		}
		g := n.In[3].Node()
		if g.Op.Name != "MatMul" || c.users[g.ID()] != 1 || !allFloat32(g) || c.pure[g.ID()] || c.fusion.epi[g.ID()] != nil {
			continue
		}
		if viewsVar(g.In[0]) || viewsVar(g.In[1]) {
			continue // the step may write that variable
		}
		spec, _, lead := matMulSpec(g)
		spec.ByRows = true
		if plan := kernel.PlanMatMul(spec, c.d.level, c.d.threads); lead.Size() == 1 && plan.HasRows() {
			c.merged[g.ID()], c.grads[n.ID()] = true, &gradient{g, plan}
		}
	}
}

// viewsVar reports whether a value is a variable, or lies in the memory of one.
func viewsVar(t *tensor.Tensor) bool {
	n := t.Node()
	for n.Op.Name == "Reshape" || n.Op.Name == "StopGradient" {
		n = n.In[0].Node()
	}
	return n.IsVar()
}

// ruleAdam runs one step of Adam in one pass. The outputs take the memory of the operands when these are variables that
// the same values are assigned to; otherwise the operands are copied first.
func ruleAdam(c *compiler, n *tensor.Node) bool {
	if !allFloat32(n) {
		return false
	}
	a := n.Attr.(*tensor.AdamAttr)
	var in3, out3 [3]*value
	for i := range in3 {
		in3[i], out3[i] = c.at(n.In[i]), c.values[n.ID()][i]
	}
	g, alpha, decay := c.at(n.In[3]), c.at(n.In[4]), c.at(n.In[5])
	total := n.Type(0).Shape.Size()
	step, from := c.d.rows.Adam, c.grads[n.ID()]
	s := c.add(n, func(in *instance) func() {
		h := &kernel.AdamScalars{OneMinusBeta1: float32(1 - a.Beta1), OneMinusBeta2: float32(1 - a.Beta2), Eps: float32(a.Eps)}
		update := func(at, n int, grad unsafe.Pointer) {
			var p [3]unsafe.Pointer
			for i := range p {
				p[i] = unsafe.Add(in.ptr[out3[i].id], 4*at)
				if src := unsafe.Add(in.ptr[in3[i].id], 4*at); src != p[i] {
					copyElems(p[i], src, n, 1, 4)
				}
			}
			step(p[0], p[1], p[2], grad, n, h)
		}
		pieces := (total + pieceLen - 1) / pieceLen
		f := func(piece, _ int) {
			at := piece * pieceLen
			update(at, min(pieceLen, total-at), unsafe.Add(in.ptr[g.id], 4*at))
		}
		if from != nil {
			f, pieces = from.bind(c, in, update), from.plan.Phases()[0]
		}
		return func() {
			h.Alpha, h.Decay = *(*float32)(in.ptr[alpha.id]), *(*float32)(in.ptr[decay.id])
			in.split(pieces, f)
		}
	})
	if from != nil {
		c.scratch = max(c.scratch, 4*from.plan.RowsFloats())
		s.nodes = append(s.nodes, from.n)
		s.reads = append(s.reads, c.at(from.n.In[0]), c.at(from.n.In[1]))
		g.place = inNothing
	}
	s.inPlace = true
	return true
}

// bind makes the pieces that compute rows of the gradient and update by them.
func (r *gradient) bind(c *compiler, in *instance, update func(at, n int, grad unsafe.Pointer)) func(piece, worker int) {
	a, b, plan := c.at(r.n.In[0]), c.at(r.n.In[1]), r.plan
	to := make([][]float32, len(in.scratch))
	for w := range to {
		to[w] = floats(in.scratch[w], plan.RowsFloats())
	}
	use := func(row, n int, grad unsafe.Pointer) { update(row*plan.N, n*plan.N, grad) }
	return func(piece, worker int) { plan.Rows(piece, to[worker], in.ptr[a.id], in.ptr[b.id], use) }
}
