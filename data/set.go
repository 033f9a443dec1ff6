package data

import (
	"fmt"

	"github.com/kun-ml/kun/array"
	"github.com/kun-ml/kun/internal/par"
)

// Set is a Source in memory: columns of equal length. The zero value is an empty set without columns.
// Its columns must not be written to while others read.
type Set struct {
	Name    string   // what it is, for people; may be empty
	Classes []string // names of the classes of y, in the order of their codes; may be nil

	n       int
	fields  []Field
	columns []*array.Array // column f has the shape (n, fields[f].Shape...)
}

// Named is a column with its name.
type Named struct {
	Name  string
	Array *array.Array // (samples, ...)
}

// NewSet makes a set of columns; it keeps the arrays, without copying them. Columns of different lengths, none at all,
// a doubled name and a scalar are errors. A set may be empty; NewBatches then refuses it.
func NewSet(columns ...Named) (*Set, error) {
	s := &Set{}
	for _, c := range columns {
		switch {
		case c.Array == nil:
			return nil, fmt.Errorf("data: column %q: no array", c.Name)
		case c.Array.Rank() == 0:
			return nil, fmt.Errorf("data: column %q is a single number; a column has the shape (samples, ...)", c.Name)
		case len(s.columns) > 0 && c.Array.Dim(0) != s.n:
			return nil, fmt.Errorf("data: column %q has %d rows, column %q has %d", c.Name, c.Array.Dim(0), s.fields[0].Name, s.n)
		}
		s.n = c.Array.Dim(0)
		s.fields = append(s.fields, Field{c.Name, c.Array.DType(), c.Array.Shape()[1:].Clone()})
		s.columns = append(s.columns, c.Array)
	}
	if err := checkFields(s.fields); err != nil {
		return nil, err
	}
	return s, nil
}

// FromArrays makes a set of x (samples, ...) and y (samples, ...). y may be nil: data to predict on.
func FromArrays(x, y *array.Array) (*Set, error) {
	if y == nil {
		return NewSet(Named{X, x})
	}
	return NewSet(Named{X, x}, Named{Y, y})
}

// FromSlices makes a set of rows of numbers x and their answers y, copying both. All rows must be equally long.
func FromSlices[A, B array.Element](x [][]A, y []B) (*Set, error) {
	a, err := Matrix(x)
	if err != nil {
		return nil, err
	}
	return FromArrays(a, array.From(y).Clone())
}

// Matrix copies rows of equal length to one array (rows, columns). A row of another length is an error that names it.
func Matrix[T array.Element](rows [][]T) (*array.Array, error) {
	w := 0
	if len(rows) > 0 {
		w = len(rows[0])
	}
	a := array.New(array.TypeOf[T](), len(rows), w)
	d := array.Data[T](a)
	for i, r := range rows {
		if len(r) != w {
			return nil, fmt.Errorf("data: row %d has %d values, row 0 has %d", i, len(r), w)
		}
		copy(d[i*w:], r)
	}
	return a, nil
}

// With is the set with one more column, or with another column of that name. The other columns are shared.
func (s *Set) With(name string, a *array.Array) (*Set, error) {
	var columns []Named
	for i, f := range s.fields {
		if f.Name != name {
			columns = append(columns, Named{f.Name, s.columns[i]})
		}
	}
	t, err := NewSet(append(columns, Named{name, a})...)
	if err != nil {
		return nil, err
	}
	t.Name, t.Classes = s.Name, s.Classes
	return t, nil
}

// Len is the number of samples.
func (s *Set) Len() int { return s.n }

// Fields describes the columns.
func (s *Set) Fields() []Field { return s.fields }

// ClassNames is Classes, for ClassesOf.
func (s *Set) ClassNames() []string { return s.Classes }

// Array is a whole column (samples, ...), not a copy; nil when there is none of that name.
func (s *Set) Array(name string) *array.Array {
	if i := fieldNamed(s.fields, name); i >= 0 {
		return s.columns[i]
	}
	return nil
}

// Gather copies rows, as Source describes. It allocates nothing.
func (s *Set) Gather(dst []*array.Array, rows []int) error {
	if len(dst) != len(s.columns) {
		return fmt.Errorf("data: Gather: %d arrays for %d fields", len(dst), len(s.columns))
	}
	for _, r := range rows {
		if uint(r) >= uint(s.n) {
			return fmt.Errorf("data: Gather: row %d of a set of %d samples", r, s.n)
		}
	}
	for f, d := range dst {
		if d == nil {
			continue
		}
		c := s.columns[f]
		w := s.fields[f].Shape.Size() * c.DType().Size()
		if d.DType() != c.DType() || len(d.Bytes()) < w*len(rows) {
			return fmt.Errorf("data: Gather: field %q: %v%v cannot take %d samples of %v%v",
				s.fields[f].Name, d.DType(), d.Shape(), len(rows), c.DType(), s.fields[f].Shape)
		}
		copyRows(d.Bytes(), c.Bytes(), w, rows)
	}
	return nil
}

// long reports whether batches of n rows are worth the work of several cores.
func (s *Set) long(n int) bool {
	for f, c := range s.columns {
		if w := s.fields[f].Shape.Size() * c.DType().Size(); w >= 256 && w*n >= 8<<10 {
			return true
		}
	}
	return false
}

// gatherPart is a piece of Gather for rows that are known to be there: the first piece copies the short fields, each its part of
// every long row. It also asks the processor for its part of the rows that come next, which in a shuffled epoch nobody else
// could know.
func (s *Set) gatherPart(dst []*array.Array, rows, next []int, piece, pieces int) {
	for f, c := range s.columns {
		w := s.fields[f].Shape.Size() * c.DType().Size()
		src, d := c.Bytes(), dst[f].Bytes()
		if w < 256 {
			if piece == 0 {
				copyRows(d, src, w, rows)
			}
			continue
		}
		from, to := w*piece/pieces, w*(piece+1)/pieces
		for i, r := range rows {
			copy(d[i*w+from:i*w+to], src[r*w+from:r*w+to])
		}
		if w*len(next) > 256<<10 {
			continue
		}
		for _, r := range next {
			par.Prefetch(src[r*w+from : r*w+to])
		}
	}
}

// copyRows copies rows of w bytes.
func copyRows(dst, src []byte, w int, rows []int) {
	switch w {
	case 0:
	case 1:
		dst = dst[:len(rows)]
		for i, r := range rows {
			dst[i] = src[r]
		}
	case 4:
		for i, r := range rows {
			*(*[4]byte)(dst[i*4:]) = *(*[4]byte)(src[r*4:])
		}
	case 8:
		for i, r := range rows {
			*(*[8]byte)(dst[i*8:]) = *(*[8]byte)(src[r*8:])
		}
	default:
		for i, r := range rows {
			copy(dst[i*w:i*w+w], src[r*w:r*w+w])
		}
	}
}
