package kun

import (
	"context"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"

	"github.com/kun-ml/kun/data"
	"github.com/kun-ml/kun/loss"
	"github.com/kun-ml/kun/prep"
	"github.com/kun-ml/kun/tensor"
	"github.com/kun-ml/kun/train"
)

// LabelError tells of an answer that is no class of the model.
type LabelError struct {
	Row     int     // of the data, from 0
	Label   float64 // the answer
	Classes int     // how many classes the output has
}

// Error names the row and the range.
func (e *LabelError) Error() string {
	return fmt.Sprintf("kun: the label in row %d is %v; the model has %d classes, numbered 0 to %d", e.Row, e.Label, e.Classes, e.Classes-1)
}

// answers is what the field "y" may hold.
type answers struct {
	classes int // 0: they are no class numbers
	ignored []int
	loss    string // that wants answers from 0 to 1; empty: none does
}

// answers follow from the loss and the preparation of "y"; width is the length of the output's last axis, 0: not known.
func (m *Model) answers(width int) answers {
	for _, t := range m.Prepare {
		if prep.FieldOf(t) != data.Y {
			continue
		}
		if o, ok := t.(*prep.OneHot); ok {
			return answers{classes: o.Classes}
		}
		return answers{} // what the transform makes of them is checked by nobody
	}
	switch l := plain(m.Loss).(type) {
	case loss.SparseCategoricalCrossEntropy:
		return answers{classes: width, ignored: l.IgnoreClasses}
	case loss.BinaryCrossEntropy:
		return answers{loss: "BinaryCrossEntropy"}
	case loss.CategoricalCrossEntropy:
		return answers{loss: "CategoricalCrossEntropy"}
	}
	return answers{}
}

// plain is a loss by value, also where it is held by pointer.
func plain(l loss.Loss) loss.Loss {
	if v := reflect.ValueOf(l); v.Kind() == reflect.Pointer && !v.IsNil() {
		if p, ok := v.Elem().Interface().(loss.Loss); ok {
			return p
		}
	}
	return l
}

// wrong says what is wrong with an answer.
func (a answers) wrong(row int, v float64) error {
	switch {
	case a.loss != "":
		if !(v >= 0 && v <= 1) {
			return fmt.Errorf("kun: the answer in row %d is %v; %s compares with answers from 0 to 1: renumber to 0 and 1", row, v, a.loss)
		}
	case v != math.Trunc(v):
		return fmt.Errorf("kun: the label in row %d is %v, which is no class number; for a regression use MeanSquaredError and one unit", row, v)
	case (v < 0 || v >= float64(a.classes)) && !slices.ContainsFunc(a.ignored, func(c int) bool { return v == float64(c) }):
		return &LabelError{row, v, a.classes}
	}
	return nil
}

// checkAnswers reads all answers once and refuses those that the loss cannot compare with. The warnings tell of classes
// without samples.
func (m *Model) checkAnswers(ctx context.Context, src data.Source, width int) (warnings []string, err error) {
	a := m.answers(width)
	if a.classes == 0 && a.loss == "" {
		return nil, nil
	}
	seen, row := make([]bool, a.classes), 0
	for y, err := range data.Chunks(ctx, src, data.Y, 0) {
		if err != nil {
			return nil, err
		}
		per := max(1, y.Len()/max(1, y.Dim(0)))
		for i, v := range y.Float64s() {
			if err := a.wrong(row+i/per, v); err != nil {
				return nil, err
			}
			if v >= 0 && v < float64(a.classes) {
				seen[int(v)] = true
			}
		}
		row += y.Dim(0)
	}
	return missingClasses(seen, data.ClassesOf(src)), nil
}

// missingClasses tells which classes have no sample, or that there is one class only.
func missingClasses(seen []bool, names []string) []string {
	name := func(c int) string {
		if c < len(names) {
			return fmt.Sprintf("%d (%s)", c, names[c])
		}
		return fmt.Sprint(c)
	}
	var have, missing []string
	for c, ok := range seen {
		if ok {
			have = append(have, name(c))
		} else {
			missing = append(missing, name(c))
		}
	}
	switch {
	case len(have) == 1 && len(seen) > 1:
		return []string{"all samples are of one class, " + have[0] + ": there is nothing to tell apart"}
	case len(missing) > 8:
		return []string{fmt.Sprintf("no sample of the classes %s and %d more", strings.Join(missing[:8], ", "), len(missing)-8)}
	case len(missing) > 0:
		return []string{"no sample of the classes " + strings.Join(missing, ", ")}
	}
	return nil
}

// warnings tell of what is legal but rarely meant, before the first step. What the data may not hold is an error.
func (m *Model) warnings(ctx context.Context, src data.Source, o FitOptions, width int, step *train.Step) ([]string, error) {
	out, err := m.checkAnswers(ctx, src, width)
	if err != nil {
		return nil, err
	}
	if _, ok := data.FieldOf(src, data.Weight); ok {
		ws, err := data.Validate(ctx, src, data.Expect{Fields: []string{data.Weight}})
		if err != nil {
			return nil, err
		}
		out = append(out, ws...)
	}
	if n := src.Len(); o.Batch > n {
		out = append(out, fmt.Sprintf("a batch of %d is more than the %d samples: each step takes all of them", o.Batch, n))
	}
	for _, p := range step.Unused() {
		out = append(out, fmt.Sprintf("the parameter %s takes no part in the network's output: it does not learn", p))
	}
	return out, nil
}

// cause adds to the error of a run that diverged what is wrong with the data, by row and position.
func cause(ctx context.Context, src data.Source, err error) error {
	var d *train.DivergedError
	if !errors.As(err, &d) {
		return err
	}
	var names []string
	for _, f := range src.Fields() {
		if f.DType.IsFloat() {
			names = append(names, f.Name)
		}
	}
	if len(names) == 0 {
		return err
	}
	if _, found := data.Validate(ctx, src, data.Expect{Fields: names}); found != nil && ctx.Err() == nil {
		return errors.Join(err, found)
	}
	return err
}

// checkOutputs demands outputs of rows, one for each row of the input.
func checkOutputs(outs []*tensor.Tensor, batch int) error {
	if len(outs) == 0 {
		return fmt.Errorf("kun: the network has no output")
	}
	for i, o := range outs {
		if s := o.Shape(); len(s) == 0 || s[0] != batch {
			return fmt.Errorf("kun: output %d of the network is %v for %d samples; its first axis must be the samples", i, o.Type(), batch)
		}
	}
	return nil
}
