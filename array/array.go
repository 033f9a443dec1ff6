package array

import (
	"fmt"
	"strings"
	"unsafe"
)

// Element is a Go type that can be stored in an Array.
type Element interface {
	float32 | float64 | BF16 | F16 | int8 | uint8 | int32 | int64 | bool
}

// TypeOf is the DType of a Go element type.
func TypeOf[T Element]() DType {
	var z T
	switch any(z).(type) {
	case float32:
		return Float32
	case float64:
		return Float64
	case BF16:
		return BFloat16
	case F16:
		return Float16
	case int8:
		return Int8
	case uint8:
		return Uint8
	case int32:
		return Int32
	case int64:
		return Int64
	}
	return Bool
}

// Array is a row-major, contiguous block of elements of one type. Several Arrays may share memory (Rows, Reshape, From).
// Reading from several goroutines is safe; writing is the caller's to order.
type Array struct {
	dtype DType
	shape Shape
	buf   []byte
}

// align is the alignment of fresh memory in bytes: a cache line and an AVX-512 vector.
const align = 64

// New makes an array of zeros, its memory aligned to 64 bytes. It panics when a dimension is negative, the type is not
// valid or the size does not fit; readers of untrusted data check with Shape.CheckedSize first.
func New(d DType, dims ...int) *Array {
	if !d.Valid() {
		panic(fmt.Sprintf("array: New: %v is not an element type", d))
	}
	s := Shape(dims).Clone()
	n, err := s.CheckedSize(d.Size())
	if err != nil {
		panic(err.Error())
	}
	return &Array{d, s, alignedBytes(n)}
}

func alignedBytes(n int) []byte {
	b := make([]byte, n+align-1)
	off := int(-uintptr(unsafe.Pointer(unsafe.SliceData(b))) & (align - 1))
	return b[off : off+n : off+n]
}

// From gives data the shape dims; without dims the shape is (len(data),). The array shares the slice's memory.
// It panics when the shape does not hold len(data) elements.
func From[T Element](data []T, dims ...int) *Array {
	s := Shape(dims).Clone()
	if len(dims) == 0 {
		s = Shape{len(data)}
	}
	if s.Size() != len(data) {
		panic(fmt.Sprintf("array: From: shape %v does not hold %d elements", s, len(data)))
	}
	d := TypeOf[T]()
	return &Array{d, s, unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(data))), len(data)*d.Size())}
}

// Scalar is an array of shape () holding v.
func Scalar[T Element](v T) *Array {
	a := New(TypeOf[T]())
	Data[T](a)[0] = v
	return a
}

// Data is the memory of a as a slice; writing to it writes to a. It panics when T is not a's element type.
func Data[T Element](a *Array) []T {
	if d := TypeOf[T](); d != a.dtype {
		panic(fmt.Sprintf("array: Data[%v] of an array of %v", d, a.dtype))
	}
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(a.buf))), a.Len())
}

// DType is the element type.
func (a *Array) DType() DType { return a.dtype }

// Shape is the shape; do not write to it.
func (a *Array) Shape() Shape { return a.shape }

// Rank is the number of axes.
func (a *Array) Rank() int { return len(a.shape) }

// Dim is the size of an axis; a negative axis counts from the end.
func (a *Array) Dim(axis int) int {
	if axis < 0 {
		axis += len(a.shape)
	}
	return a.shape[axis]
}

// Len is the number of elements.
func (a *Array) Len() int { return len(a.buf) / a.dtype.Size() }

// Bytes is the memory itself, in the machine's byte order.
func (a *Array) Bytes() []byte { return a.buf }

// Rows is the view of rows from..to-1 along the first axis.
func (a *Array) Rows(from, to int) *Array {
	if len(a.shape) == 0 || from < 0 || to < from || to > a.shape[0] {
		panic(fmt.Sprintf("array: Rows(%d, %d) of shape %v", from, to, a.shape))
	}
	s := a.shape.Clone()
	s[0] = to - from
	w := s[1:].Size() * a.dtype.Size()
	return &Array{a.dtype, s, a.buf[from*w : to*w : to*w]}
}

// Reshape is a view with another shape of the same size; one dimension may be -1 and follows from the others.
func (a *Array) Reshape(dims ...int) *Array {
	s := Shape(dims).Clone()
	free, n := -1, 1
	for i, d := range s {
		if d == -1 && free < 0 {
			free = i
			continue
		}
		n *= d
	}
	if free >= 0 && n > 0 {
		s[free] = a.Len() / n
		n *= s[free]
	}
	if n != a.Len() {
		panic(fmt.Sprintf("array: cannot give shape %v the shape %v", a.shape, Shape(dims)))
	}
	return &Array{a.dtype, s, a.buf}
}

// Clone is a copy with memory of its own.
func (a *Array) Clone() *Array {
	b := New(a.dtype, a.shape...)
	copy(b.buf, a.buf)
	return b
}

// CopyFrom copies the elements of b, which must have the same type and number of elements.
func (a *Array) CopyFrom(b *Array) {
	if a.dtype != b.dtype || len(a.buf) != len(b.buf) {
		panic(fmt.Sprintf("array: CopyFrom: %v %v and %v %v differ", a.dtype, a.shape, b.dtype, b.shape))
	}
	copy(a.buf, b.buf)
}

// String is a short description: type and shape, and the elements when there are at most eight.
func (a *Array) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%v%v", a.dtype, a.shape)
	if n := a.Len(); n <= 8 {
		b.WriteString(fmt.Sprint(a.Float64s()))
	}
	return b.String()
}
