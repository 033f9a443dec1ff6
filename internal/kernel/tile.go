package kernel

import (
	"fmt"
	"slices"
	"unsafe"

	"github.com/kun-ml/kun/internal/cpu"
)

// Scalars are the scalar operands of a tile; each op says which it reads.
type Scalars [4]float32

// Tile computes n elements of an elementwise op: dst[i] = op(a[i], b[i], c[i]). Operands that the op does not have are nil.
// dst may equal an operand of the same element size exactly (in place); otherwise the memory must not overlap. n may be 0.
// s may be nil for an op that reads no scalar.
type Tile func(dst, a, b, c unsafe.Pointer, n int, s *Scalars)

// numLevels is the size of a table indexed by cpu.Level.
const numLevels = int(cpu.AVX512) + 1

var tiles = map[string]*[numLevels]Tile{}

// register adds the tile of an op at a level. Each file registers what it defines, in init.
func register(level cpu.Level, op string, t Tile) {
	row := tiles[op]
	if row == nil {
		row = new([numLevels]Tile)
		tiles[op] = row
	}
	if row[level] != nil {
		panic(fmt.Sprintf("kernel: two tiles for %s at level %v", op, level))
	}
	row[level] = t
}

// TileOf finds the tile of an op, by its name in package tensor, that runs at level: the level's own or else that of the
// nearest simpler level. It is nil if there is no such op.
//
//	operands float32, result float32
//	  a        Neg Abs Sign Exp Expm1 Log Log1p Sqrt Rsqrt Square Reciprocal Sin Cos Tanh Erf Sigmoid Relu Floor Round
//	  a, b     Add Sub Mul Div Maximum Minimum Pow ReluGrad (a = dy; dy where b > 0, else 0)
//	  a, s[0]  AddScalar Scale PowScalar MaximumScalar MinimumScalar
//	  other    Where (a bytes; b where a is not 0, else c), MaskScale (b bytes; a*s[0] where b is not 0, else 0)
//	operands float32, result bytes 0 or 1
//	  a, b     Equal NotEqual Less LessEqual Greater GreaterEqual
//	operands and result bytes
//	  a, b     And Or;  a  Not    (operands are 0 or 1)
//
// Maximum, Minimum and Relu give NaN where an operand is NaN, as NumPy; +0 counts as greater than -0. Comparisons
// follow IEEE 754. Round takes halves to even. Rsqrt is 1/sqrt(x) in two rounded operations.
// Errors are at most 2.5 units in the last place over the whole range; results too small for a normal number are not flushed.
func TileOf(op string, level cpu.Level) Tile {
	row := tiles[op]
	if row == nil {
		return nil
	}
	for _, l := range simpler(level) {
		if row[l] != nil {
			return row[l]
		}
	}
	return nil
}

// TileNames lists the ops that have a tile, sorted.
func TileNames() []string {
	names := make([]string, 0, len(tiles))
	for op := range tiles {
		names = append(names, op)
	}
	slices.Sort(names)
	return names
}

// simpler lists the levels whose kernels run at level, best first.
func simpler(level cpu.Level) []cpu.Level {
	switch level {
	case cpu.AVX512:
		return []cpu.Level{cpu.AVX512, cpu.AVX2, cpu.Go}
	case cpu.AVX2, cpu.NEON:
		return []cpu.Level{level, cpu.Go}
	}
	return []cpu.Level{cpu.Go}
}

func floats(p unsafe.Pointer, n int) []float32 { return unsafe.Slice((*float32)(p), n) }

func bytes(p unsafe.Pointer, n int) []uint8 { return unsafe.Slice((*uint8)(p), n) }

// unary makes a tile of a function of one float32.
func unary(f func(x float32) float32) Tile {
	return func(dst, a, _, _ unsafe.Pointer, n int, _ *Scalars) {
		d, x := floats(dst, n), floats(a, n)
		for i := range d {
			d[i] = f(x[i])
		}
	}
}

// wide makes a tile of a function of float64, rounded once.
func wide(f func(x float64) float64) Tile {
	return unary(func(x float32) float32 { return float32(f(float64(x))) })
}

// binary makes a tile of a function of two float32.
func binary(f func(x, y float32) float32) Tile {
	return func(dst, a, b, _ unsafe.Pointer, n int, _ *Scalars) {
		d, x, y := floats(dst, n), floats(a, n), floats(b, n)
		for i := range d {
			d[i] = f(x[i], y[i])
		}
	}
}

// scalar makes a tile of a function of an element and s[0].
func scalar(f func(x, s float32) float32) Tile {
	return func(dst, a, _, _ unsafe.Pointer, n int, s *Scalars) {
		d, x := floats(dst, n), floats(a, n)
		for i := range d {
			d[i] = f(x[i], s[0])
		}
	}
}
