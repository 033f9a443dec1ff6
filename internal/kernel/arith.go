package kernel

import (
	"math"
	"unsafe"

	"github.com/kun-ml/kun/internal/cpu"
)

// Arithmetic that rounds once per operation, so every level gives the same bits.
func init() {
	register(cpu.Go, "Neg", unary(func(x float32) float32 { return -x }))
	register(cpu.Go, "Abs", wide(math.Abs))
	register(cpu.Go, "Sign", unary(sign))
	register(cpu.Go, "Square", unary(func(x float32) float32 { return x * x }))
	register(cpu.Go, "Reciprocal", unary(func(x float32) float32 { return 1 / x }))
	register(cpu.Go, "Sqrt", unary(sqrt32))
	register(cpu.Go, "Rsqrt", unary(func(x float32) float32 { return 1 / sqrt32(x) }))
	register(cpu.Go, "Floor", wide(math.Floor))
	register(cpu.Go, "Round", wide(math.RoundToEven))
	register(cpu.Go, "Add", addGo)
	register(cpu.Go, "Sub", binary(func(x, y float32) float32 { return x - y }))
	register(cpu.Go, "Mul", mulGo)
	register(cpu.Go, "Div", binary(func(x, y float32) float32 { return x / y }))
	register(cpu.Go, "AddScalar", scalar(func(x, s float32) float32 { return x + s }))
	register(cpu.Go, "Scale", scalar(func(x, s float32) float32 { return x * s }))
}

func addGo(dst, a, b, _ unsafe.Pointer, n int, _ *Scalars) {
	d, x, y := floats(dst, n), floats(a, n), floats(b, n)
	for i := range d {
		d[i] = x[i] + y[i]
	}
}

func mulGo(dst, a, b, _ unsafe.Pointer, n int, _ *Scalars) {
	d, x, y := floats(dst, n), floats(a, n), floats(b, n)
	for i := range d {
		d[i] = x[i] * y[i]
	}
}

// sqrt32 is correctly rounded: float64 has more than twice the digits of float32.
func sqrt32(x float32) float32 { return float32(math.Sqrt(float64(x))) }

// sign is -1, 0 or 1, and NaN for NaN.
func sign(x float32) float32 {
	switch {
	case x > 0:
		return 1
	case x < 0:
		return -1
	case x == 0:
		return 0
	}
	return x
}
