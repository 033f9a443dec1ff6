//go:build unix

package kernel

import (
	"math/rand/v2"
	"os"
	"runtime/debug"
	"testing"

	"github.com/kun-ml/kun/internal/cpu"
)

// hold copies m to the end of the memory, or to its beginning: what lies beyond on that side may not be touched.
func (f fence) hold(m *memory, end bool) *memory {
	at := os.Getpagesize()
	if end {
		at += f.size - m.size*m.n
	}
	h := &memory{f.all[at-guard : at+m.size*m.n+1], m.size, m.n}
	copy(f.all[at:at+m.size*m.n], m.all[guard:])
	return h
}

// inside runs f on memories that touch forbidden pages, at both ends, and compares what it writes with a run on others.
func inside(t *testing.T, fences []fence, what string, ms []*memory, f func(ms []*memory)) {
	t.Helper()
	want := cloneAll(ms)
	f(want)
	for _, end := range []bool{false, true} {
		var held []*memory
		for i, m := range ms {
			held = append(held, fences[i].hold(m, end))
		}
		func() {
			defer func() {
				if e := recover(); e != nil {
					t.Fatalf("%s, %d elements, end %v: %v", what, ms[0].n, end, e)
				}
			}()
			f(held)
		}()
		for i, h := range held {
			size := h.size * h.n
			if string(h.all[guard:guard+size]) != string(want[i].all[guard:guard+size]) {
				t.Fatalf("%s, %d elements, end %v: operand %d differs", what, h.n, end, i)
			}
		}
	}
}

// TestKernels_StayInside runs tiles, rows, casts and random numbers at every level and length beside forbidden pages.
func TestKernels_StayInside(t *testing.T) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	var fences []fence
	for range 4 {
		fences = append(fences, newFence(t, 8*8192))
	}
	r := rand.New(rand.NewPCG(7, 8))
	for _, level := range cpu.Levels() {
		for _, n := range lengths() {
			for _, op := range TileNames() {
				s := &someScalars[n%len(someScalars)]
				inside(t, fences, level.String()+" "+op, operandsOf(r, op, n), func(ms []*memory) { run(TileOf(op, level), ms, s) })
			}
			for _, c := range rowCases {
				if n > 0 {
					inside(t, fences, level.String()+" "+c.name, rowOperands(r, &c, n), func(ms []*memory) { c.run(RowsOf(level), ms, n) })
				}
			}
			for dst := range numTypes {
				for src := range numTypes {
					ms := []*memory{newMemory(n, dst.Size(), 0), newMemory(n, src.Size(), 0)}
					inside(t, fences, level.String()+" Cast", ms, func(ms []*memory) { CastOf(dst, src, level)(ms[0].at(), ms[1].at(), n) })
				}
			}
			inside(t, fences, "Bernoulli", []*memory{newMemory(n, 1, 0)}, func(ms []*memory) { Bernoulli(level, ms[0].at(), n, n, 1, 2, 1<<31) })
			inside(t, fences, "Uniform", []*memory{newMemory(n, 4, 0)}, func(ms []*memory) { Uniform(level, ms[0].at(), n, n, 1, 2) })
		}
	}
}
