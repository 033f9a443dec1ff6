package kernel

import (
	"math"
	"math/rand/v2"
	"strconv"
	"testing"

	"github.com/kun-ml/kun/internal/cpu"
	"github.com/kun-ml/kun/internal/rng"
)

// TestRandom_EqualsBlocks compares Bernoulli and Uniform at each level with the numbers of package rng, one by one.
func TestRandom_EqualsBlocks(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	ns := lengths()
	for _, level := range cpu.Levels() {
		for trial := range 300 {
			n := ns[trial%len(ns)]
			offset := r.IntN(1 << (3 + trial%(strconv.IntSize-24)))
			if strconv.IntSize == 64 && trial%7 == 0 {
				offset = 1<<(strconv.IntSize-30) - r.IntN(200) // the low word of the counter runs over
			}
			key, step := r.Uint64(), r.Uint64()
			below := []uint32{0, 1, math.MaxUint32, 1 << 31, 1<<31 - 1, r.Uint32(), r.Uint32()}[r.IntN(7)]
			m := newMemory(n, 1, 0)
			before := m.clone()
			Bernoulli(level, m.at(), offset, n, key, step, below)
			m.intact(t, before)
			u := newMemory(n, 4, 0)
			before = u.clone()
			Uniform(level, u.at(), offset, n, key, step)
			u.intact(t, before)
			for i := range n {
				word := rng.Uint32(key, step, offset+i)
				if got, want := m.bytes()[i], byte(truth(word < below)); got != want {
					t.Fatalf("%v: element %d+%d of %d below %#x is %d, want %d", level, offset, i, n, below, got, want)
				}
				if got, want := u.floats()[i], float32(rng.Uniform(word)); got != want {
					t.Fatalf("%v: element %d+%d of %d is %g, want %g", level, offset, i, n, got, want)
				}
			}
		}
	}
}
