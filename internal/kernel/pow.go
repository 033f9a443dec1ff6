package kernel

import (
	"math"
	"unsafe"

	"github.com/kun-ml/kun/internal/cpu"
)

// Pow follows IEEE 754-2008 pow: pow(x, 0) = pow(1, y) = 1 even for NaN, a negative base needs a whole exponent.
func init() {
	register(cpu.Go, "Pow", binary(pow32))
	register(cpu.Go, "PowScalar", func(dst, a, _, _ unsafe.Pointer, n int, s *Scalars) {
		d, x := floats(dst, n), floats(a, n)
		if s[0] == 2 {
			for i := range d {
				d[i] = x[i] * x[i]
			}
			return
		}
		for i := range d {
			d[i] = pow32(x[i], s[0])
		}
	})
}

func pow32(x, y float32) float32 { return float32(math.Pow(float64(x), float64(y))) }
