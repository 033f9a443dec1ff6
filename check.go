package kun

import (
	"fmt"
	"math"
	"slices"

	"github.com/kun-ml/kun/array"
	"github.com/kun-ml/kun/data"
	"github.com/kun-ml/kun/loss"
	"github.com/kun-ml/kun/prep"
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

// checkLabels reads all class numbers once and refuses those that are no class of an output of that width.
func (m *Model) checkLabels(src data.Source, width int) error {
	s, ok := m.Loss.(loss.SparseCategoricalCrossEntropy)
	if p, pointer := m.Loss.(*loss.SparseCategoricalCrossEntropy); pointer && p != nil {
		s, ok = *p, true
	}
	if !ok || width == 0 || m.preparesAnswers() {
		return nil
	}
	fields := src.Fields()
	dst := make([]*array.Array, len(fields))
	const chunk = 4096
	var y *array.Array
	for i, f := range fields {
		if f.Name == data.Y {
			y = array.New(f.DType, append(array.Shape{chunk}, f.Shape...)...)
			dst[i] = y
		}
	}
	rows := make([]int, chunk)
	for from := 0; from < src.Len(); from += chunk {
		n := min(chunk, src.Len()-from)
		for i := range n {
			rows[i] = from + i
		}
		if err := src.Gather(dst, rows[:n]); err != nil {
			return err
		}
		per := y.Len() / chunk
		for i, v := range y.Rows(0, n).Float64s() {
			if v != math.Trunc(v) {
				return fmt.Errorf("kun: the label in row %d is %v; classes are whole numbers; for a regression use loss.MeanSquaredError", from+i/max(1, per), v)
			}
			if !(v >= 0 && v < float64(width)) && !slices.Contains(s.IgnoreClasses, int(v)) {
				return &LabelError{from + i/max(1, per), v, width}
			}
		}
	}
	return nil
}

// preparesAnswers reports whether a transform changes the field "y".
func (m *Model) preparesAnswers() bool {
	for _, t := range m.Prepare {
		if prep.FieldOf(t) == data.Y {
			return true
		}
	}
	return false
}
