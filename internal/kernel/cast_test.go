package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/kun-ml/kun/array"
	"github.com/kun-ml/kun/internal/cpu"
)

var arrayTypes = [numTypes]array.DType{F32: array.Float32, F64: array.Float64, BF16: array.BFloat16, F16: array.Float16,
	I8: array.Int8, U8: array.Uint8, I32: array.Int32, I64: array.Int64, Bool: array.Bool}

// someElements fills m with n elements of a type.
func someElements(r *rand.Rand, m *memory, t Type) {
	switch t {
	case F32:
		copy(m.floats(), someFloats(r, m.n))
		for i, v := range m.floats() { // also where halves round: near ties, near the ends of their range
			if r.IntN(2) == 0 {
				u := math.Float32bits(v)&0xc0ffe000 | 0x30000000 | uint32(r.IntN(3)-1)&0x1fff | uint32(r.IntN(2))<<12 | uint32(r.IntN(2))<<15
				m.floats()[i] = math.Float32frombits(u)
			}
		}
	case F64:
		d := slice[float64](m.at(), m.n)
		for i, v := range someFloats(r, m.n) {
			d[i] = float64(v)
			switch r.IntN(3) {
			case 0:
				d[i] = math.Float64frombits(r.Uint64())
			case 1:
				d[i] *= 1 + float64(r.IntN(5)-2)*0x1p-25
			}
		}
	case Bool:
		for i := range m.bytes() {
			m.bytes()[i] = byte(r.IntN(2))
		}
	default:
		for i := range m.n * m.size {
			m.all[guard+i] = byte(r.Uint32())
			if r.IntN(4) == 0 {
				m.all[guard+i] = byte(-r.IntN(2))
			}
		}
	}
}

// TestCasts_EqualArrayConvert compares every pair of types at every level with package array.
func TestCasts_EqualArrayConvert(t *testing.T) {
	for _, level := range cpu.Levels() {
		for dst := range numTypes {
			for src := range numTypes {
				t.Run(fmt.Sprintf("%v/%v_to_%v", level, arrayTypes[src], arrayTypes[dst]), func(t *testing.T) {
					r := rand.New(rand.NewPCG(uint64(dst), uint64(src)))
					for _, n := range lengths() {
						from, to := newMemory(n, src.Size(), 8*r.IntN(2)), newMemory(n, dst.Size(), 8*r.IntN(2))
						someElements(r, from, src)
						before := to.clone()
						CastOf(dst, src, level)(to.at(), from.at(), n)
						to.intact(t, before)
						x := array.New(arrayTypes[src], n)
						copy(x.Bytes(), from.all[guard:guard+n*src.Size()])
						want := x.To(arrayTypes[dst]).Bytes()
						got := to.all[guard : guard+n*dst.Size()]
						for i := range n {
							g, w := got[i*dst.Size():(i+1)*dst.Size()], want[i*dst.Size():(i+1)*dst.Size()]
							if string(g) != string(w) && !bothNaN(dst, g, w) {
								t.Fatalf("n %d element %d: %x becomes %x, want %x", n, i, from.all[guard+i*src.Size():guard+(i+1)*src.Size()], g, w)
							}
						}
					}
				})
			}
		}
	}
}

// bothNaN says whether two elements of a float type are NaN.
func bothNaN(t Type, g, w []byte) bool {
	isNaN := func(b []byte) bool {
		x := array.New(arrayTypes[t], 1)
		copy(x.Bytes(), b)
		return math.IsNaN(x.Float64s()[0])
	}
	switch t {
	case F32, F64, BF16, F16:
		return isNaN(g) && isNaN(w)
	}
	return false
}
