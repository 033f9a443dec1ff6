package prep

import (
	"context"
	"fmt"

	"github.com/kun-ml/kun/array"
	"github.com/kun-ml/kun/data"
	"github.com/kun-ml/kun/tensor"
)

// OneHot turns class numbers into rows of zeros with a one: (B,...) to (B,...,Classes), float32. A last axis of 1 is
// dropped first, as Keras's CategoryEncoding does: (B,1) to (B,Classes). A number outside 0..Classes-1 gives zeros only;
// Fit refuses data that hold one.
type OneHot struct {
	// Classes is how many classes there are; 0: the largest number in the training data and one more.
	Classes int
	// On is the field; empty: "x".
	On string
}

// mostClasses bounds what Fit makes of a number that it finds: a column of identifiers would become too wide to hold.
const mostClasses = 1 << 16

// Field is On.
func (o *OneHot) Field() string { return o.On }

// Fit finds the number of classes, and refuses numbers that are no class, with their row.
func (o *OneHot) Fit(ctx context.Context, src data.Source, field string) error {
	f, ok := data.FieldOf(src, field)
	if !ok {
		return fmt.Errorf("no field %q", field)
	}
	if o.Classes < 0 {
		return fmt.Errorf("%d classes", o.Classes)
	}
	row, most := 0, 0
	for a, err := range data.Chunks(ctx, src, field, 0) {
		if err != nil {
			return err
		}
		for i, v := range a.Float64s() {
			if err := o.class(v); err != nil {
				return fmt.Errorf("%w in field %q, row %d", err, field, row+i/f.Shape.Size())
			}
			most = max(most, int(v)+1)
		}
		row += a.Dim(0)
	}
	if o.Classes == 0 {
		if most == 0 {
			return fmt.Errorf("field %q has no values to fit to", field)
		}
		o.Classes = most
	}
	return nil
}

// class says what is wrong with a class number.
func (o *OneHot) class(v float64) error {
	switch {
	case !(v >= 0 && v < 1<<31) || v != float64(int(v)):
		return fmt.Errorf("%v is no class number", v)
	case o.Classes > 0 && int(v) >= o.Classes:
		return fmt.Errorf("class %v is out of range (Classes is %d, so 0 to %d)", v, o.Classes, o.Classes-1)
	case o.Classes == 0 && v >= mostClasses:
		return fmt.Errorf("class %v would need %v columns (set Classes if that is meant)", v, v+1)
	}
	return nil
}

// Forward expands x.
func (o *OneHot) Forward(x *tensor.Tensor) *tensor.Tensor {
	if o.Classes < 1 {
		fail("OneHot", x, "fit the pipeline to the training data first (Model.Fit does), or give Classes", "the transform has not been fitted")
	}
	if x.Rank() > 1 && x.Dim(-1) == 1 {
		x = x.Reshape(x.Shape()[:x.Rank()-1]...)
	}
	return x.Cast(array.Int32).OneHot(o.Classes, array.Float32)
}
