package prep

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/kun-ml/kun/data"
	"github.com/kun-ml/kun/nn"
	"github.com/kun-ml/kun/tensor"
)

// Transform changes a field of the data inside a trace, (B,...) to (B,...).
type Transform interface {
	Forward(x *tensor.Tensor) *tensor.Tensor
}

// Fitter is a Transform whose numbers follow from data. Fit sees the training data only.
type Fitter interface {
	Fit(ctx context.Context, src data.Source, field string) error
}

// Fielder is a Transform of another field than "x".
type Fielder interface {
	// Field is the name of the field; empty: "x".
	Field() string
}

// Pipeline is a list of transforms, applied in order, each to its field.
type Pipeline []Transform

// Transforms are the types that configurations and model files know.
var Transforms = nn.NewRegistry[Transform]("prep", "transform")

func init() {
	Transforms.Register("rescale", func() Transform { return new(Rescale) })
	Transforms.Register("normalize", func() Transform { return new(Normalize) })
	Transforms.Register("flatten", func() Transform { return new(Flatten) })
	Transforms.Register("one_hot", func() Transform { return new(OneHot) })
}

// FieldOf is the field that a transform applies to.
func FieldOf(t Transform) string {
	if f, ok := t.(Fielder); ok && f.Field() != "" {
		return f.Field()
	}
	return data.X
}

// Fit fits every transform that can be fitted, in order. It sees its field as the transforms before it leave it: in
// Rescale, Normalize the mean is that of rescaled values. Transforms that draw random numbers or have weights cannot stand
// before one that is fitted. A transform of a field that src has not is an error.
func (p Pipeline) Fit(ctx context.Context, src data.Source) error {
	before := map[string][]Transform{}
	for i, t := range p {
		if t == nil {
			return fmt.Errorf("prep: transform %d is nil", i)
		}
		field := FieldOf(t)
		if _, ok := data.FieldOf(src, field); !ok {
			return fmt.Errorf("prep: %s: the data have no field %q; they have %s", p.place(i), field, names(src))
		}
		if f, ok := t.(Fitter); ok {
			seen, err := prepared(src, field, before[field])
			if err == nil {
				err = f.Fit(ctx, seen, field)
			}
			if err != nil {
				return fmt.Errorf("prep: %s: %w", p.place(i), err)
			}
		}
		before[field] = append(before[field], t)
	}
	return nil
}

// place names a transform in messages, "transform 1 (normalize)".
func (p Pipeline) place(i int) string {
	name := fmt.Sprintf("%T", p[i])
	if b, err := Transforms.Marshal(p[i]); err == nil {
		if parts := bytes.SplitN(b, []byte{'"'}, 3); len(parts) == 3 {
			name = string(parts[1])
		}
	}
	return fmt.Sprintf("transform %d (%s)", i, name)
}

func names(src data.Source) string {
	var out []string
	for _, f := range src.Fields() {
		out = append(out, f.Name)
	}
	return strings.Join(out, ", ")
}

// Apply records the transforms of a field, in order.
func (p Pipeline) Apply(field string, x *tensor.Tensor) *tensor.Tensor {
	for i, t := range p {
		if t == nil {
			fail("Prepare", x, "take the entry out of the list", "transform %d is nil", i)
		}
		if FieldOf(t) == field {
			x = t.Forward(x)
		}
	}
	return x
}

// MarshalJSON writes the list with its fitted numbers: [{"rescale":{"scale":2}},{"flatten":{}}].
func (p Pipeline) MarshalJSON() ([]byte, error) {
	out := []byte{'['}
	for i, t := range p {
		b, err := Transforms.Marshal(t)
		if err != nil {
			return nil, fmt.Errorf("transform %d: %w", i, err)
		}
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, b...)
	}
	return append(out, ']'), nil
}

// UnmarshalJSON reads what MarshalJSON wrote. Unknown names, unknown or doubled keys and wrong types are errors.
func (p *Pipeline) UnmarshalJSON(b []byte) error {
	var all []json.RawMessage
	if err := json.Unmarshal(b, &all); err != nil {
		return fmt.Errorf("prep: want a list of transforms: %w", err)
	}
	q := make(Pipeline, len(all))
	for i, one := range all {
		t, err := Transforms.Unmarshal(one)
		if err != nil {
			return fmt.Errorf("transform %d: %w", i, err)
		}
		q[i] = t
	}
	*p = q
	return nil
}

// fail panics with a *tensor.ShapeError of a transform.
func fail(op string, x *tensor.Tensor, hint, format string, a ...any) {
	panic(&tensor.ShapeError{Op: op, Layer: x.Label(), Why: fmt.Sprintf(format, a...), Got: x.Type().String(), Hint: hint})
}
