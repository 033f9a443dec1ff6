package kernel

import (
	"fmt"
	"math"
	"unsafe"

	"github.com/kun-ml/kun/internal/cpu"
)

// Type is the type of the elements of an array, for casts.
type Type uint8

// The types, with their sizes in bytes.
const (
	F32  Type = iota // 4
	F64              // 8
	BF16             // 2: bfloat16
	F16              // 2: IEEE binary16
	I8               // 1
	U8               // 1
	I32              // 4
	I64              // 8
	Bool             // 1: a byte, 0 or 1
	numTypes
)

// Size is the number of bytes of an element.
func (t Type) Size() int { return [numTypes]int{4, 8, 2, 2, 1, 1, 4, 8, 1}[t] }

// Cast converts n elements: dst[i] = src[i]. The memory must not overlap.
type Cast func(dst, src unsafe.Pointer, n int)

var casts [numTypes][numTypes][numLevels]Cast

// CastOf finds the conversion that runs at level, by the rules of array.Convert: to integers towards zero and saturated, NaN
// to 0; to narrower floats to nearest, ties to even; to Bool anything but zero is true. All levels give the same bits, but
// for which NaN a NaN becomes. It panics for a type that does not exist.
func CastOf(dst, src Type, level cpu.Level) Cast {
	if dst >= numTypes || src >= numTypes {
		panic(fmt.Sprintf("kernel: CastOf: no conversion from type %d to %d", src, dst))
	}
	row := &casts[dst][src]
	for _, l := range simpler(level) {
		if row[l] != nil {
			return row[l]
		}
	}
	return row[cpu.Go]
}

// registerCast adds the conversion of a level; bytes serve Bool as they serve U8.
func registerCast(level cpu.Level, dst, src Type, c Cast) {
	casts[dst][src][level] = c
	if src == U8 && dst != Bool {
		casts[dst][Bool][level] = c
	}
}

func init() {
	for dst := range numTypes {
		casts[dst][F32][cpu.Go] = castFrom[float32](dst)
		casts[dst][F64][cpu.Go] = castFrom[float64](dst)
		casts[dst][I8][cpu.Go] = castFrom[int8](dst)
		casts[dst][U8][cpu.Go] = castFrom[uint8](dst)
		casts[dst][I32][cpu.Go] = castFrom[int32](dst)
		casts[dst][I64][cpu.Go] = castFrom[int64](dst)
		casts[dst][Bool][cpu.Go] = castFrom[uint8](dst)
		casts[dst][BF16][cpu.Go] = castHalf(dst, fromBF16)
		casts[dst][F16][cpu.Go] = castHalf(dst, fromF16)
	}
	for t := range numTypes {
		size := t.Size()
		casts[t][t][cpu.Go] = func(dst, src unsafe.Pointer, n int) { copy(bytes(dst, n*size), bytes(src, n*size)) }
	}
}

type number interface {
	float32 | float64 | int8 | uint8 | int32 | int64
}

func slice[T any](p unsafe.Pointer, n int) []T { return unsafe.Slice((*T)(p), n) }

// castFrom gives the plain Go conversion of numbers.
func castFrom[S number](dst Type) Cast {
	switch dst {
	case F32:
		return func(dst, src unsafe.Pointer, n int) {
			d := floats(dst, n)
			for i, v := range slice[S](src, n) {
				d[i] = float32(v)
			}
		}
	case F64:
		return func(dst, src unsafe.Pointer, n int) {
			d := slice[float64](dst, n)
			for i, v := range slice[S](src, n) {
				d[i] = float64(v)
			}
		}
	case BF16:
		return narrow[S](toBF16)
	case F16:
		return narrow[S](toF16)
	case I8:
		return toInt[int8, S](math.MinInt8, math.MaxInt8)
	case U8:
		return toInt[uint8, S](0, math.MaxUint8)
	case I32:
		return toInt[int32, S](math.MinInt32, math.MaxInt32)
	case I64:
		return toInt[int64, S](math.MinInt64, math.MaxInt64)
	}
	return func(dst, src unsafe.Pointer, n int) {
		d := bytes(dst, n)
		for i, v := range slice[S](src, n) {
			d[i] = 0
			if v != 0 {
				d[i] = 1
			}
		}
	}
}

func narrow[S number](half func(float32) uint16) Cast {
	return func(dst, src unsafe.Pointer, n int) {
		d := slice[uint16](dst, n)
		for i, v := range slice[S](src, n) {
			d[i] = half(float32(v))
		}
	}
}

func toInt[D int8 | uint8 | int32 | int64, S number](lo, hi int64) Cast {
	return func(dst, src unsafe.Pointer, n int) {
		d := slice[D](dst, n)
		for i, v := range slice[S](src, n) {
			d[i] = D(saturate(v, lo, hi))
		}
	}
}

// saturate is the integer towards zero, in [lo, hi].
func saturate[S number](v S, lo, hi int64) int64 {
	var z S
	if _, isFloat := any(z).(float32); !isFloat {
		if _, isFloat = any(z).(float64); !isFloat {
			return min(max(int64(v), lo), hi)
		}
	}
	f := float64(v)
	switch {
	case f != f:
		return 0
	case f <= float64(lo):
		return lo
	case f >= float64(hi):
		return hi
	}
	return int64(f)
}

// castHalf converts 16-bit floats by way of float32.
func castHalf(dst Type, wide func(uint16) float32) Cast {
	switch dst {
	case F32:
		return halfTo(wide, func(f float32) float32 { return f })
	case F64:
		return halfTo(wide, func(f float32) float64 { return float64(f) })
	case BF16:
		return halfTo(wide, toBF16)
	case F16:
		return halfTo(wide, toF16)
	case I8:
		return halfTo(wide, func(f float32) int8 { return int8(saturate(f, math.MinInt8, math.MaxInt8)) })
	case U8:
		return halfTo(wide, func(f float32) uint8 { return uint8(saturate(f, 0, math.MaxUint8)) })
	case I32:
		return halfTo(wide, func(f float32) int32 { return int32(saturate(f, math.MinInt32, math.MaxInt32)) })
	case I64:
		return halfTo(wide, func(f float32) int64 { return saturate(f, math.MinInt64, math.MaxInt64) })
	}
	return halfTo(wide, func(f float32) bool { return f != 0 })
}

func halfTo[D any](wide func(uint16) float32, to func(float32) D) Cast {
	return func(dst, src unsafe.Pointer, n int) {
		d := slice[D](dst, n)
		for i, v := range slice[uint16](src, n) {
			d[i] = to(wide(v))
		}
	}
}
