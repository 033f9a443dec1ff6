package cpu

import (
	"unsafe"

	"github.com/kun-ml/kun/internal/kernel"
	"github.com/kun-ml/kun/tensor"
)

// gradient is a product that only an optimizer's step reads: it is made inside of that step.
type gradient struct {
	n    *tensor.Node
	plan *kernel.AdamPlan
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
		if plan := kernel.PlanAdam(spec, c.d.level, c.d.threads); plan != nil && lead.Size() == 1 {
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
		s := kernel.AdamState{H: &kernel.AdamScalars{OneMinusBeta1: float32(1 - a.Beta1), OneMinusBeta2: float32(1 - a.Beta2), Eps: float32(a.Eps)}}
		pieces := (total + pieceLen - 1) / pieceLen
		f := func(piece, _ int) {
			at := piece * pieceLen
			p := func(base unsafe.Pointer) unsafe.Pointer { return unsafe.Add(base, 4*at) }
			step(p(s.W), p(s.M), p(s.V), p(in.ptr[g.id]), min(pieceLen, total-at), s.H)
		}
		if from != nil {
			pieces, f = from.plan.Pieces(), from.bind(c, in, &s)
		}
		return func() {
			s.H.Alpha, s.H.Decay = *(*float32)(in.ptr[alpha.id]), *(*float32)(in.ptr[decay.id])
			s.W, s.M, s.V = in.ptr[out3[0].id], in.ptr[out3[1].id], in.ptr[out3[2].id]
			for i, o := range out3 {
				if in.ptr[o.id] != in.ptr[in3[i].id] {
					copy(in.bytes[o.id], in.bytes[in3[i].id])
				}
			}
			in.split(pieces, f)
		}
	})
	if from != nil {
		c.scratch = max(c.scratch, 4*from.plan.Floats())
		s.nodes = append(s.nodes, from.n)
		s.reads = append(s.reads, c.at(from.n.In[0]), c.at(from.n.In[1]))
		g.place = inNothing
	}
	s.inPlace = true
	return true
}

// bind makes the pieces of a step that makes its gradient, too.
func (r *gradient) bind(c *compiler, in *instance, s *kernel.AdamState) func(piece, worker int) {
	a, b, plan := c.at(r.n.In[0]), c.at(r.n.In[1]), r.plan
	workers := make([]*kernel.AdamWorker, len(in.scratch))
	for w := range workers {
		workers[w] = plan.Worker(floats(in.scratch[w], plan.Floats()))
	}
	return func(piece, worker int) { plan.Run(piece, workers[worker], in.ptr[a.id], in.ptr[b.id], *s) }
}
