package kernel

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"sync"
	"testing"
	"unsafe"

	"github.com/kun-ml/kun/internal/cpu"
)

// fma32 is a*b+c rounded once to float32. The float64 sum of the exact product and c is right unless it lies halfway
// between two float32; then a wide sum decides.
func fma32(a, b, c float32) float32 {
	p := float64(a) * float64(b)
	s := p + float64(c)
	if bits := math.Float64bits(s) & (1<<29 - 1); bits != 1<<28 && bits != 0 {
		return float32(s)
	}
	x := new(big.Float).SetPrec(400).SetFloat64(p)
	x.Add(x, new(big.Float).SetPrec(400).SetFloat64(float64(c)))
	f, _ := x.Float32()
	return f
}

// chain is an element of a product as MatMul defines it.
func (m MatMul) chain(i, j int, a, b, bias []float32, fused bool) float32 {
	block, blocks := KCut(m.K)
	var total, sum float32
	for q := range blocks {
		var s float32
		for k := q * block; k < min(m.K, (q+1)*block); k++ {
			x, y := a[i*m.ARow+k*m.ACol], b[k*m.BRow+j*m.BCol]
			if fused {
				s = fma32(x, y, s)
			} else {
				s += float32(x * y)
			}
		}
		if q%group == 0 {
			sum = s
		} else {
			sum += s
		}
		if q%group == group-1 || q == blocks-1 {
			if q < group {
				total = sum
			} else {
				total += sum
			}
		}
	}
	if m.Bias {
		total += bias[j]
	}
	if m.ReLU {
		total = max(total, 0)
	}
	return total
}

// run computes the product with the pieces of each phase shared by goroutines, into c.
func (p *MatMulPlan) run(threads int, a, b, c, bias []float32) {
	shared := make([]float32, p.SharedFloats())
	workers := make([][]float32, threads)
	for i := range workers {
		workers[i] = make([]float32, p.WorkerFloats())
	}
	ptr := func(x []float32) unsafe.Pointer { return unsafe.Pointer(unsafe.SliceData(x)) }
	for phase, n := range p.Phases() {
		var wg sync.WaitGroup
		for w := range threads {
			wg.Go(func() {
				for i := w; i < n; i += threads {
					p.Run(phase, i, shared, workers[w], ptr(a), ptr(b), ptr(c), ptr(bias))
				}
			})
		}
		wg.Wait()
	}
}

// product makes random operands of exactly the size that the strides need.
func product(r *rand.Rand, m, n, k, form int) (spec MatMul, a, b, c, bias []float32) {
	spec = MatMul{M: m, N: n, K: k, ARow: k, ACol: 1, BRow: n, BCol: 1, CRow: n + r.IntN(3), Bias: form&4 > 0, ReLU: form&8 > 0}
	if form&1 > 0 {
		spec.ARow, spec.ACol = 1, m
	}
	if form&2 > 0 {
		spec.BRow, spec.BCol = 1, k
	}
	fill := func(n int) []float32 {
		x := make([]float32, n)
		for i := range x {
			x[i] = float32(r.NormFloat64())
		}
		return x
	}
	return spec, fill(m * k), fill(k * n), fill(m*spec.CRow + 1), fill(n)
}

// TestMatMul_IsItsDefinition compares every bit with the scalar chain, at every level, for all strides and epilogues, on
// several numbers of threads, and looks for writes outside of C.
func TestMatMul_IsItsDefinition(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	shapes := [][3]int{{32, 128, 784}, {784, 128, 32}, {32, 10, 128}, {128, 10, 32}, {32, 128, 10}, {1, 128, 784}, {1, 10, 128}, {2, 300, 40},
		{170, 150, 500}, {261, 97, 400}, {5, 7, 7000}, {170, 49, 6600}, {3, 4, 0}, {0, 3, 3}, {3, 0, 3}, {1, 1, 1}}
	for range 60 {
		shapes = append(shapes, [3]int{1 + r.IntN(70), 1 + r.IntN(70), 1 + r.IntN(70)})
	}
	count := 0
	for si, s := range shapes {
		form := si
		if si < 16 {
			form = 0
		}
		for f := range 4 {
			spec, a, b, c, bias := product(r, s[0], s[1], s[2], form^f*5)
			for _, level := range cpu.Levels() {
				threads := 1 + count%3
				got := append([]float32(nil), c...)
				PlanMatMul(spec, level, threads).run(threads, a, b, got, bias)
				if err := spec.differs(got, c, a, b, bias, level != cpu.Go); err != nil {
					t.Fatalf("%v %+v: %v", level, spec, err)
				}
				count++
			}
		}
	}
	t.Logf("%d products", count)
}

