package cpu

import (
	"unsafe"

	"github.com/kun-ml/kun/array"
	"github.com/kun-ml/kun/internal/kernel"
	"github.com/kun-ml/kun/tensor"
)

// epilogue is what a product does to its result while it is at hand.
type epilogue struct {
	bias *tensor.Tensor
	relu bool
	out  *tensor.Node
}

// matchEpilogues finds products whose only use is the addition of a row of biases, perhaps followed by a ReLU.
func (c *compiler) matchEpilogues(f *fusion) {
	only := make([]*tensor.Node, len(c.g.Nodes)) // the user of a node that has one
	for _, n := range c.g.Nodes {
		for _, t := range n.In {
			only[t.Node().ID()] = n
		}
	}
	for _, n := range c.g.Nodes {
		if n.Op.Name != "MatMul" || !allFloat32(n) || c.users[n.ID()] != 1 {
			continue
		}
		add := only[n.ID()]
		if add == nil || c.pure[add.ID()] != c.pure[n.ID()] || add.Op.Name != "Add" || !add.Type(0).Shape.Equal(n.Type(0).Shape) {
			continue
		}
		b := add.In[1]
		if b.Node() == n {
			b = add.In[0]
		}
		s := b.Shape()
		if len(s) == 0 || s.Size() != s[len(s)-1] || s[len(s)-1] != n.Type(0).Shape[len(n.Type(0).Shape)-1] || b.Node().ID() > n.ID() && !b.Node().IsVar() {
			continue
		}
		e := &epilogue{bias: b, out: add}
		f.member[add.ID()] = true
		if r := only[add.ID()]; c.users[add.ID()] == 1 && r != nil && r.Op.Name == "Relu" {
			e.relu, e.out = true, r
			f.member[r.ID()] = true
		}
		f.epi[n.ID()] = e
	}
}

// ruleMatMul runs a product, all products of a batch one after the other.
func ruleMatMul(c *compiler, n *tensor.Node) bool {
	if !allFloat32(n) {
		return false
	}
	spec, a, lead := matMulSpec(n)
	m, k, w, b := spec.M, spec.K, spec.N, n.In[1].Shape()
	var bias *value
	dst := c.values[n.ID()][0]
	if e := c.fusion.epi[n.ID()]; e != nil {
		spec.Bias, spec.ReLU = true, e.relu
		bias = c.at(e.bias)
		dst.place = inNothing
		dst = c.values[e.out.ID()][0]
	}
	spec.ByBlocks = c.trains(n.In[1])
	plan := kernel.PlanMatMul(spec, c.d.level, c.d.threads)
	if plan.HasBlocks() {
		c.byBlocks(n, plan, dst, bias)
		return true
	}
	c.scratch = max(c.scratch, 4*plan.WorkerFloats())
	c.shared = max(c.shared, 4*plan.SharedFloats())
	la, lb := tensor.BroadcastStrides(a[:len(a)-2], lead), tensor.BroadcastStrides(b[:len(b)-2], lead)
	va, vb := c.at(n.In[0]), c.at(n.In[1])
	s := c.add(n, func(in *instance) func() {
		var pa, pb, pc, pbias unsafe.Pointer
		shared := floats(in.shared, plan.SharedFloats())
		workers := make([][]float32, len(in.scratch))
		for i := range workers {
			workers[i] = floats(in.scratch[i], plan.WorkerFloats())
		}
		phases := plan.Phases()
		fs := make([]func(piece, worker int), len(phases))
		for i := range phases {
			fs[i] = func(piece, worker int) { plan.Run(i, piece, shared, workers[worker], pa, pb, pc, pbias) }
		}
		return func() {
			if bias != nil {
				pbias = in.ptr[bias.id]
			}
			for o := range lead.Size() {
				oa, ob := 0, 0
				for i, r := len(lead)-1, o; i >= 0; i-- {
					oa += r % lead[i] * la[i]
					ob += r % lead[i] * lb[i]
					r /= lead[i]
				}
				pa = unsafe.Add(in.ptr[va.id], 4*oa*m*k)
				pb = unsafe.Add(in.ptr[vb.id], 4*ob*k*w)
				pc = unsafe.Add(in.ptr[dst.id], 4*o*m*w)
				for i, p := range phases {
					in.split(p, fs[i])
				}
			}
		}
	})
	s.writes = []*value{dst}
	if e := c.fusion.epi[n.ID()]; e != nil {
		s.nodes = append(s.nodes, e.out)
	}
	if bias != nil {
		s.reads = append(s.reads, bias)
	}
	if lead.Size() == 1 && !n.Attr.(*tensor.MatMulAttr).TransA {
		c.rowsOfMatMul(s, n, spec, dst, bias)
	}
	return true
}

