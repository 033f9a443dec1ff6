package data

import (
	"fmt"
	"slices"

	"github.com/kun-ml/kun/array"
)

// Conventional names of fields: what a model is given, what it shall answer, and how much a sample counts.
const (
	X      = "x"
	Y      = "y"
	Weight = "weight"
)

// Field describes one part of a sample.
type Field struct {
	Name  string
	DType array.DType
	Shape array.Shape // of one sample, without the batch: (28, 28) for an image, () for a label
}

// String is such as "x uint8(28, 28)".
func (f Field) String() string { return fmt.Sprintf("%s %v%v", f.Name, f.DType, f.Shape) }

// Source has samples by position. Gather must be safe for concurrent use.
type Source interface {
	// Len is the number of samples.
	Len() int
	// Fields describes the parts of a sample; it gives the same list at every call.
	Fields() []Field
	// Gather writes sample rows[i] to row i of dst[f], for every field f. dst[f] has the field's type and the shape
	// (n, Shape...) with n of at least len(rows); a nil dst[f] leaves the field out. A row out of range is an error.
	Gather(dst []*array.Array, rows []int) error
}

// fieldNamed is the position of a field, -1 when there is none of that name.
func fieldNamed(fields []Field, name string) int {
	return slices.IndexFunc(fields, func(f Field) bool { return f.Name == name })
}

// FieldOf finds a field of a source by its name.
func FieldOf(src Source, name string) (Field, bool) {
	fields := src.Fields()
	if i := fieldNamed(fields, name); i >= 0 {
		return fields[i], true
	}
	return Field{}, false
}

// checkFields refuses descriptions that no array can be made from.
func checkFields(fields []Field) error {
	if len(fields) == 0 {
		return fmt.Errorf("data: the source has no fields")
	}
	for i, f := range fields {
		if f.Name == "" {
			return fmt.Errorf("data: field %d has no name", i)
		}
		if fieldNamed(fields[:i], f.Name) >= 0 {
			return fmt.Errorf("data: two fields are named %q", f.Name)
		}
		if !f.DType.Valid() {
			return fmt.Errorf("data: field %q has no valid element type (%v)", f.Name, f.DType)
		}
		if _, err := f.Shape.CheckedSize(f.DType.Size()); err != nil {
			return fmt.Errorf("data: field %q: %w", f.Name, err)
		}
	}
	return nil
}

// ClassesOf gives the names of the classes of y, nil when the source knows none. It looks through Subset, Head and
// Split. A source of your own takes part with a method ClassNames() []string, or with Unwrap() Source to hand on.
func ClassesOf(src Source) []string {
	for {
		switch s := src.(type) {
		case interface{ ClassNames() []string }:
			return s.ClassNames()
		case interface{ Unwrap() Source }:
			src = s.Unwrap()
		default:
			return nil
		}
	}
}
