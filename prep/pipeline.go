package prep

import (
	"context"
	"fmt"

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

// Fit fits every transform that can be fitted, to the field as it is in src. A field with two fitted transforms is an
// error: the second would see data that the first has not changed.
func (p Pipeline) Fit(ctx context.Context, src data.Source) error {
	seen := map[string]int{}
	for i, t := range p {
		f, ok := t.(Fitter)
		if !ok {
			continue
		}
		field := FieldOf(t)
		if _, ok := data.FieldOf(src, field); !ok {
			return fmt.Errorf("prep: transform %d (%T): the data have no field %q; they have %v", i, t, field, src.Fields())
		}
		if n := seen[field]; n > 0 {
			return fmt.Errorf("prep: transforms %d and %d are both fitted to the field %q", n-1, i, field)
		}
		seen[field] = i + 1
		if err := f.Fit(ctx, src, field); err != nil {
			return fmt.Errorf("prep: transform %d: %w", i, err)
		}
	}
	return nil
}

// Apply records the transforms of a field, in order.
func (p Pipeline) Apply(field string, x *tensor.Tensor) *tensor.Tensor {
	for _, t := range p {
		if FieldOf(t) == field {
			x = t.Forward(x)
		}
	}
	return x
}

// fail panics with a *tensor.ShapeError of a transform.
func fail(op string, x *tensor.Tensor, hint, format string, a ...any) {
	panic(&tensor.ShapeError{Op: op, Layer: x.Label(), Why: fmt.Sprintf(format, a...), Got: x.Type().String(), Hint: hint})
}
