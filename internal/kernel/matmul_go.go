package kernel

import "unsafe"

// plainRows is how many rows a piece of the plain Go product has.
func (p *MatMulPlan) plainRows() int { return max(1, min(p.M, 1<<16/max(1, p.N*p.K))) }

// plain computes rows of C in Go, every block of K in a row of its own.
func (p *MatMulPlan) plain(piece int, worker []float32, a, b, c, bias unsafe.Pointer) {
	r := p.plainRows()
	acc, sum := worker[:p.N], worker[p.N:2*p.N]
	for i := piece * r; i < min(p.M, (piece+1)*r); i++ {
		out := floats(at(c, i*p.CRow), p.N)
		clear(out)
		for q := range p.blocks {
			clear(acc)
			p.plainBlock(q, i, acc, a, b)
			into := out
			if q >= group {
				into = sum
			}
			if q%group == 0 {
				copy(into, acc)
			} else {
				for j, v := range acc {
					into[j] += v
				}
			}
			if q >= group && (q%group == group-1 || q == p.blocks-1) {
				for j, v := range sum {
					out[j] += v
				}
			}
		}
		if p.Bias {
			for j, v := range floats(bias, p.N) {
				out[j] += v
			}
		}
		if p.ReLU {
			for j, v := range out {
				out[j] = max(v, 0)
			}
		}
	}
}

func (p *MatMulPlan) plainBlock(q, i int, acc []float32, a, b unsafe.Pointer) {
	for k := q * p.block; k < min(p.K, (q+1)*p.block); k++ {
		av := *(*float32)(at(a, i*p.ARow+k*p.ACol))
		if p.BCol == 1 {
			for j, bv := range floats(at(b, k*p.BRow), p.N) {
				acc[j] += float32(av * bv)
			}
			continue
		}
		for j := range acc {
			acc[j] += float32(av * *(*float32)(at(b, k*p.BRow+j*p.BCol)))
		}
	}
}