// TestMatMul_EveryLevelHasKernels: a level of this machine without products of its own would silently run plain Go.
func TestMatMul_EveryLevelHasKernels(t *testing.T) {
	for _, level := range cpu.Levels() {
		if has := matmulLevels[level] != nil; has != (level != cpu.Go) {
			t.Errorf("%v: kernels %v", level, has)
		}
	}
}

func (m MatMul) differs(got, before, a, b, bias []float32, fused bool) error {
	for i := range m.M {
		for j := range m.CRow {
			p := i*m.CRow + j
			if j >= m.N {
				if got[p] != before[p] {
					return fmt.Errorf("wrote to (%d,%d), outside", i, j)
				}
				continue
			}
			if m.M*m.N > 4000 && (i*31+j*17)%29 != 0 { // a sample of the large ones
				continue
			}
			if want := m.chain(i, j, a, b, bias, fused); math.Float32bits(got[p]) != math.Float32bits(want) {
				return fmt.Errorf("(%d,%d) is %v, want %v", i, j, got[p], want)
			}
		}
	}
	if last := len(got) - 1; got[last] != before[last] {
		return fmt.Errorf("wrote behind the end")
	}
	return nil
}

func TestMatMul_NaNPassesReLU(t *testing.T) {
	for _, level := range cpu.Levels() {
		spec := MatMul{M: 1, N: 3, K: 1, ARow: 1, ACol: 1, BRow: 3, BCol: 1, CRow: 3, ReLU: true}
		c := make([]float32, 3)
		PlanMatMul(spec, level, 1).run(1, []float32{1}, []float32{float32(math.NaN()), -2, 3}, c, nil)
		if c[0] == c[0] || c[1] != 0 || c[2] != 3 {
			t.Errorf("%v: %v", level, c)
		}
	}
}

// TestMatMul_ReLULeavesNoNegativeZero: a sum that underflows is -0; ReLU makes it +0 at every level.
func TestMatMul_ReLULeavesNoNegativeZero(t *testing.T) {
	for _, level := range cpu.Levels() {
		spec := MatMul{M: 1, N: 1, K: 1, ARow: 1, ACol: 1, BRow: 1, BCol: 1, CRow: 1, ReLU: true}
		c := make([]float32, 1)
		PlanMatMul(spec, level, 1).run(1, []float32{-1e-30}, []float32{1e-30}, c, nil)
		if math.Float32bits(c[0]) != 0 {
			t.Errorf("%v: bits %x", level, math.Float32bits(c[0]))
		}
	}
}

func TestMatMul_AllocatesNothing(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, level := range cpu.Levels() {
		for _, s := range [][3]int{{32, 128, 784}, {200, 200, 500}} {
			spec, a, b, c, bias := product(r, s[0], s[1], s[2], 12)
			p := PlanMatMul(spec, level, 2)
			shared, worker := make([]float32, p.SharedFloats()), make([]float32, p.WorkerFloats())
			pa, pb, pc, pbias := unsafe.Pointer(&a[0]), unsafe.Pointer(&b[0]), unsafe.Pointer(&c[0]), unsafe.Pointer(&bias[0])
			if n := testing.AllocsPerRun(3, func() {
				for phase, n := range p.Phases() {
					for i := range n {
						p.Run(phase, i, shared, worker, pa, pb, pc, pbias)
					}
				}
			}); n > 0 {
				t.Errorf("%v: %v allocations", level, n)
			}
		}
	}
}

// BenchmarkMatMul reports GFLOP/s on one thread.
func BenchmarkMatMul(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, s := range [][4]int{{32, 128, 784, 0}, {784, 128, 32, 1}, {32, 784, 128, 2}, {32, 10, 128, 0}, {1, 128, 784, 0}, {128, 128, 128, 0}, {512, 512, 512, 0}, {1024, 1024, 1024, 0},
		{768, 512, 128, 0}, {128, 512, 768, 1}, {768, 128, 512, 2}} {
		spec, x, y, c, bias := product(r, s[0], s[1], s[2], s[3])
		spec.CRow = s[1]
		for _, level := range cpu.Levels()[1:] {
			b.Run(fmt.Sprintf("%dx%dx%d/%v", s[0], s[1], s[2], level), func(b *testing.B) {
				p := PlanMatMul(spec, level, 1)
				shared, worker := make([]float32, p.SharedFloats()), make([]float32, p.WorkerFloats())
				for b.Loop() {
					for phase, n := range p.Phases() {
						for i := range n {
							p.Run(phase, i, shared, worker, unsafe.Pointer(&x[0]), unsafe.Pointer(&y[0]), unsafe.Pointer(&c[0]), unsafe.Pointer(&bias[0]))
						}
					}
				}
				b.ReportMetric(2*float64(s[0]*s[1]*s[2])*float64(b.N)/float64(b.Elapsed().Nanoseconds()), "GFLOP/s")
			})
		}
	}
}
