package kernel

import "unsafe"

// planBlocks cuts a direct product along K too, if that was asked for and pays: blocks are computed apart, each by whoever has
// its rows of B, then added up.
func (p *MatMulPlan) planBlocks(threads int) {
	dense := p.CRow == p.N && !p.turned
	if !p.ByBlocks || threads == 1 || !dense || p.blocks == 1 || p.blocks > group || p.phases[0] == 1 || p.blocks*p.M*2 > p.K {
		return
	}
	p.byBlocks = true
	pieces := max(16, 4*threads)
	p.colGroups = min(len(p.panels), max(1, pieces/p.blocks))
	p.rowGroups = min(p.rowPanels, max(1, pieces/p.blocks/p.colGroups))
	p.steps, p.phases = nil, nil
	p.step(blockPhase, 0, p.blocks*p.colGroups*p.rowGroups)
	p.step(sumPhase, 0, (p.M+p.sumRows()-1)/p.sumRows())
}

// HasBlocks reports whether ByBlocks was granted.
func (p *MatMulPlan) HasBlocks() bool { return p.byBlocks }

// partialFloats is the scratch for the blocks of K beyond the first, which lies in C.
func (p *MatMulPlan) partialFloats() int { return (p.blocks - 1) * p.M * p.N }

// sumRows is how many rows of C a piece of the sum has.
func (p *MatMulPlan) sumRows() int { return max(1, min(p.M, 8192/p.N)) }

// RunBlocks computes a piece of phase 0 of a product by blocks: some tiles of a block of K, into C or into part, which has
// SharedFloats.
func (p *MatMulPlan) RunBlocks(piece int, part, a, b, c unsafe.Pointer) {
	n := p.colGroups * p.rowGroups
	q, h, g := piece/n, piece%n/p.rowGroups, piece%p.rowGroups
	if q > 0 {
		c = at(part, (q-1)*p.M*p.N)
	}
	r0, r1 := g*p.rowPanels/p.rowGroups, (g+1)*p.rowPanels/p.rowGroups
	for _, v := range p.panels[h*len(p.panels)/p.colGroups : (h+1)*len(p.panels)/p.colGroups] {
		p.tileColumn(q, v, r0, r1, 0, nil, a, b, at(c, v.at+p.rowAt(r0)*p.N), p.N, nil)
	}
}

// SumBlocks is phase 1 for rows i0..i1-1: it adds the blocks in order, then the bias, then applies ReLU.
func (p *MatMulPlan) SumBlocks(i0, i1 int, part, c, bias unsafe.Pointer) {
	c, n := at(c, i0*p.N), (i1-i0)*p.N
	for q := range p.blocks - 1 {
		p.add(c, at(part, q*p.M*p.N+i0*p.N), n)
	}
	if p.Bias {
		for i := range i1 - i0 {
			p.add(at(c, i*p.N), bias, p.N)
		}
	}
	if p.ReLU {
		p.relu(c, c, nil, nil, n, nil)
	}
}
