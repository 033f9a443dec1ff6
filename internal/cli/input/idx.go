package input

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/kun-ml/kun/array"
)

// idx reads the format of MNIST's files: two zero bytes, the type, the number of axes, their sizes (32 bits each, most
// significant byte first), the values.
func (b *Batch) idx(raw []byte, spec Spec) error {
	if len(raw) < 4 {
		return errors.New("IDX: the header is cut off")
	}
	kind, rank := raw[2], int(raw[3])
	types := map[byte]array.DType{
		0x08: array.Uint8, 0x09: array.Int8, 0x0c: array.Int32, 0x0d: array.Float32, 0x0e: array.Float64,
	}
	t, ok := types[kind]
	if kind == 0x0b {
		return errors.New("IDX: 16-bit integers are not read; store bytes or 32-bit integers")
	}
	if !ok || rank > 8 {
		return fmt.Errorf("IDX: unknown type %#x with %d axes", kind, rank)
	}
	body := raw[4:]
	if len(body) < 4*rank {
		return errors.New("IDX: the header is cut off")
	}
	shape := make(array.Shape, rank)
	for i := range shape {
		d := binary.BigEndian.Uint32(body[4*i:])
		if d > math.MaxInt32 {
			return fmt.Errorf("IDX: axis %d of %d elements", i, d)
		}
		shape[i] = int(d)
	}
	body = body[4*rank:]
	n, err := shape.CheckedSize(t.Size())
	if err != nil {
		return fmt.Errorf("IDX: %w", err)
	}
	if n != len(body) {
		return fmt.Errorf("IDX: the header says %v of %v, %d bytes; the file holds %d", t, shape, n, len(body))
	}
	if rank == 1 && spec.Shape.Size() > 1 && shape[0] != spec.Shape.Size() {
		return fmt.Errorf("IDX: one number per sample: these are labels, not samples of shape %v", spec.Shape)
	}
	x := array.New(t, shape...)
	bigEndian(x, body)
	b.X, err = fit(x, spec.Shape)
	return err
}

// bigEndian fills x from values whose most significant byte comes first.
func bigEndian(x *array.Array, body []byte) {
	switch x.DType() {
	case array.Int32:
		for i := range array.Data[int32](x) {
			array.Data[int32](x)[i] = int32(binary.BigEndian.Uint32(body[4*i:]))
		}
	case array.Float32:
		for i := range array.Data[float32](x) {
			array.Data[float32](x)[i] = math.Float32frombits(binary.BigEndian.Uint32(body[4*i:]))
		}
	case array.Float64:
		for i := range array.Data[float64](x) {
			array.Data[float64](x)[i] = math.Float64frombits(binary.BigEndian.Uint64(body[8*i:]))
		}
	default:
		copy(x.Bytes(), body)
	}
}
