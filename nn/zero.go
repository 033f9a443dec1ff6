package nn

import (
	"math"
	"reflect"
)

// Zero stands for 0 in a field whose Go zero value means "the default", such as the Threshold of a metric or the Factor
// of a regulariser. It is the smallest number above 0. In JSON it is written, and read, as 0.
const Zero = math.SmallestNonzeroFloat64

// Value is the number that a field with a default means: def when the field is 0, 0 when it is Zero.
func Value(field, def float64) float64 {
	switch field {
	case 0:
		return def
	case Zero:
		return 0
	}
	return field
}

// ZeroMeans reports whether an explicit 0 in a configuration stands for Zero in this field: a floating-point field
// whose tag names its default, as in `default:"0.5"`.
func ZeroMeans(f reflect.StructField) bool {
	return f.Tag.Get("default") != "" && f.Type.Kind() == reflect.Float64
}
