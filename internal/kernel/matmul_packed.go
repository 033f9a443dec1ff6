package kernel

import "unsafe"

// planPacked packs both operands block by block of K and multiplies the panels.
func (p *MatMulPlan) planPacked(threads int) {
	p.packs = true
	p.aPanels = (p.M + p.l.mr - 1) / p.l.mr
	p.bPanels = (p.N + p.l.nr - 1) / p.l.nr
	const rows = 240 // of A, which stay in the second-level cache
	p.rowGroups = (p.M + rows - 1) / rows
	p.colGroups = min(p.bPanels, max(1, (8*threads+p.rowGroups-1)/p.rowGroups))
	if threads == 1 {
		p.colGroups = 1
	}
	for q := range p.blocks {
		p.step(packPhase, q, (p.aPanels+7)/8+p.bPanels)
		p.step(multiplyPhase, q, p.rowGroups*p.colGroups)
		if q >= group && (q%group == group-1 || q == p.blocks-1) {
			p.step(groupPhase, q, min(p.M, 16))
		}
	}
}

// pack writes eight panels of A, or one of B, of a block.
func (p *MatMulPlan) pack(block, piece int, shared []float32, a, b unsafe.Pointer) {
	k := block * p.block
	kc := min(p.block, p.K-k)
	ap, bp := p.panelsAt(shared)
	if j := piece - (p.aPanels+7)/8; j >= 0 {
		col := j * p.l.nr
		p.packPanel(at(bp, col*p.block), p.l.nr, at(b, k*p.BRow+col*p.BCol), p.BCol, p.BRow, min(p.l.nr, p.N-col), kc)
		return
	}
	for i := 8 * piece; i < min(p.aPanels, 8*piece+8); i++ {
		row := i * p.l.mr
		p.packPanel(at(ap, row*p.block), p.l.mr, at(a, row*p.ARow+k*p.ACol), p.ARow, p.ACol, min(p.l.mr, p.M-row), kc)
	}
}

func (p *MatMulPlan) panelsAt(shared []float32) (a, b unsafe.Pointer) {
	a = unsafe.Pointer(unsafe.SliceData(shared))
	return a, at(a, up(up(p.M, p.l.mr)*p.block, 16))
}

// packPanel writes dst[k*w+i] = src[i*is+k*ks] for i < n, k < kc.
func (p *MatMulPlan) packPanel(dst unsafe.Pointer, w int, src unsafe.Pointer, is, ks, n, kc int) {
	switch {
	case is == 1 && w == p.l.nr:
		p.l.copyRows(dst, w, src, ks, kc, n)
	case is == 1:
		for k := range kc {
			copy(floats(at(dst, k*w), n), floats(at(src, k*ks), n))
		}
	case ks == 1:
		for i := 0; i < n; i += p.l.lanes {
			p.l.transpose(at(dst, i), w, at(src, i*is), is, kc, min(p.l.lanes, n-i))
		}
	default:
		for k := range kc {
			for i := range n {
				*(*float32)(at(dst, k*w+i)) = *(*float32)(at(src, i*is+k*ks))
			}
		}
	}
}

// multiply computes the tiles of a group of rows and a group of columns for a block.
func (p *MatMulPlan) multiply(block, piece int, shared []float32, c, bias unsafe.Pointer) {
	l, row := p.l, p.CRow
	kc := min(p.block, p.K-block*p.block)
	ap, bp := p.panelsAt(shared)
	if block >= group {
		c, row = p.sumAt(shared), p.N
	}
	flags := p.flags(block)
	g, h := piece%p.rowGroups, piece/p.rowGroups
	i0, i1 := g*p.aPanels/p.rowGroups, (g+1)*p.aPanels/p.rowGroups
	for j := h * p.bPanels / p.colGroups; j < (h+1)*p.bPanels/p.colGroups; j++ {
		col := j * l.nr
		n := min(l.nr, p.N-col)
		b := at(bp, col*p.block)
		var bi unsafe.Pointer
		if p.Bias {
			bi = at(bias, col)
		}
		for i := i0; i < i1; i++ {
			r := i * l.mr
			a, dst := at(ap, r*p.block), at(c, r*row+col)
			if m := min(l.mr, p.M-r); m == l.mr && n == l.nr {
				l.packed(kc, a, b, dst, 4*row, flags, bi)
			} else {
				v := (n + l.lanes - 1) / l.lanes
				l.direct[v][m](kc, a, 4, 4*l.mr, b, 4*l.nr, dst, 4*row, flags, n-(v-1)*l.lanes, bi)
			}
		}
	}
}

// sumAt is where later groups of blocks are summed: M rows of N.
func (p *MatMulPlan) sumAt(shared []float32) unsafe.Pointer {
	_, b := p.panelsAt(shared)
	return at(b, up(p.N, p.l.nr)*p.block)
}

func (p *MatMulPlan) addGroup(block, piece int, shared []float32, c, bias unsafe.Pointer) {
	sum, n := p.sumAt(shared), min(p.M, 16)
	for i := piece * p.M / n; i < (piece+1)*p.M/n; i++ {
		p.addRow(floats(at(c, i*p.CRow), p.N), floats(at(sum, i*p.N), p.N), block == p.blocks-1, bias)
	}
}
