package data

import (
	"context"
	"fmt"
	"iter"
	"strings"

	"github.com/kun-ml/kun/array"
)

// Chunks reads one field from first to last, in pieces of size samples; 0 means about a megabyte. A piece is valid until
// the next one and must not be written to: of a Set it is a view. The sequence ends with an error when a sample cannot be
// read, ctx is done or there is no such field.
func Chunks(ctx context.Context, src Source, field string, size int) iter.Seq2[*array.Array, error] {
	return func(yield func(*array.Array, error) bool) {
		fields := src.Fields()
		at := fieldNamed(fields, field)
		if at < 0 {
			yield(nil, noField(fields, field))
			return
		}
		f := fields[at]
		if size <= 0 {
			size = max(1, 1<<20/max(1, f.Shape.Size()*f.DType.Size()))
		}
		read := reader(src, at, f, min(size, src.Len()))
		for from := 0; from < src.Len(); from += size {
			err := ctx.Err()
			var a *array.Array
			if err == nil {
				a, err = read(from, min(from+size, src.Len()))
			}
			if !yield(a, err) || err != nil {
				return
			}
		}
	}
}

// reader gives runs of rows of one field.
func reader(src Source, at int, f Field, size int) func(from, to int) (*array.Array, error) {
	if s, ok := src.(*Set); ok {
		return func(from, to int) (*array.Array, error) { return s.columns[at].Rows(from, to), nil }
	}
	room := array.New(f.DType, append(array.Shape{size}, f.Shape...)...)
	rows := make([]int, size)
	dst := make([]*array.Array, len(src.Fields())) // nil: not wanted
	return func(from, to int) (*array.Array, error) {
		rows := rows[:to-from]
		for i := range rows {
			rows[i] = from + i
		}
		dst[at] = room.Rows(0, len(rows))
		return dst[at], src.Gather(dst, rows)
	}
}

func noField(fields []Field, name string) error {
	var known []string
	for _, f := range fields {
		known = append(known, f.Name)
	}
	return fmt.Errorf("data: no field %q; there are %s", name, strings.Join(known, ", "))
}

// isLabel reports whether a field holds one class number per sample.
func isLabel(f Field) bool { return (f.DType.IsInt() || f.DType == array.Bool) && f.Shape.Size() == 1 }

// labels reads the class numbers of all samples.
func labels(ctx context.Context, src Source, field string) ([]int64, error) {
	out := make([]int64, 0, src.Len())
	for a, err := range Chunks(ctx, src, field, 1<<14) {
		if err != nil {
			return nil, err
		}
		out = append(out, array.Data[int64](a.To(array.Int64))...)
	}
	return out, nil
}
