package kernel

import (
	"math"
	"unsafe"

	"github.com/kun-ml/kun/internal/cpu"
)

// sineLimit is how far from zero the vector kernels of sine and cosine are right.
const sineLimit = 48000

// registerSine registers a sine or cosine from near, which is right up to sineLimit; numbers beyond go to exact, one by one,
// so that a result depends on its number alone. largestAbs is max |x| of the numbers that are not NaN.
func registerSine(level cpu.Level, op string, near Tile, largestAbs func(x unsafe.Pointer, n int) float32, exact func(float64) float64) {
	register(level, op, func(dst, a, _, _ unsafe.Pointer, n int, _ *Scalars) {
		if largestAbs(a, n) <= sineLimit {
			near(dst, a, nil, nil, n, nil)
			return
		}
		var in [128]float32 // dst may be a
		for n > 0 {
			m := min(n, len(in))
			copy(in[:], floats(a, m))
			near(dst, a, nil, nil, m, nil)
			d := floats(dst, m)
			for i, v := range in[:m] {
				if v > sineLimit || v < -sineLimit {
					d[i] = float32(exact(float64(v)))
				}
			}
			dst, a, n = unsafe.Add(dst, 4*m), unsafe.Add(a, 4*m), n-m
		}
	})
}

// registerSines registers both.
func registerSines(level cpu.Level, sin, cos Tile, largestAbs func(x unsafe.Pointer, n int) float32) {
	registerSine(level, "Sin", sin, largestAbs, math.Sin)
	registerSine(level, "Cos", cos, largestAbs, math.Cos)
}

// registerPowScalar registers a power by one exponent; squares are common.
func registerPowScalar(level cpu.Level, square, pow Tile) {
	register(level, "PowScalar", func(dst, a, _, _ unsafe.Pointer, n int, s *Scalars) {
		if s[0] == 2 {
			square(dst, a, nil, nil, n, nil)
			return
		}
		pow(dst, a, nil, nil, n, s)
	})
}
