package cpu

import (
	"unsafe"

	"github.com/kun-ml/kun/internal/kernel"
	"github.com/kun-ml/kun/tensor"
)

// Tile gives an elementwise operation of another module, of one operand, a fast float32 loop: f writes f(x[i]) to dst[i] and
// must give the same bits wherever the array is cut. dst and x may be the same memory. Without a tile such an operation
// runs by its scalar reference. Call it from an init function; it panics for an operation that is not elementwise or
// has a tile already.
func Tile(op *tensor.Op, f func(dst, x []float32)) {
	if op.Class != tensor.Elementwise || hasTile(op.Name) {
		panic("cpu: Tile: " + op.Name + " is not elementwise or has a tile already")
	}
	outside[op.Name] = func(dst, a, _, _ unsafe.Pointer, n int, _ *kernel.Scalars) { f(f32(dst, n), f32(a, n)) }
}
