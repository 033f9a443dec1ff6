package data

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/kun-ml/kun/array"
)

// Expect is what a model expects of data.
type Expect struct {
	// Classes is how many classes there are: y holds 0 to Classes-1. 0: taken from ClassesOf, or not checked when that
	// knows none.
	Classes int
	// Ignore are labels that do not count, as the loss says; they may be any number.
	Ignore []int
	// Fields are the names of those to read; nil: all.
	Fields []string
}

// Validate reads all samples once, of the fields that e names. An empty source, a NaN or an infinity in any field, a label that is no class and a
// weight below 0 are errors that name the field, the row and the position in the sample. What is legal but rarely meant
// comes back as warnings, one line each: only one class, classes without samples, weights that are all 0.
func Validate(ctx context.Context, src Source, e Expect) (warnings []string, err error) {
	if src.Len() == 0 {
		return nil, fmt.Errorf("data: the source has no samples")
	}
	if err := checkFields(src.Fields()); err != nil {
		return nil, err
	}
	if e.Classes == 0 {
		e.Classes = len(ClassesOf(src))
	}
	for _, f := range src.Fields() {
		if e.Fields != nil && !slices.Contains(e.Fields, f.Name) {
			continue
		}
		v := &validator{f: f, expect: e}
		switch {
		case f.Name == Y && isLabel(f):
			v.seen = map[int64]int{}
		case !f.DType.IsFloat() && f.Name != Weight:
			continue // every value of an integer field is a number
		}
		for a, err := range Chunks(ctx, src, f.Name, 0) {
			if err == nil {
				err = v.piece(a)
			}
			if err != nil {
				return warnings, err
			}
		}
		warnings = append(warnings, v.warnings(ClassesOf(src))...)
	}
	return warnings, nil
}

// validator checks one field.
type validator struct {
	f      Field
	expect Expect
	row    int           // first of the piece
	seen   map[int64]int // samples of each class; nil: no labels
	total  float64       // of weights
}

func (v *validator) piece(a *array.Array) error {
	defer func() { v.row += a.Dim(0) }()
	switch {
	case v.seen != nil:
		return v.labels(array.Data[int64](a.To(array.Int64)))
	case v.f.DType == array.Float32 && v.f.Name != Weight:
		for i, x := range array.Data[float32](a) {
			if x-x != 0 {
				return v.bad(i, "%v", x)
			}
		}
	default:
		for i, x := range a.Float64s() {
			if x-x != 0 {
				return v.bad(i, "%v", x)
			}
			if v.f.Name == Weight && x < 0 {
				return v.bad(i, "a weight of %v; weights are 0 or more", x)
			}
			v.total += math.Abs(x)
		}
	}
	return nil
}

func (v *validator) labels(y []int64) error {
	for i, c := range y {
		switch {
		case slices.Contains(v.expect.Ignore, int(c)):
			continue
		case c < 0:
			return v.bad(i, "the label %d; classes are counted from 0", c)
		case v.expect.Classes > 0 && c >= int64(v.expect.Classes):
			return v.bad(i, "the label %d is out of range: there are %d classes, 0 to %d", c, v.expect.Classes, v.expect.Classes-1)
		}
		v.seen[c]++
	}
	return nil
}

// bad places an error: element i of a piece.
func (v *validator) bad(i int, format string, a ...any) error {
	w := v.f.Shape.Size()
	at := ""
	if len(v.f.Shape) > 0 {
		p := make(array.Shape, len(v.f.Shape))
		for k, rest := len(p)-1, i%w; k >= 0; k-- {
			p[k], rest = rest%v.f.Shape[k], rest/v.f.Shape[k]
		}
		at = ", position " + p.String()
	}
	return fmt.Errorf("data: field %q, row %d%s: %s", v.f.Name, v.row+i/w, at, fmt.Sprintf(format, a...))
}

func (v *validator) warnings(names []string) (out []string) {
	if v.f.Name == Weight && v.total == 0 {
		out = append(out, "all weights are 0: nothing will be learned")
	}
	if v.seen == nil {
		return out
	}
	name := func(c int64) string {
		if c < int64(len(names)) {
			return fmt.Sprintf("%d (%s)", c, names[c])
		}
		return fmt.Sprint(c)
	}
	if len(v.seen) == 1 {
		for c := range v.seen {
			out = append(out, fmt.Sprintf("all samples are of one class, %s: there is nothing to tell apart", name(c)))
		}
		return out
	}
	var missing []string
	for c := range int64(v.expect.Classes) {
		if v.seen[c] == 0 {
			missing = append(missing, name(c))
		}
	}
	if len(missing) > 0 {
		more := ""
		if len(missing) > 8 {
			more = fmt.Sprintf(" and %d more", len(missing)-8)
			missing = missing[:8]
		}
		out = append(out, "no sample of the classes "+strings.Join(missing, ", ")+more)
	}
	return out
}
