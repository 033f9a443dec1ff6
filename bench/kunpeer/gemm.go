package main

import (
	"fmt"
	"time"
	"unsafe"

	"github.com/kun-ml/kun/internal/cpu"
	"github.com/kun-ml/kun/internal/kernel"
	"github.com/kun-ml/kun/internal/par"
)

// gemm are the operands of the largest product so far.
type gemm struct {
	pool    *par.Pool
	a, b, c []float32
}

// largest is the most elements of an operand.
const largest = 1 << 26

// product measures one product on the kernels that the CPU device uses: M, N, K, A transposed, B transposed, milliseconds.
func (p *peer) product(v []int) (reply, error) {
	m, n, k := v[0], v[1], v[2]
	if m < 1 || n < 1 || k < 1 || m > largest/k || n > largest/k || m > largest/n {
		return reply{}, fmt.Errorf("a product of %d x %d x %d", m, n, k)
	}
	if p.gemm == nil {
		p.gemm = &gemm{pool: par.New(p.threads)}
	}
	g := p.gemm
	g.a, g.b, g.c = filled(g.a, m*k, 17), filled(g.b, k*n, 13), filled(g.c, m*n, 1)
	spec := kernel.MatMul{M: m, N: n, K: k, ARow: k, ACol: 1, BRow: n, BCol: 1, CRow: n}
	if v[3] == 1 {
		spec.ARow, spec.ACol = 1, m
	}
	if v[4] == 1 {
		spec.BRow, spec.BCol = 1, k
	}
	plan := kernel.PlanMatMul(spec, cpu.InForce(), p.threads)
	shared := aligned(plan.SharedFloats())
	workers := make([][]float32, p.threads)
	for i := range workers {
		workers[i] = aligned(plan.WorkerFloats())
	}
	pa, pb, pc := unsafe.Pointer(&g.a[0]), unsafe.Pointer(&g.b[0]), unsafe.Pointer(&g.c[0])
	phases := plan.Phases()
	pieces := make([]func(piece, worker int), len(phases))
	for i := range phases {
		pieces[i] = func(piece, worker int) { plan.Run(i, piece, shared, workers[worker], pa, pb, pc, nil) }
	}
	return p.timeFor(time.Duration(v[5])*time.Millisecond, func() {
		for i, n := range phases {
			g.pool.Run(n, pieces[i])
		}
	}), nil
}

// filled is s, or a longer one, with n small numbers.
func filled(s []float32, n, period int) []float32 {
	if len(s) >= n {
		return s
	}
	s = aligned(n)
	for i := range s {
		s[i] = float32(i%period)*0.1 - 0.5
	}
	return s
}

// aligned are n floats, at least one, that begin a line of the cache, as they do in the device's arena.
func aligned(n int) []float32 {
	s := make([]float32, max(n, 1)+16)
	off := int(-uintptr(unsafe.Pointer(&s[0]))%64) / 4
	return s[off : off+max(n, 1)]
}
