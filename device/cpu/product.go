package cpu

import (
	"unsafe"

	"github.com/kun-ml/kun/tensor"
)

// matMul says what a product computes; strides in elements.
type matMul struct {
	M, N, K                      int
	ARow, ACol, BRow, BCol, CRow int
	Bias, ReLU                   bool
}

// matMulPlan runs a product by rows of the result.
type matMulPlan struct{ matMul }

func planMatMul(m matMul, threads int) *matMulPlan { return &matMulPlan{m} }

func (p *matMulPlan) rows() int { return max(1, min(p.M, 1<<16/max(1, p.N*p.K))) }

func (p *matMulPlan) Phases() []int     { r := p.rows(); return []int{(p.M + r - 1) / r} }
func (p *matMulPlan) SharedFloats() int { return 0 }
func (p *matMulPlan) WorkerFloats() int { return p.N }

// Run computes one piece: K is cut as tensor.KCut says, each block is a chain, blocks are added in order.
func (p *matMulPlan) Run(_, piece int, _, worker []float32, a, b, c, bias unsafe.Pointer) {
	r := p.rows()
	block, blocks := tensor.KCut(p.K)
	A := func(i int) float32 { return *(*float32)(unsafe.Add(a, 4*i)) }
	for i := piece * r; i < min(p.M, (piece+1)*r); i++ {
		out := f32(unsafe.Add(c, 4*i*p.CRow), p.N)
		clear(out)
		for q := range blocks {
			acc := worker[:p.N]
			clear(acc)
			for k := q * block; k < min(p.K, (q+1)*block); k++ {
				av := A(i*p.ARow + k*p.ACol)
				if p.BCol == 1 {
					for j, bv := range f32(unsafe.Add(b, 4*k*p.BRow), p.N) {
						acc[j] += av * bv
					}
					continue
				}
				for j := range acc {
					acc[j] += av * *(*float32)(unsafe.Add(b, 4*(k*p.BRow+j*p.BCol)))
				}
			}
			for j, v := range acc {
				out[j] += v
			}
		}
		if p.Bias {
			for j, v := range f32(bias, p.N) {
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
