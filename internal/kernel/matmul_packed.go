package kernel

import "unsafe"

// rowsInCache is how many rows of a long block of A stay in the second-level cache beside B.
const rowsInCache = 240

// packedPieces is about how many pieces a product of packed panels is cut into.
func packedPieces(threads int) int {
	if threads == 1 {
		return 1
	}
	return max(16, 8*threads)
}

func (p *MatMulPlan) countPanels() {
	p.aPanels = (p.M + p.l.mr - 1) / p.l.mr
	p.bPanels = (p.N + p.l.nr - 1) / p.l.nr
}

// planThin is for an A of which a block stays in the second-level cache: all of A is packed first, then each piece packs its
// own columns of B as it goes.
func (p *MatMulPlan) planThin(threads int) {
	p.countPanels()
	p.colGroups = min(p.bPanels, packedPieces(threads))
	p.step(packAPhase, 0, p.packPieces(threads)*p.blocks)
	p.step(columnPhase, 0, p.colGroups)
}

// planThick is for the rest: block by block of K, both operands are packed, then groups of rows are multiplied with groups of
// columns.
func (p *MatMulPlan) planThick(threads int) {
	p.countPanels()
	pieces := packedPieces(threads)
	p.rowGroups = (p.M + rowsInCache - 1) / rowsInCache
	if p.bPanels*p.rowGroups < pieces {
		p.rowGroups = min(p.aPanels, (pieces+p.bPanels-1)/p.bPanels)
	}
	p.colGroups = min(p.bPanels, (pieces+p.rowGroups-1)/p.rowGroups)
	for q := range p.blocks {
		p.step(packPhase, q, p.packPieces(threads)+p.bPanels)
		p.step(multiplyPhase, q, p.rowGroups*p.colGroups)
		if q >= group && (q%group == group-1 || q == p.blocks-1) {
			p.step(groupPhase, q, min(p.M, 16))
		}
	}
}

// packPieces is the number of pieces in which a block of A is packed.
func (p *MatMulPlan) packPieces(threads int) int {
	if threads == 1 {
		return 1
	}
	return (p.aPanels + 7) / 8
}

func (p *MatMulPlan) packedFloats() int {
	if p.regime == thin {
		return p.aFloats() * p.blocks
	}
	n := p.aFloats() + up(p.N, p.l.nr)*p.block
	if p.blocks > group {
		n += p.M * p.N
	}
	return n
}

// aFloats is the size of a packed block of A.
func (p *MatMulPlan) aFloats() int { return up(up(p.M, p.l.mr)*p.block, 16) }

// columnFloats is the scratch of a worker in the thin regime: a block of a panel of B, and a sum of later groups.
func (p *MatMulPlan) columnFloats() int {
	n := p.l.nr * p.block
	if p.blocks > group {
		n += p.M * p.l.nr
	}
	return n
}

// packA writes the panels of A of piece n of all in a block.
func (p *MatMulPlan) packA(dst unsafe.Pointer, q, n, all int, a unsafe.Pointer) {
	k := q * p.block
	kc := min(p.block, p.K-k)
	for i := n * p.aPanels / all; i < (n+1)*p.aPanels/all; i++ {
		row := i * p.l.mr
		p.packPanel(at(dst, row*p.block), p.l.mr, at(a, row*p.ARow+k*p.ACol), p.ARow, p.ACol, min(p.l.mr, p.M-row), kc)
	}
}

// packB writes a panel of B of a block.
func (p *MatMulPlan) packB(dst unsafe.Pointer, q, j int, b unsafe.Pointer) {
	k, col := q*p.block, j*p.l.nr
	p.packPanel(dst, p.l.nr, at(b, k*p.BRow+col*p.BCol), p.BCol, p.BRow, min(p.l.nr, p.N-col), min(p.block, p.K-k))
}

