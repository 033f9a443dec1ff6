package kernel

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
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

func pointer(x []float32) unsafe.Pointer { return unsafe.Pointer(unsafe.SliceData(x)) }

// run computes the product into c, the pieces of each phase in reverse order, shared by goroutines.
func (p *MatMulPlan) run(threads int, a, b, c, bias []float32) {
	shared := make([]float32, p.SharedFloats())
	workers := make([][]float32, threads)
	for i := range workers {
		workers[i] = make([]float32, p.WorkerFloats())
		for j := range workers[i] {
			workers[i][j] = float32(math.NaN())
		}
	}
	for phase, n := range p.Phases() {
		var wg sync.WaitGroup
		for w := range threads {
			wg.Go(func() {
				for i := n - 1 - w; i >= 0; i -= threads {
					p.Run(phase, i, shared, workers[w], pointer(a), pointer(b), pointer(c), pointer(bias))
				}
			})
		}
		wg.Wait()
	}
}

// Forms of operands: bits to combine.
const (
	transA = 1 << iota
	transB
	withBias
	withReLU
	spreadA // strides of a view: no operand lies densely
	spreadB
	allForms
)

// product makes random operands of exactly the size that the strides need.
func product(r *rand.Rand, m, n, k, form int) (spec MatMul, a, b, c, bias []float32) {
	spec = MatMul{M: m, N: n, K: k, ARow: k, ACol: 1, BRow: n, BCol: 1, CRow: n + r.IntN(3), Bias: form&withBias > 0, ReLU: form&withReLU > 0}
	if form&transA > 0 {
		spec.ARow, spec.ACol = 1, m
	}
	if form&transB > 0 {
		spec.BRow, spec.BCol = 1, k
	}
	if form&spreadA > 0 {
		spec.ARow, spec.ACol = 2*spec.ARow+1, 2*spec.ACol
	}
	if form&spreadB > 0 {
		spec.BRow, spec.BCol = 3*spec.BRow, 3*spec.BCol+1
	}
	fill := func(rows, cols, row, col int) []float32 {
		if rows == 0 || cols == 0 {
			return nil
		}
		x := make([]float32, (rows-1)*row+(cols-1)*col+1)
		for i := range x {
			x[i] = float32(r.NormFloat64())
		}
		return x
	}
	return spec, fill(m, k, spec.ARow, spec.ACol), fill(k, n, spec.BRow, spec.BCol), fill(m, spec.CRow, spec.CRow, 1), fill(1, n, n, 1)
}

// plans are all ways to run a product at a level: the one chosen, then every regime.
func (m MatMul) plans(level cpu.Level, threads int) []*MatMulPlan {
	all := []*MatMulPlan{PlanMatMul(m, level, threads)}
	if level == cpu.Go || m.M*m.N*m.K == 0 {
		return all
	}
	for r := direct; r <= thick; r++ {
		p := PlanMatMul(m, level, threads)
		q := &MatMulPlan{MatMul: m, l: p.l, block: p.block, blocks: p.blocks}
		q.plan(r, threads)
		all = append(all, q)
	}
	return all
}

// TestMatMul_IsItsDefinition compares with the scalar chain, bit by bit, at every level, in every regime, for all strides and
// epilogues, on several numbers of threads, and looks for writes outside of C. The vector levels must agree in all elements.
func TestMatMul_IsItsDefinition(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	shapes := [][3]int{{32, 128, 784}, {784, 128, 32}, {32, 10, 128}, {128, 10, 32}, {32, 128, 10}, {1, 128, 784}, {1, 10, 128}, {2, 300, 40},
		{170, 150, 500}, {261, 97, 400}, {5, 7, 7000}, {170, 49, 6600}, {1, 3, 13000}, {3, 4, 0}, {0, 3, 3}, {3, 0, 3}, {0, 0, 0}, {1, 1, 1}}
	for range 70 {
		shapes = append(shapes, [3]int{1 + r.IntN(70), 1 + r.IntN(70), 1 + r.IntN(70)})
	}
	count := 0
	for si, s := range shapes {
		for f := range 4 {
			form := f
			if si >= 18 {
				form = r.IntN(allForms)
			}
			spec, a, b, c, bias := product(r, s[0], s[1], s[2], form|count&(withBias|withReLU))
			var first []float32
			for _, level := range cpu.Levels() {
				threads := 1 + count%3
				for _, p := range spec.plans(level, threads) {
					got := append([]float32(nil), c...)
					p.run(threads, a, b, got, bias)
					fused := level != cpu.Go
					switch {
					case !fused || first == nil:
						if err := spec.differs(got, c, a, b, bias, fused); err != nil {
							t.Fatalf("%v, regime %d, %+v: %v", level, p.regime, spec, err)
						}
						if fused {
							first = got
						}
					default:
						for i, v := range got {
							if math.Float32bits(v) != math.Float32bits(first[i]) {
								t.Fatalf("%v, regime %d, %+v: element %d is %v, before it was %v", level, p.regime, spec, i, v, first[i])
							}
						}
					}
					count++
				}
			}
		}
	}
	t.Logf("%d products", count)
}

