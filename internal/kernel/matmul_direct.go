package kernel

import "unsafe"

// panel is a range of columns that is a number of vectors wide.
type panel struct{ at, n, vectors int }

// planDirect cuts C into tiles, balanced panels of rows by panels of columns, and the tiles into pieces that are rectangles.
func (p *MatMulPlan) planDirect(threads int) {
	l := p.l
	p.turned = p.BCol != 1 && p.N > 1
	widest := l.widest
	switch {
	case p.turned: // so narrow that a block of B stays in the first cache
	case p.M < len(l.direct[8]):
		widest = 8
	case p.M < len(l.direct[4]):
		widest = 4
	case p.M < len(l.direct[3]):
		widest = 3
	}
	for j := 0; j < p.N; {
		v := widest
		for ; l.direct[v] == nil || v > 1 && (v-1)*l.lanes >= p.N-j; v-- {
		}
		n := min(v*l.lanes, p.N-j)
		p.panels = append(p.panels, panel{j, n, v})
		j += n
	}
	p.width = p.panels[0].vectors * l.lanes
	most := len(l.direct[p.panels[0].vectors]) - 1
	p.rowPanels = (p.M + most - 1) / most
	p.colGroups, p.rowGroups = p.cutTiles(len(p.panels), p.rowPanels, threads)
	p.step(tilePhase, 0, p.colGroups*p.rowGroups)
}

// cutTiles gives the groups of columns and of rows whose rectangles are the pieces: large enough to be worth a claim, several
// for each thread.
func (p *MatMulPlan) cutTiles(cols, rows, threads int) (colGroups, rowGroups int) {
	pieces := 1
	if work := p.M * p.N * p.K; threads > 1 && work > 48<<10 {
		pieces = min(max(16, 4*threads), work>>14)
	}
	if p.turned { // every group of rows turns the columns again
		colGroups = min(cols, pieces)
		return colGroups, max(1, min(rows/4, pieces/colGroups))
	}
	colGroups = min(cols, pieces)
	return colGroups, min(rows, (pieces+colGroups-1)/colGroups)
}

// rowAt is where a panel of rows begins.
func (p *MatMulPlan) rowAt(panel int) int {
	return panel*(p.M/p.rowPanels) + min(panel, p.M%p.rowPanels)
}

// tiles computes the tiles of a piece, panel by panel and block by block of K.
func (p *MatMulPlan) tiles(piece int, worker []float32, a, b, c, bias unsafe.Pointer) {
	g, h := piece%p.rowGroups, piece/p.rowGroups
	r0, r1 := g*p.rowPanels/p.rowGroups, (g+1)*p.rowPanels/p.rowGroups
	for _, v := range p.panels[h*len(p.panels)/p.colGroups : (h+1)*len(p.panels)/p.colGroups] {
		out, bp := at(c, v.at), bias
		if p.Bias {
			bp = at(bias, v.at)
		}
		if p.blocks <= group {
			for q := range p.blocks {
				p.tileColumn(q, v, r0, r1, p.flags(q), worker, a, b, at(out, p.rowAt(r0)*p.CRow), p.CRow, bp)
			}
			continue
		}
		p.groupedColumn(v, r0, r1, worker, a, b, out, bp)
	}
}

// tileColumn computes the tiles of some panels of rows and one of columns for a block of K.
func (p *MatMulPlan) tileColumn(q int, v panel, r0, r1, flags int, worker []float32, a, b, c unsafe.Pointer, cRow int, bias unsafe.Pointer) {
	l, k, bRow := p.l, q*p.block, p.BRow
	kc := min(p.block, p.K-k)
	b = at(b, k*p.BRow+v.at*p.BCol)
	if p.turned {
		dst := unsafe.Pointer(unsafe.SliceData(worker))
		bRow = v.vectors * l.lanes
		p.packPanel(dst, bRow, b, p.BCol, p.BRow, v.n, kc)
		b = dst
	}
	last, fs := v.n-(v.vectors-1)*l.lanes, l.direct[v.vectors]
	i0 := p.rowAt(r0)
	for r := r0; r < r1; r++ { // no pointer may leave its array, not even at the end of the loop
		i, n := p.rowAt(r), p.rowAt(r+1)-p.rowAt(r)
		fs[n](kc, at(a, i*p.ARow+k*p.ACol), 4*p.ARow, 4*p.ACol, b, 4*bRow, at(c, (i-i0)*cRow), 4*cRow, flags, last, bias)
	}
}

// groupedColumn is tileColumn for a K of several groups of blocks; later groups are summed in the worker's scratch.
func (p *MatMulPlan) groupedColumn(v panel, r0, r1 int, worker []float32, a, b, c, bias unsafe.Pointer) {
	i0, i1, w := p.rowAt(r0), p.rowAt(r1), v.vectors*p.l.lanes
	sum := worker[p.turnFloats():]
	for q := range p.blocks {
		dst, row := at(c, i0*p.CRow), p.CRow
		if q >= group {
			dst, row = unsafe.Pointer(unsafe.SliceData(sum)), w
		}
		p.tileColumn(q, v, r0, r1, p.flags(q), worker, a, b, dst, row, nil)
		if q >= group && (q%group == group-1 || q == p.blocks-1) {
			for i := i0; i < i1; i++ {
				p.addRow(floats(at(c, i*p.CRow), v.n), sum[(i-i0)*w:(i-i0)*w+v.n], q == p.blocks-1, bias)
			}
		}
	}
}

// turnFloats is the scratch for a block of a panel of columns of a transposed B.
func (p *MatMulPlan) turnFloats() int {
	if p.turned {
		return p.block * p.width
	}
	return 0
}

// directFloats is the scratch of a worker.
func (p *MatMulPlan) directFloats() int {
	n := p.turnFloats()
	if p.blocks > group {
		n += (p.M/p.rowGroups + 2*len(p.l.direct[1])) * p.width
	}
	return n
}

// addRow adds a group to a row of C, and at the last one the bias and ReLU.
func (p *MatMulPlan) addRow(c, sum []float32, last bool, bias unsafe.Pointer) {
	for j, v := range sum {
		c[j] += v
	}
	if last && p.Bias {
		for j, v := range floats(bias, len(c)) {
			c[j] += v
		}
	}
	if last && p.ReLU {
		for j, v := range c {
			c[j] = max(v, 0)
		}
	}
}
