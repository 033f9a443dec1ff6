package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/kun-ml/kun/internal/cpu"
)

// TestAdamPlan_IsTheProductThenAdam: made together or one after the other, weights and moments have the same bits.
func TestAdamPlan_IsTheProductThenAdam(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	h := &AdamScalars{0.1, 0.001, 0.02, 1e-7, 0.01}
	fused := 0
	for _, level := range cpu.Levels() {
		for _, s := range [][3]int{{784, 128, 32}, {784, 128, 7}, {100, 10, 64}, {60, 50, 16}, {13, 33, 3}, {1, 1, 1}, {12, 64, 500}, {40, 48, 40}, {25, 128, 1}} {
			for _, form := range []int{transA, 0} {
				spec, a, b, _, _ := product(r, s[0], s[1], s[2], form)
				spec.CRow = spec.N
				n := spec.M * spec.N
				state := make([][]float32, 6) // w, m, v, then copies
				for i := range 3 {
					for range n {
						x := float32(r.NormFloat64())
						if r.IntN(10) == 0 {
							x *= 0x1p-120 // too small to stay
						}
						if i == 2 {
							x = float32(math.Abs(float64(x)))
						}
						state[i] = append(state[i], x)
					}
					state[3+i] = slices.Clone(state[i])
				}
				grad := make([]float32, n)
				PlanMatMul(spec, level, 2).run(1, a, b, grad, nil)
				RowsOf(level).Adam(pointer(state[0]), pointer(state[1]), pointer(state[2]), pointer(grad), n, h)
				p := PlanAdam(spec, level, 2)
				if p == nil {
					if level == cpu.AVX512 && form == transA && s[1] <= 128 && s[0]*s[1] > 1 && s[2] > 3 {
						t.Errorf("%v: no plan for %v", level, s)
					}
					continue
				}
				if p.joint {
					fused++
				}
				for piece := range p.Pieces() {
					p.Run(piece, p.Worker(make([]float32, p.Floats())), pointer(a), pointer(b), AdamState{pointer(state[3]), pointer(state[4]), pointer(state[5]), h})
				}
				for i, name := range []string{"w", "m", "v"} {
					if err := equalBits(state[3+i], state[i]); err != nil {
						t.Fatalf("%v, %v, form %d: %s: %v", level, s, form, name, err)
					}
				}
			}
		}
	}
	if slices.Contains(cpu.Levels(), cpu.AVX512) && fused == 0 {
		t.Error("no plan used the joint kernel")
	}
}

func equalBits(got, want []float32) error {
	for i, v := range got {
		if math.Float32bits(v) != math.Float32bits(want[i]) {
			return fmt.Errorf("element %d is %v, want %v", i, v, want[i])
		}
	}
	return nil
}

func TestAdamPlan_AllocatesNothing(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, level := range cpu.Levels() {
		spec, a, b, w, _ := product(r, 100, 64, 32, transA)
		spec.CRow = spec.N
		p := PlanAdam(spec, level, 1)
		if p == nil {
			continue
		}
		worker, s := p.Worker(make([]float32, p.Floats())), AdamState{pointer(w), pointer(slices.Clone(w)), pointer(make([]float32, len(w))), &AdamScalars{}}
		if n := testing.AllocsPerRun(5, func() { p.Run(0, worker, pointer(a), pointer(b), s) }); n > 0 {
			t.Errorf("%v: %v allocations", level, n)
		}
	}
}