func (m MatMul) differs(got, before, a, b, bias []float32, fused bool) error {
	for i := range m.M {
		for j := range min(m.CRow, len(got)-i*m.CRow) {
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
	return nil
}

// TestMatMul_EveryLevelHasKernels: a level of this machine without products of its own would silently run plain Go.
func TestMatMul_EveryLevelHasKernels(t *testing.T) {
	for _, level := range cpu.Levels() {
		if has := matmulLevels[level] != nil; has != (level != cpu.Go) {
			t.Errorf("%v: kernels %v", level, has)
		}
	}
}

// TestMatMul_RowAlone: a row has the bits it has in a batch, though other kernels and regimes compute it.
func TestMatMul_RowAlone(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	const m, n, k = 300, 130, 900
	spec, a, b, c, bias := product(r, m, n, k, withBias)
	for _, level := range cpu.Levels() {
		PlanMatMul(spec, level, 2).run(2, a, b, c, bias)
		for _, rows := range []int{1, 2, 5, 14, 31, 100} {
			part := spec
			part.M = rows
			got, at := make([]float32, rows*spec.CRow), r.IntN(m-rows)
			PlanMatMul(part, level, 1).run(1, a[at*k:], b, got, bias)
			for i := range rows * spec.CRow {
				if j := i % spec.CRow; j < n && got[i] != c[at*spec.CRow+i] {
					t.Fatalf("%v: row %d of %d differs at column %d", level, i/spec.CRow, rows, j)
				}
			}
		}
	}
}

func TestMatMul_NaNPassesReLU(t *testing.T) {
	for _, level := range cpu.Levels() {
		spec := MatMul{M: 1, N: 3, K: 1, ARow: 1, ACol: 1, BRow: 3, BCol: 1, CRow: 3, ReLU: true}
		for _, p := range spec.plans(level, 1) {
			c := make([]float32, 3)
			p.run(1, []float32{1}, []float32{float32(math.NaN()), -2, 3}, c, nil)
			if c[0] == c[0] || c[1] != 0 || c[2] != 3 {
				t.Errorf("%v, regime %d: %v", level, p.regime, c)
			}
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
		for _, s := range [][3]int{{32, 128, 784}, {20, 20, 6500}} {
			spec, a, b, c, bias := product(r, s[0], s[1], s[2], withBias|withReLU)
			for _, p := range spec.plans(level, 2) {
				shared, worker := make([]float32, p.SharedFloats()), make([]float32, p.WorkerFloats())
				if n := testing.AllocsPerRun(3, func() {
					for phase, n := range p.Phases() {
						for i := range n {
							p.Run(phase, i, shared, worker, pointer(a), pointer(b), pointer(c), pointer(bias))
						}
					}
				}); n > 0 {
					t.Errorf("%v, regime %d: %v allocations", level, p.regime, n)
				}
			}
		}
	}
}

// TestMatMul_CutsPieces: products worth sharing have several pieces in each phase, small ones one piece in all.
func TestMatMul_CutsPieces(t *testing.T) {
	for _, level := range cpu.Levels()[1:] {
		for _, s := range []struct{ m, n, k, least int }{{32, 10, 128, 1}, {1, 10, 128, 1}, {32, 128, 784, 4}, {784, 128, 32, 4}, {300, 300, 300, 4}, {2048, 64, 2048, 4}} {
			spec := MatMul{M: s.m, N: s.n, K: s.k, ARow: s.k, ACol: 1, BRow: s.n, BCol: 1, CRow: s.n}
			for _, n := range PlanMatMul(spec, level, 2).Phases() {
				if n < s.least || s.least == 1 && n > 1 {
					t.Errorf("%v: %dx%dx%d has phases of %v pieces", level, s.m, s.n, s.k, PlanMatMul(spec, level, 2).Phases())
				}
			}
		}
	}
}

// TestMatMul_ByBlocks: the cut along K changes no bit.
func TestMatMul_ByBlocks(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for _, level := range cpu.Levels()[1:] {
		for _, s := range [][3]int{{32, 128, 784}, {3, 50, 2000}, {7, 300, 801}, {784, 128, 32}, {50, 40, 900}} {
			spec, a, b, _, bias := product(r, s[0], s[1], s[2], withBias|withReLU)
			spec.CRow = spec.N
			want, got := make([]float32, spec.M*spec.N), make([]float32, spec.M*spec.N)
			PlanMatMul(spec, level, 2).run(2, a, b, want, bias)
			spec.ByBlocks = true
			p := PlanMatMul(spec, level, 2)
			if s[2] == 784 && (!p.byBlocks || len(p.Phases()) != 2) {
				t.Fatalf("%v: %v not by blocks, phases %v", level, s, p.Phases())
			}
			p.run(2, a, b, got, bias)
			if at := slices.Compare(got, want); at != 0 {
				t.Errorf("%v: %v by blocks differs", level, s)
			}
		}
	}
}
