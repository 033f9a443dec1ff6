package kernel

import (
	"unsafe"

	"github.com/kun-ml/kun/internal/cpu"
)

// Choices by a mask of bytes; any byte but 0 is true.
func init() {
	register(cpu.Go, "Where", func(dst, a, b, c unsafe.Pointer, n int, _ *Scalars) {
		d, m, x, y := floats(dst, n), bytes(a, n), floats(b, n), floats(c, n)
		for i := range d {
			v := y[i]
			if m[i] != 0 {
				v = x[i]
			}
			d[i] = v
		}
	})
	register(cpu.Go, "MaskScale", func(dst, a, b, _ unsafe.Pointer, n int, s *Scalars) {
		d, x, m := floats(dst, n), floats(a, n), bytes(b, n)
		for i := range d {
			v := float32(0)
			if m[i] != 0 {
				v = x[i] * s[0]
			}
			d[i] = v
		}
	})
}