// rowsOfMatMul lets a product run some rows at a time, if these are not packed first.
func (c *compiler) rowsOfMatMul(s *step, n *tensor.Node, spec kernel.MatMul, dst, bias *value) {
	lead := n.Type(0).Shape[0]
	pieces := c.chainPieces(lead)
	if pieces < 2 || spec.M%lead != 0 {
		return
	}
	plans := map[int]*kernel.MatMulPlan{} // by number of rows
	for piece := range pieces {
		rows := ((piece+1)*lead/pieces - piece*lead/pieces) * (spec.M / lead)
		if plans[rows] != nil {
			continue
		}
		part := spec
		part.M, part.ByBlocks = rows, false
		plans[rows] = kernel.PlanMatMul(part, c.d.level, 1)
		if plans[rows].SharedFloats() > 0 {
			return
		}
		c.scratch = max(c.scratch, 4*plans[rows].WorkerFloats())
	}
	a, b := c.at(n.In[0]), c.at(n.In[1])
	whole := []*value{b}
	if bias != nil {
		whole = append(whole, bias)
	}
	s.setRows(n, spec.M, func(in *instance) span {
		return func(from, to, worker int) {
			plan := plans[to-from]
			var pbias unsafe.Pointer
			if bias != nil {
				pbias = in.ptr[bias.id]
			}
			for phase, n := range plan.Phases() {
				for piece := range n {
					plan.Run(phase, piece, nil, floats(in.scratch[worker], plan.WorkerFloats()), unsafe.Add(in.ptr[a.id], 4*from*spec.ARow),
						in.ptr[b.id], unsafe.Add(in.ptr[dst.id], 4*from*spec.CRow), pbias)
				}
			}
		}
	}, whole...)
}

// byBlocks makes two steps of a product that is cut along K: its blocks, and their sum row by row.
func (c *compiler) byBlocks(n *tensor.Node, plan *kernel.MatMulPlan, dst, bias *value) {
	a, b := c.at(n.In[0]), c.at(n.In[1])
	part := c.newValue(tensor.Type{DType: array.Float32, Shape: array.Shape{plan.SharedFloats()}})
	s := c.add(n, func(in *instance) func() {
		blocks := plan.Phases()[0]
		f := func(piece, worker int) {
			plan.RunBlocks(piece, in.ptr[part.id], in.ptr[a.id], in.ptr[b.id], in.ptr[dst.id])
		}
		return func() { in.split(blocks, f) }
	})
	s.writes = []*value{dst, part}
	sum := step{name: "Sum of blocks", label: n.Label, reads: []*value{dst, part}, writes: []*value{dst}}
	var whole []*value
	if bias != nil {
		whole = append(whole, bias)
		sum.reads = append(sum.reads, bias)
	}
	bind := func(in *instance) span {
		return func(from, to, _ int) {
			var p unsafe.Pointer
			if bias != nil {
				p = in.ptr[bias.id]
			}
			plan.SumBlocks(from, to, in.ptr[part.id], in.ptr[dst.id], p)
		}
	}
	sum.bind = func(in *instance) func() {
		run, pieces := bind(in), plan.Phases()[1]
		f := func(piece, worker int) { run(piece*plan.M/pieces, (piece+1)*plan.M/pieces, worker) }
		return func() { in.split(pieces, f) }
	}
	if e := c.fusion.epi[n.ID()]; e != nil {
		sum.nodes = append(sum.nodes, e.out)
	}
	sum.setRows(n, plan.M, bind, whole...)
	c.steps = append(c.steps, sum)
}

// cutSlabs finds the groups whose result is the left operand of a product cut along K: they are cut in the same places, so that
// a core reads what it wrote.
func (c *compiler) cutSlabs() {
	c.slabs = map[int]slab{}
	for _, n := range c.g.Nodes {
		if n.Op.Name != "MatMul" || !allFloat32(n) || !c.trains(n.In[1]) {
			continue
		}
		spec, _, _ := matMulSpec(n)
		spec.ByBlocks = true
		if plan := kernel.PlanMatMul(spec, c.d.level, c.d.threads); plan.HasBlocks() && spec.ACol == 1 {
			t := n.In[0].Node()
			for t.Op.Name == "Reshape" || t.Op.Name == "StopGradient" {
				t = t.In[0].Node()
			}
			block, _ := kernel.KCut(spec.K)
			c.slabs[t.ID()] = slab{spec.K, block}
		}
	}
}

// trains reports whether a value is a variable that the program sets. Its lines should stay with the cores that write them.
func (c *compiler) trains(t *tensor.Tensor) bool {
	a, ok := t.Node().Attr.(*tensor.VarAttr)
	return ok && c.sets(a.Path)
}

// matMulSpec describes a product: that of the last two axes, for each of the leading axes lead. Where B is one matrix, all
// leading axes of A are rows of one product; a is the shape of A in that sense.
func matMulSpec(n *tensor.Node) (spec kernel.MatMul, a, lead array.Shape) {
	t := n.Attr.(*tensor.MatMulAttr)
	a, out := n.In[0].Shape(), n.Type(0).Shape
	b := n.In[1].Shape()
	m, k := mat(a, t.TransA)
	_, w := mat(b, t.TransB)
	lead = out[:len(out)-2]
	if len(b) == 2 && !t.TransA {
		m, lead = m*lead.Size(), array.Shape{}
		a = array.Shape{m, k}
	}
	spec = kernel.MatMul{M: m, N: w, K: k, ARow: k, ACol: 1, BRow: w, BCol: 1, CRow: w}
	if t.TransA {
		spec.ARow, spec.ACol = 1, m
	}
	if t.TransB {
		spec.BRow, spec.BCol = 1, k
	}
	return spec, a, lead
}

func mat(s array.Shape, trans bool) (rows, cols int) {
	r, c := s[len(s)-2], s[len(s)-1]
	if trans {
		return c, r
	}
	return r, c
}

func floats(b []byte, n int) []float32 {
	return unsafe.Slice((*float32)(unsafe.Pointer(unsafe.SliceData(b))), n)
}
