package prep

import (
	"context"
	"fmt"

	"github.com/kun-ml/kun/array"
	"github.com/kun-ml/kun/data"
	"github.com/kun-ml/kun/tensor"
)

// OneHot turns class numbers into rows of zeros with a one: (B,...) to (B,...,Classes), float32.
type OneHot struct {
	// Classes is how many classes there are; 0: the largest number in the training data and one more.
	Classes int
	// On is the field; empty: "x".
	On string
}

// Field is On.
func (o *OneHot) Field() string { return o.On }

// Fit finds the number of classes, and refuses numbers that are no class.
func (o *OneHot) Fit(ctx context.Context, src data.Source, field string) error {
	f, _ := data.FieldOf(src, field)
	row, most := 0, 0
	err := columns(ctx, src, field, func(x []float64) error {
		for i, v := range x {
			if v < 0 || v != float64(int(v)) || o.Classes > 0 && int(v) >= o.Classes {
				return fmt.Errorf("one_hot: %v in field %q, row %d is no class number below %d", v, field, row+i/max(1, f.Shape.Size()), o.Classes)
			}
			most = max(most, int(v)+1)
		}
		row += len(x) / max(1, f.Shape.Size())
		return nil
	})
	if err == nil && o.Classes == 0 {
		o.Classes = most
	}
	return err
}

// Forward expands x.
func (o *OneHot) Forward(x *tensor.Tensor) *tensor.Tensor {
	if o.Classes < 1 {
		fail("OneHot", x, "Fit comes first, or give Classes", "the transform has not been fitted")
	}
	return x.Cast(array.Int32).OneHot(o.Classes, array.Float32)
}
