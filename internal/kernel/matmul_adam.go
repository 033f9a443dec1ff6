package kernel

import (
	"unsafe"

	"github.com/kun-ml/kun/internal/cpu"
)

// productAdam computes a tile of C while it runs Adam on some vectors elsewhere; see gen/matmul.
type productAdam func(t *adamTile)

// adamTile are the arguments of productAdam: a tile of a product as those of matmulDirect, and n <= kc vectors for Adam.
type adamTile struct {
	kc            int
	a             unsafe.Pointer
	cs            int
	b             unsafe.Pointer
	bs            int
	c             unsafe.Pointer
	ldc, last, n  int
	w, m, v, grad unsafe.Pointer
	h             *AdamScalars
}

// AdamPlan is a product, the gradient of a weight, and the step of Adam that it is for. The gradient is made some rows at a
// time and never leaves the cache. The bits are those of the product and of Rows.Adam. A plan is immutable.
type AdamPlan struct {
	p      *MatMulPlan
	adam   func(w, m, v, g unsafe.Pointer, n int, h *AdamScalars)
	pieces int
	joint  bool // there is a kernel for both
}

// AdamState are the weights (M, N) of an AdamPlan, their moments, and the scalars.
type AdamState struct {
	W, M, V unsafe.Pointer
	H       *AdamScalars
}

// PlanAdam makes a plan for a product without bias and ReLU whose C is dense. It is nil where the two are better run apart: if
// the product wants its operands packed.
func PlanAdam(m MatMul, level cpu.Level, threads int) *AdamPlan {
	m.CRow, m.Bias, m.ReLU, m.ByBlocks = m.N, false, false, false
	p := PlanMatMul(m, level, threads)
	if p.regime != direct || p.turned || p.blocks > group || m.M == 0 || m.N == 0 {
		return nil
	}
	joint := p.l.productAdam != nil && m.ARow == 1 && p.blocks == 1
	if joint {
		most := len(p.l.productAdam) - 1
		p.rowPanels = (m.M + most - 1) / most
	}
	a := &AdamPlan{p: p, adam: RowsOf(level).Adam, joint: joint}
	if a.pieces = min(p.rowPanels, p.phases[0]); joint && p.phases[0] > 1 { // long ones: Adam on the last panel of each has no product beside it
		a.pieces = max(1, min(2*threads, p.rowPanels/4))
	}
	return a
}

// Pieces is the number of calls of Run that make the step; they may run at once.
func (a *AdamPlan) Pieces() int { return a.pieces }

// AdamWorker is the memory of a worker.
type AdamWorker struct {
	tile    adamTile
	scratch []float32
	_       [64]byte // workers write to theirs all the time: no two share a line
}

// Worker makes memory on scratch of Floats.
func (a *AdamPlan) Worker(scratch []float32) *AdamWorker { return &AdamWorker{scratch: scratch} }

// Floats is the scratch of a worker.
func (a *AdamPlan) Floats() int { return 2 * a.rowsFloats() }

// rowsFloats is the room for the gradient of a panel of rows.
func (a *AdamPlan) rowsFloats() int { return up((a.p.M/a.p.rowPanels+1)*a.p.N, 16) }

// Run computes a piece: panel by panel, the gradient of one while Adam runs on the one before.
func (a *AdamPlan) Run(piece int, w *AdamWorker, x, y unsafe.Pointer, s AdamState) {
	p, t := a.p, &w.tile
	from, to := piece*p.rowPanels/a.pieces, (piece+1)*p.rowPanels/a.pieces
	left := 0 // weights that Adam has still to do, with all of their panel's gradient made
	*t = adamTile{kc: p.K, cs: 4 * p.ACol, bs: 4 * p.BRow, ldc: 4 * p.N, w: s.W, m: s.M, v: s.V, grad: s.W, h: s.H}
	for r := from; r < to; r++ {
		g := at(unsafe.Pointer(unsafe.SliceData(w.scratch)), (r&1)*a.rowsFloats())
		i, rows := p.rowAt(r), p.rowAt(r+1)-p.rowAt(r)
		for j, v := range p.panels {
			if !a.joint || v.vectors != 2 {
				for q := range p.blocks {
					p.tileColumn(q, v, r, r+1, p.flags(q), nil, x, y, at(g, v.at), p.N, nil)
				}
				continue
			}
			tiles := len(p.panels) - j
			t.n = min(p.K, (left/16+tiles-1)/tiles)
			t.a, t.b, t.c, t.last = at(x, i), at(y, v.at), at(g, v.at), v.n-16
			p.l.productAdam[rows](t)
			left -= 16 * t.n
			if left > 0 { // no pointer may leave its array
				t.w, t.m, t.v, t.grad = at(t.w, 16*t.n), at(t.m, 16*t.n), at(t.v, 16*t.n), at(t.grad, 16*t.n)
			}
		}
		if left > 0 {
			a.adam(t.w, t.m, t.v, t.grad, left, s.H)
		}
		left = rows * p.N
		t.w, t.m, t.v, t.grad = at(s.W, i*p.N), at(s.M, i*p.N), at(s.V, i*p.N), g
	}
	a.adam(t.w, t.m, t.v, t.grad, left, s.H)
}