// packPanel writes dst[k*w+i] = src[i*is+k*ks] for i < n, k < kc.
func (p *MatMulPlan) packPanel(dst unsafe.Pointer, w int, src unsafe.Pointer, is, ks, n, kc int) {
	switch {
	case is == 1:
		p.l.copyRows(dst, w, src, ks, kc, n)
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

// packBlock is a piece of packPhase: some panels of A or one of B.
func (p *MatMulPlan) packBlock(q, piece, pieces int, shared []float32, a, b unsafe.Pointer) {
	dst := unsafe.Pointer(unsafe.SliceData(shared))
	if n := pieces - p.bPanels; piece < n {
		p.packA(dst, q, piece, n, a)
	} else {
		j := piece - n
		p.packB(at(dst, p.aFloats()+j*p.l.nr*p.block), q, j, b)
	}
}

// multiply is a piece of multiplyPhase: a group of rows times a group of columns.
func (p *MatMulPlan) multiply(q, piece int, shared []float32, c, bias unsafe.Pointer) {
	row := p.CRow
	ap := unsafe.Pointer(unsafe.SliceData(shared))
	bp := at(ap, p.aFloats())
	if q >= group {
		c, row = p.sumAt(shared), p.N
	}
	g, h := piece%p.rowGroups, piece/p.rowGroups
	i0, i1 := g*p.aPanels/p.rowGroups, (g+1)*p.aPanels/p.rowGroups
	for j := h * p.bPanels / p.colGroups; j < (h+1)*p.bPanels/p.colGroups; j++ {
		p.multiplyColumn(q, j, i0, i1, ap, at(bp, j*p.l.nr*p.block), at(c, j*p.l.nr), row, bias)
	}
}

// multiplyColumn computes panels i0 to i1 of a block times panel j of B; c begins at row 0 of the columns.
func (p *MatMulPlan) multiplyColumn(q, j, i0, i1 int, a, b, c unsafe.Pointer, cRow int, bias unsafe.Pointer) {
	l, col, flags := p.l, j*p.l.nr, p.flags(q)
	kc, n := min(p.block, p.K-q*p.block), min(l.nr, p.N-col)
	if p.Bias {
		bias = at(bias, col)
	}
	if n == l.nr {
		for ; i0 < i1 && (i0+1)*l.mr <= p.M; i0++ {
			r := i0 * l.mr
			l.packed(kc, at(a, r*p.block), b, at(c, r*cRow), 4*cRow, flags, bias)
		}
	}
	v := (n + l.lanes - 1) / l.lanes
	for ; i0 < i1; i0++ {
		r := i0 * l.mr
		l.direct[v][min(l.mr, p.M-r)](kc, at(a, r*p.block), 4, 4*l.mr, b, 4*l.nr, at(c, r*cRow), 4*cRow, flags, n-(v-1)*l.lanes, bias)
	}
}

// columns is a piece of columnPhase: all rows times a group of columns, which it packs itself.
func (p *MatMulPlan) columns(piece int, shared, worker []float32, b, c, bias unsafe.Pointer) {
	ap, bp := unsafe.Pointer(unsafe.SliceData(shared)), unsafe.Pointer(unsafe.SliceData(worker))
	nr := p.l.nr
	for j := piece * p.bPanels / p.colGroups; j < (piece+1)*p.bPanels/p.colGroups; j++ {
		out, n := at(c, j*nr), min(nr, p.N-j*nr)
		for q := range p.blocks {
			dst, row := out, p.CRow
			if q >= group {
				dst, row = at(bp, nr*p.block), nr
			}
			p.packB(bp, q, j, b)
			p.multiplyColumn(q, j, 0, p.aPanels, at(ap, q*p.aFloats()), bp, dst, row, bias)
			if q >= group && (q%group == group-1 || q == p.blocks-1) {
				for i := range p.M {
					p.addRow(floats(at(out, i*p.CRow), n), floats(at(dst, i*nr), n), q == p.blocks-1, p.biasAt(bias, j*nr))
				}
			}
		}
	}
}

func (p *MatMulPlan) biasAt(bias unsafe.Pointer, col int) unsafe.Pointer {
	if !p.Bias {
		return nil
	}
	return at(bias, col)
}

// sumAt is where later groups of blocks are summed: M rows of N.
func (p *MatMulPlan) sumAt(shared []float32) unsafe.Pointer {
	return at(unsafe.Pointer(unsafe.SliceData(shared)), p.aFloats()+up(p.N, p.l.nr)*p.block)
}

// addGroup is a piece of groupPhase: some rows of the sum of a later group are added to C.
func (p *MatMulPlan) addGroup(block, piece int, shared []float32, c, bias unsafe.Pointer) {
	sum, n := p.sumAt(shared), min(p.M, 16)
	for i := piece * p.M / n; i < (piece+1)*p.M/n; i++ {
		p.addRow(floats(at(c, i*p.CRow), p.N), floats(at(sum, i*p.N), p.N), block == p.blocks-1, bias)
	}
}
