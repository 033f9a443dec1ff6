package kernel

import (
	"unsafe"

	"github.com/kun-ml/kun/internal/cpu"
	"github.com/kun-ml/kun/internal/rng"
)

// unit32 is how many numbers the vector kernels make at a time, 8 blocks of rng.Block.
const unit32 = 32

// randomKernels write whole units of 32 numbers, from a block on.
type randomKernels struct {
	bernoulli func(dst unsafe.Pointer, units int, block, key, step uint64, below uint32)
	uniform   func(dst unsafe.Pointer, units int, block, key, step uint64)
}

var randomLevels [numLevels]randomKernels

// Bernoulli writes a byte for each of n elements: 1 if element offset+i of the stream (key, step) of package rng is below
// the limit, else 0. The bits are the same at every level. offset must not be negative.
func Bernoulli(level cpu.Level, dst unsafe.Pointer, offset, n int, key, step uint64, below uint32) {
	d := bytes(dst, n)
	from, units := wholeUnits(offset, n)
	if f := randomLevels[level].bernoulli; f != nil && units > 0 {
		bernoulliGo(d[:from], offset, key, step, below)
		f(unsafe.Pointer(&d[from]), units, uint64(offset+from)/4, key, step, below)
		from += units * unit32
	} else {
		from = 0
	}
	bernoulliGo(d[from:], offset+from, key, step, below)
}

// Uniform writes n float32 in [0, 1), rng.Uniform of the elements offset+i of the stream (key, step) of package rng.
// The bits are the same at every level. offset must not be negative.
func Uniform(level cpu.Level, dst unsafe.Pointer, offset, n int, key, step uint64) {
	d := floats(dst, n)
	from, units := wholeUnits(offset, n)
	if f := randomLevels[level].uniform; f != nil && units > 0 {
		uniformGo(d[:from], offset, key, step)
		f(unsafe.Pointer(&d[from]), units, uint64(offset+from)/4, key, step)
		from += units * unit32
	} else {
		from = 0
	}
	uniformGo(d[from:], offset+from, key, step)
}

// wholeUnits says how many elements come before the first that begins a block, and how many units follow.
func wholeUnits(offset, n int) (before, units int) {
	before = min(-offset&3, n)
	return before, (n - before) / unit32
}

func bernoulliGo(d []byte, offset int, key, step uint64, below uint32) {
	for i := 0; i < len(d); {
		e := offset + i
		b := rng.Block(key, step, uint64(e)/4)
		for l := e & 3; l < 4 && i < len(d); l++ {
			d[i] = 0
			if b[l] < below {
				d[i] = 1
			}
			i++
		}
	}
}

func uniformGo(d []float32, offset int, key, step uint64) {
	for i := 0; i < len(d); {
		e := offset + i
		b := rng.Block(key, step, uint64(e)/4)
		for l := e & 3; l < 4 && i < len(d); l++ {
			d[i] = float32(rng.Uniform(b[l]))
			i++
		}
	}
}
