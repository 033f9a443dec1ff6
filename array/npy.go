package array

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// npyMagic begins every npy file.
const npyMagic = "\x93NUMPY"

// npyHeader is the longest header that is read, in bytes; NumPy itself stops at 10,000.
const npyHeader = 1 << 16

// npyType says how a type of NumPy's is read: as stored, or as stored and then converted to a wider type.
type npyType struct {
	code  string // without the byte order
	size  int    // in the file
	dtype DType
}

// npyTypes lists what is read. 16-bit and unsigned 32- and 64-bit integers become the next type that holds them; V2 is
// what ml_dtypes writes for bfloat16. The first of a DType is the one that is written.
var npyTypes = []npyType{
	{"f4", 4, Float32}, {"f8", 8, Float64}, {"V2", 2, BFloat16}, {"f2", 2, Float16}, {"i1", 1, Int8}, {"u1", 1, Uint8},
	{"i4", 4, Int32}, {"i8", 8, Int64}, {"b1", 1, Bool}, {"i2", 2, Int32}, {"u2", 2, Int32}, {"u4", 4, Int64}, {"u8", 8, Int64},
}

// ReadNPY reads one array in NumPy's format, version 1 to 3, and leaves r behind its last byte. Either byte order is
// read; an array in Fortran order is transposed to row-major. int16 and uint16 become int32; uint32 becomes int64, and
// uint64 too, a value that does not fit being an error. Errors name what is wrong: no npy file, a type that is not read
// (text, objects, records, complex), a header that makes no sense, data that end too early. Memory is allocated only as
// far as data arrive (ReadRaw).
func ReadNPY(r io.Reader) (*Array, error) {
	h, err := readNPYHeader(r)
	if err != nil {
		return nil, fmt.Errorf("array: npy: %w", err)
	}
	shape := h.shape
	if h.fortran {
		shape = reversed(shape)
	}
	a, err := h.read(r, shape)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, fmt.Errorf("array: npy: the header says %s of %v; the data end too early: %w", h.descr, h.shape, err)
	}
	if err != nil {
		return nil, fmt.Errorf("array: npy: %w", err)
	}
	if h.fortran {
		a = a.transposed()
	}
	return a, nil
}

// read reads the values.
func (h *npyHead) read(r io.Reader, shape Shape) (*Array, error) {
	t := h.kind
	if t.size == t.dtype.Size() && t.code != "u8" {
		return ReadRaw(r, h.order, 0, t.dtype, shape...)
	}
	if _, err := shape.CheckedSize(t.dtype.Size()); err != nil {
		return nil, err
	}
	stored := map[int]DType{2: Float16, 4: Int32, 8: Int64} // any type of that size
	raw, err := ReadRaw(r, h.order, 0, stored[t.size], shape...)
	if err != nil {
		return nil, err
	}
	a := New(t.dtype, shape...)
	switch t.code {
	case "i2":
		for i := range Data[int32](a) {
			Data[int32](a)[i] = int32(int16(binary.NativeEndian.Uint16(raw.buf[2*i:])))
		}
	case "u2":
		for i := range Data[int32](a) {
			Data[int32](a)[i] = int32(binary.NativeEndian.Uint16(raw.buf[2*i:]))
		}
	case "u4":
		for i := range Data[int64](a) {
			Data[int64](a)[i] = int64(binary.NativeEndian.Uint32(raw.buf[4*i:]))
		}
	case "u8":
		for i, v := range Data[int64](raw) {
			if v < 0 {
				return nil, fmt.Errorf("element %d is %d, more than an int64 holds", i, uint64(v))
			}
		}
		return raw, nil
	}
	return a, nil
}

func reversed(s Shape) Shape {
	t := make(Shape, len(s))
	for i, d := range s {
		t[len(s)-1-i] = d
	}
	return t
}

// transposed is a copy with the axes in reverse order.
func (a *Array) transposed() *Array {
	if len(a.shape) < 2 || len(a.buf) == 0 {
		return a.Reshape(reversed(a.shape)...)
	}
	b := New(a.dtype, reversed(a.shape)...)
	w := a.dtype.Size()
	step := make([]int, len(a.shape)) // in a, along each axis of b
	for i, s := range a.shape.Strides() {
		step[len(step)-1-i] = s * w
	}
	at, from := make([]int, len(step)), 0
	for to := 0; to < len(b.buf); to += w {
		copy(b.buf[to:to+w], a.buf[from:from+w])
		for i := len(step) - 1; i >= 0; i-- {
			at[i]++
			from += step[i]
			if at[i] < b.shape[i] {
				break
			}
			from -= at[i] * step[i]
			at[i] = 0
		}
	}
	return b
}

// WriteNPY writes a in NumPy's format, version 1, little-endian. bfloat16 is written as V2, two bytes without a meaning
// to NumPy alone; ml_dtypes reads them by view("bfloat16").
func WriteNPY(w io.Writer, a *Array) error {
	var t npyType
	for _, t = range npyTypes {
		if t.dtype == a.dtype {
			break
		}
	}
	order := "<"
	if t.size == 1 {
		order = "|"
	}
	tuple := a.shape.String()
	if _, err := w.Write(npyHeaderOf(order+t.code, tuple)); err != nil {
		return fmt.Errorf("array: npy: %w", err)
	}
	if err := WriteRaw(w, binary.LittleEndian, a); err != nil {
		return fmt.Errorf("array: npy: %w", err)
	}
	return nil
}

// npyHeaderOf is a header whose length is a multiple of 64, so that the data may be mapped.
func npyHeaderOf(descr, tuple string) []byte {
	dict := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': %s, }", descr, tuple)
	n := (len(npyMagic) + 4 + len(dict) + 1 + 63) / 64 * 64
	b := make([]byte, 0, n)
	b = append(b, npyMagic...)
	b = append(b, 1, 0)
	b = binary.LittleEndian.AppendUint16(b, uint16(n-10))
	b = append(b, dict...)
	for len(b) < n-1 {
		b = append(b, ' ')
	}
	return append(b, '\n')
}
