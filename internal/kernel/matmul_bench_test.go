package kernel

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/kun-ml/kun/internal/cpu"
	"github.com/kun-ml/kun/internal/par"
)

// BenchmarkMatMul reports GFLOP/s of the shapes of training and inference, for each level and number of threads.
func BenchmarkMatMul(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, s := range []struct {
		name          string
		m, n, k, form int
	}{
		{"mnist/fwd", 32, 128, 784, withBias | withReLU}, {"mnist/out", 32, 10, 128, withBias}, {"mnist/dw", 784, 128, 32, transA},
		{"mnist/dw2", 128, 10, 32, transA}, {"mnist/dx2", 32, 128, 10, transB}, {"mnist/one", 1, 128, 784, withBias | withReLU},
		{"mnist/oneout", 1, 10, 128, withBias}, {"mnist/dx", 32, 784, 128, transB},
		{"transformer/fwd", 768, 512, 128, 0}, {"transformer/dw", 128, 512, 768, transA}, {"transformer/dx", 768, 128, 512, transB},
		{"square/128", 128, 128, 128, 0}, {"square/256", 256, 256, 256, 0}, {"square/512", 512, 512, 512, 0}, {"square/1024", 1024, 1024, 1024, 0},
		{"square/2048", 2048, 2048, 2048, 0}, {"row/2048", 1, 2048, 2048, 0}, {"row/2048t", 1, 2048, 2048, transB}, {"rows/8", 8, 2048, 2048, 0},
	} {
		spec, x, y, c, bias := product(r, s.m, s.n, s.k, s.form)
		spec.CRow = s.n
		for _, level := range cpu.Levels()[1:] {
			for _, threads := range []int{1, 2} {
				b.Run(fmt.Sprintf("%s/%dx%dx%d/%v/%d", s.name, s.m, s.n, s.k, level, threads), func(b *testing.B) {
					p := PlanMatMul(spec, level, threads)
					shared := make([]float32, p.SharedFloats())
					workers := make([][]float32, threads)
					for i := range workers {
						workers[i] = make([]float32, p.WorkerFloats())
					}
					var phases []func(piece, worker int)
					for i := range p.Phases() {
						phases = append(phases, func(piece, worker int) {
							p.Run(i, piece, shared, workers[worker], pointer(x), pointer(y), pointer(c), pointer(bias))
						})
					}
					pool := par.New(threads)
					defer pool.Close()
					for b.Loop() {
						for i, n := range p.Phases() {
							pool.Run(n, phases[i])
						}
					}
					b.ReportMetric(2*float64(s.m*s.n*s.k)*float64(b.N)/float64(b.Elapsed().Nanoseconds()), "GFLOP/s")
				})
			}
		}
	}
}
