package array

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Shape lists the dimensions, outermost first. The empty shape is that of a scalar.
type Shape []int

// Size is the number of elements: the product of the dimensions, 1 for a scalar.
func (s Shape) Size() int {
	n := 1
	for _, d := range s {
		n *= d
	}
	return n
}

// String writes a shape as "(32, 784)"; one dimension as "(10,)", none as "()".
func (s Shape) String() string {
	var b strings.Builder
	b.WriteByte('(')
	for i, d := range s {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(strconv.Itoa(d))
	}
	if len(s) == 1 {
		b.WriteByte(',')
	}
	b.WriteByte(')')
	return b.String()
}

// Equal reports whether two shapes have the same dimensions.
func (s Shape) Equal(t Shape) bool { return slices.Equal(s, t) }

// Clone copies the shape.
func (s Shape) Clone() Shape { return append(Shape{}, s...) }

// Strides are the distances, in elements, between neighbours along each axis of a row-major array.
func (s Shape) Strides() []int {
	st := make([]int, len(s))
	n := 1
	for i := len(s) - 1; i >= 0; i-- {
		st[i] = n
		n *= s[i]
	}
	return st
}

// CheckedSize is Size in bytes for elements of size bytes each, with an error for a negative dimension or a product
// that does not fit an int. Readers of untrusted files use it before they allocate.
func (s Shape) CheckedSize(elem int) (int, error) {
	n := elem
	for _, d := range s {
		if d < 0 {
			return 0, fmt.Errorf("array: shape %v has a negative dimension", s)
		}
		if d != 0 && n > math.MaxInt/d {
			return 0, fmt.Errorf("array: shape %v is too large", s)
		}
		n *= d
	}
	return n, nil
}

// Axis turns a possibly negative axis into one between 0 and rank-1.
func Axis(axis, rank int) (int, error) {
	a := axis
	if a < 0 {
		a += rank
	}
	if a < 0 || a >= rank {
		return 0, fmt.Errorf("axis %d is out of range for rank %d", axis, rank)
	}
	return a, nil
}
