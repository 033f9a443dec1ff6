package kernel

import (
	"unsafe"

	"github.com/kun-ml/kun/internal/cpu"
)

// Comparisons give bytes, logic takes and gives bytes, all of them 0 or 1.
func init() {
	register(cpu.Go, "Equal", compare(func(x, y float32) bool { return x == y }))
	register(cpu.Go, "NotEqual", compare(func(x, y float32) bool { return x != y }))
	register(cpu.Go, "Less", compare(func(x, y float32) bool { return x < y }))
	register(cpu.Go, "LessEqual", compare(func(x, y float32) bool { return x <= y }))
	register(cpu.Go, "Greater", compare(func(x, y float32) bool { return x > y }))
	register(cpu.Go, "GreaterEqual", compare(func(x, y float32) bool { return x >= y }))
	register(cpu.Go, "And", logic(func(x, y uint8) uint8 { return x & y }))
	register(cpu.Go, "Or", logic(func(x, y uint8) uint8 { return x | y }))
	register(cpu.Go, "Not", func(dst, a, _, _ unsafe.Pointer, n int, _ *Scalars) {
		d, x := bytes(dst, n), bytes(a, n)
		for i := range d {
			d[i] = x[i] ^ 1
		}
	})
}

func compare(f func(x, y float32) bool) Tile {
	return func(dst, a, b, _ unsafe.Pointer, n int, _ *Scalars) {
		d, x, y := bytes(dst, n), floats(a, n), floats(b, n)
		for i := range d {
			d[i] = 0
			if f(x[i], y[i]) {
				d[i] = 1
			}
		}
	}
}

func logic(f func(x, y uint8) uint8) Tile {
	return func(dst, a, b, _ unsafe.Pointer, n int, _ *Scalars) {
		d, x, y := bytes(dst, n), bytes(a, n), bytes(b, n)
		for i := range d {
			d[i] = f(x[i], y[i])
		}
	}
}
