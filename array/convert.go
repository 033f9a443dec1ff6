package array

import (
	"fmt"
	"math"
)

// To is a copy of a converted to another type. Floats to integers truncate towards zero and saturate, NaN becomes 0
// (so the same on every processor); anything but zero becomes true; halves round to nearest even.
func (a *Array) To(d DType) *Array {
	b := New(d, a.shape...)
	Convert(b, a)
	return b
}

// Convert writes the elements of src, converted, to dst, which must hold as many elements. See Array.To for the rules.
func Convert(dst, src *Array) {
	if dst.Len() != src.Len() {
		panic(fmt.Sprintf("array: Convert: shapes %v and %v differ in size", dst.shape, src.shape))
	}
	if dst.dtype == src.dtype {
		copy(dst.buf, src.buf)
		return
	}
	switch src.dtype {
	case Float32:
		convertFrom(dst, Data[float32](src))
	case Float64:
		convertFrom(dst, Data[float64](src))
	case Int8:
		convertFrom(dst, Data[int8](src))
	case Uint8, Bool:
		convertFrom(dst, src.buf)
	case Int32:
		convertFrom(dst, Data[int32](src))
	case Int64:
		convertFrom(dst, Data[int64](src))
	case BFloat16:
		widen(dst, Data[BF16](src))
	case Float16:
		widen(dst, Data[F16](src))
	}
}

func widen[H interface{ Float32() float32 }](dst *Array, src []H) {
	if dst.dtype == Float32 {
		d := Data[float32](dst)
		for i, v := range src {
			d[i] = v.Float32()
		}
		return
	}
	tmp := make([]float32, min(len(src), 4096))
	for i := 0; i < len(src); i += len(tmp) {
		n := min(len(tmp), len(src)-i)
		for j, v := range src[i : i+n] {
			tmp[j] = v.Float32()
		}
		convertFrom(dst.run(i, i+n), tmp[:n])
	}
}

// run is the view of elements from..to-1 as one axis.
func (a *Array) run(from, to int) *Array {
	w := a.dtype.Size()
	return &Array{a.dtype, Shape{to - from}, a.buf[from*w : to*w]}
}

type number interface {
	float32 | float64 | int8 | uint8 | int32 | int64
}

func convertFrom[S number](dst *Array, src []S) {
	switch dst.dtype {
	case Float32:
		d := Data[float32](dst)
		for i, v := range src {
			d[i] = float32(v)
		}
	case Float64:
		d := Data[float64](dst)
		for i, v := range src {
			d[i] = float64(v)
		}
	case BFloat16:
		d := Data[BF16](dst)
		for i, v := range src {
			d[i] = ToBF16(float32(v))
		}
	case Float16:
		d := Data[F16](dst)
		for i, v := range src {
			d[i] = ToF16(float32(v))
		}
	case Int8:
		toInt(Data[int8](dst), src, math.MinInt8, math.MaxInt8)
	case Uint8:
		toInt(dst.buf, src, 0, math.MaxUint8)
	case Int32:
		toInt(Data[int32](dst), src, math.MinInt32, math.MaxInt32)
	case Int64:
		toInt(Data[int64](dst), src, math.MinInt64, math.MaxInt64)
	case Bool:
		for i, v := range src {
			dst.buf[i] = 0
			if v != 0 {
				dst.buf[i] = 1
			}
		}
	}
}

func toInt[D int8 | uint8 | int32 | int64, S number](dst []D, src []S, lo, hi int64) {
	var z S
	switch any(z).(type) {
	case float32, float64:
		for i, v := range src {
			f := float64(v)
			switch {
			case f != f:
				dst[i] = 0
			case f <= float64(lo):
				dst[i] = D(lo)
			case f >= float64(hi):
				dst[i] = D(hi)
			default:
				dst[i] = D(int64(f))
			}
		}
	default:
		for i, v := range src {
			dst[i] = D(min(max(int64(v), lo), hi))
		}
	}
}

// Float64s is a copy of the elements as float64.
func (a *Array) Float64s() []float64 {
	out := make([]float64, a.Len())
	Convert(From(out), a.run(0, a.Len()))
	return out
}

// SetFloat64s writes v, converted, to a; the lengths must agree.
func (a *Array) SetFloat64s(v []float64) { Convert(a, From(v)) }
