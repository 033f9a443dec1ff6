package kernel

import "unsafe"

// planDirect cuts C into tiles: balanced panels of rows by panels of columns.
func (p *MatMulPlan) planDirect(threads int) {
	l := p.l
	if p.BCol != 1 && p.N > 1 {
		p.turned = true
		p.step(turnPhase, 0, max(1, min((p.N+63)/64, p.K*p.N/16384)))
	}
	widest := 2
	switch {
	case p.M <= 2 && l.direct[8] != nil:
		widest = 8
	case p.M <= len(l.direct[4])-1:
		widest = 4
	}
	for j := 0; j < p.N; {
		v := widest
		for ; l.direct[v] == nil || v > 1 && (v-1)*l.lanes >= p.N-j; v-- {
		}
		n := min(v*l.lanes, p.N-j)
		p.panels = append(p.panels, panel{j, n, v})
		j += n
	}
	most := len(l.direct[p.panels[0].vectors]) - 1
	p.np = (p.M + most - 1) / most
	all := p.np * len(p.panels)
	work := p.M * p.N * p.K
	pieces := 1
	if threads > 1 && work > 48<<10 {
		pieces = max(1, min(all, 16, work>>14))
	}
	p.chunk = (all + pieces - 1) / pieces
	p.step(tilePhase, 0, (all+p.chunk-1)/p.chunk)
}

// turn writes B transposed, so that its columns lie side by side: K rows of N rounded up to 16.
func (p *MatMulPlan) turn(piece int, shared []float32, b unsafe.Pointer) {
	w, lanes := up(p.N, 16), p.l.lanes
	dst := unsafe.Pointer(unsafe.SliceData(shared))
	pieces := p.phases[0]
	groups := (p.N + lanes - 1) / lanes
	for g := piece * groups / pieces; g < (piece+1)*groups/pieces; g++ {
		j := g * lanes
		n := min(lanes, p.N-j)
		if p.BRow == 1 {
			p.l.transpose(at(dst, j), w, at(b, j*p.BCol), p.BCol, p.K, n)
			continue
		}
		for k := range p.K {
			for i := range n {
				*(*float32)(at(dst, k*w+j+i)) = *(*float32)(at(b, k*p.BRow+(j+i)*p.BCol))
			}
		}
	}
}

// tiles computes the tiles of a piece, each through all of K.
func (p *MatMulPlan) tiles(piece int, shared, worker []float32, a, b, c, bias unsafe.Pointer) {
	bRow := p.BRow
	if p.turned {
		b, bRow = unsafe.Pointer(unsafe.SliceData(shared)), up(p.N, 16)
	}
	all := p.np * len(p.panels)
	for t := piece * p.chunk; t < min(all, (piece+1)*p.chunk); t++ {
		v, r := p.panels[t/p.np], t%p.np
		i, end := r*p.M/p.np, (r+1)*p.M/p.np
		f := p.l.direct[v.vectors][end-i]
		last := v.n - (v.vectors-1)*p.l.lanes
		dst := at(c, i*p.CRow+v.at)
		var bp unsafe.Pointer
		if p.Bias {
			bp = at(bias, v.at)
		}
		if p.blocks > group {
			p.grouped(f, v, i, end, last, worker, a, at(b, v.at), bRow, dst, bp)
			continue
		}
		for q := range p.blocks {
			k := q * p.block
			f(min(p.block, p.K-k), at(a, i*p.ARow+k*p.ACol), 4*p.ARow, 4*p.ACol, at(b, v.at+k*bRow), 4*bRow, dst, 4*p.CRow, p.flags(q), last, bp)
		}
	}
}

// grouped computes a tile whose K has several groups of blocks: later groups in the worker's scratch.
func (p *MatMulPlan) grouped(f matmulDirect, v panel, i, end, last int, worker []float32, a, b unsafe.Pointer, bRow int, c, bias unsafe.Pointer) {
	const w = 128
	tmp := unsafe.Pointer(unsafe.SliceData(worker))
	for q := range p.blocks {
		k := q * p.block
		dst, row := c, p.CRow
		if q >= group {
			dst, row = tmp, w
		}
		f(min(p.block, p.K-k), at(a, i*p.ARow+k*p.ACol), 4*p.ARow, 4*p.ACol, at(b, k*bRow), 4*bRow, dst, 4*row, p.flags(q), last, nil)
		if q >= group && (q%group == group-1 || q == p.blocks-1) {
			for r := range end - i {
				p.addRow(floats(at(c, r*p.CRow), v.n), worker[r*w:r*w+v.n], q == p.blocks-1, bias)
			}
		}
	}
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
