package metric

import (
	"fmt"

	"github.com/kun-ml/kun/array"
	"github.com/kun-ml/kun/nn"
	"github.com/kun-ml/kun/tensor"
)

// Metric is one figure. It holds configuration only; what it counts lies in totals.
type Metric interface {
	// Name is the figure's name in logs, such as "accuracy".
	Name() string
	// Update adds a batch to the totals, inside a trace: the model's output, the target and the samples' weights, (B) or
	// (B,T); nil: 1 each.
	Update(t *Totals, y, target, weight *tensor.Tensor)
	// Result is the figure of all batches so far; 0 when there were none.
	Result(v Values) float64
}

// Directed is a metric that knows whether its figure is better when it rises. Callbacks that look for the best epoch ask.
type Directed interface {
	Metric
	// Rises is true when more is better.
	Rises() bool
}

// Totals are the sums of one metric in a trace.
type Totals struct {
	g      *tensor.Graph
	prefix string
}

// NewTotals gives a metric its place in a trace: its variables have the paths prefix/name.
func NewTotals(g *tensor.Graph, prefix string) *Totals { return &Totals{g, prefix} }

// Add adds v to the total of that name, which begins as zeros of v's shape: float64 for floating-point values, int64 for
// others. Adding to one total several times in a trace is fine.
func (t *Totals) Add(name string, v *tensor.Tensor) {
	d := array.Int64
	if v.DType().IsFloat() {
		d = array.Float64
	}
	sum := t.g.Variable(t.prefix+"/"+name, tensor.Total, nil, d, v.Shape()...)
	tensor.Assign(sum, sum.Add(v.Cast(d)))
}

// Values gives the totals of one metric by name.
type Values func(name string) *array.Array

// ValuesOf gives the totals below a prefix among the variables of a program. Asking for one that is not there panics.
func ValuesOf(prefix string, vars map[string]*tensor.Var) Values {
	return func(name string) *array.Array {
		v := vars[prefix+"/"+name]
		if v == nil {
			panic(fmt.Sprintf("metric: no total %s/%s: the metric was not updated in this program", prefix, name))
		}
		return v.Value
	}
}

// scalar is a total that is one number.
func (v Values) scalar(name string) float64 { return v(name).Float64s()[0] }

// ratio is a/b, 0 for b = 0.
func ratio(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}

func named(as, name string) string {
	if as != "" {
		return as
	}
	return name
}

// mean adds values (B,...) and their number, both weighed, to the totals "total" and "count".
func (t *Totals) mean(op string, values, mask, weight *tensor.Tensor) {
	w := weightsOf(op, values, mask, weight)
	if w == nil {
		t.Add("total", values.Sum())
		t.Add("count", tensor.Full(values, 1, values.Shape()...).Sum())
		return
	}
	t.Add("total", values.Mul(w).Sum())
	t.Add("count", w.Sum())
}

func (v Values) mean() float64 { return ratio(v.scalar("total"), v.scalar("count")) }

// weightsOf spreads the samples' weights and the output's mask over the shape of values; nil when everything counts 1.
func weightsOf(op string, values, mask, weight *tensor.Tensor) *tensor.Tensor {
	shape := values.Shape()
	var w *tensor.Tensor
	if weight != nil {
		w = spread(weight.Cast(values.DType()), shape)
		if w == nil {
			panic(&tensor.ShapeError{Op: op, Layer: values.Label(), Why: fmt.Sprintf("weights of shape %v do not fit %v values", weight.Shape(), shape),
				Hint: "give one weight per sample, (B), or per step, (B,T)"})
		}
	}
	if mask != nil {
		if m := spread(mask.Cast(values.DType()), shape); m != nil { // a mask of other axes says nothing here
			if w != nil {
				m = m.Mul(w)
			}
			w = m
		}
	}
	return w
}

// spread repeats w, whose axes are the first ones of shape, over the others; an axis of size 1 at the end may be extra.
// It is nil when w does not fit.
func spread(w *tensor.Tensor, shape array.Shape) *tensor.Tensor {
	if w.Rank() == len(shape)+1 && w.Dim(-1) == 1 {
		w = w.Reshape(w.Shape()[:len(shape)]...)
	}
	dims := make([]int, len(shape))
	for i := range dims {
		dims[i] = 1
		if i < w.Rank() {
			dims[i] = w.Dim(i)
		}
	}
	for i, d := range dims {
		if d != shape[i] && (d != 1 || i == 0) {
			return nil
		}
	}
	if w.Rank() > len(shape) {
		return nil
	}
	return w.Reshape(dims...).BroadcastTo(shape...)
}

// number brings a tensor to float32.
func number(x *tensor.Tensor) *tensor.Tensor { return x.Cast(array.Float32) }

// Metrics are the types that Marshal and Unmarshal know.
var Metrics = nn.NewRegistry[Metric]("metric", "metric")

func init() {
	for name, f := range map[string]func() Metric{
		"accuracy":                          func() Metric { return Accuracy{} },
		"binary_accuracy":                   func() Metric { return BinaryAccuracy{} },
		"categorical_accuracy":              func() Metric { return CategoricalAccuracy{} },
		"sparse_categorical_accuracy":       func() Metric { return SparseCategoricalAccuracy{} },
		"top_k_categorical_accuracy":        func() Metric { return TopKCategoricalAccuracy{} },
		"sparse_top_k_categorical_accuracy": func() Metric { return SparseTopKCategoricalAccuracy{} },
		"precision":                         func() Metric { return Precision{} },
		"recall":                            func() Metric { return Recall{} },
		"auc":                               func() Metric { return AUC{} },
		"confusion_matrix":                  func() Metric { return ConfusionMatrix{} },
		"mean_squared_error":                func() Metric { return MeanSquaredError{} },
		"mean_absolute_error":               func() Metric { return MeanAbsoluteError{} },
		"root_mean_squared_error":           func() Metric { return RootMeanSquaredError{} },
	} {
		Metrics.Register(name, f)
	}
	Metrics.Register("acc", func() Metric { return Accuracy{As: "acc"} })
	Metrics.Register("mse", func() Metric { return MeanSquaredError{As: "mse"} })
	Metrics.Register("mae", func() Metric { return MeanAbsoluteError{As: "mae"} })
	Metrics.Register("rmse", func() Metric { return RootMeanSquaredError{As: "rmse"} })
}

// Register makes a type of metric known under a name in snake case. It panics when the name is taken.
func Register(name string, make func() Metric) { Metrics.Register(name, make) }

// Named gives the metric of that name with its defaults: the names of Keras, and "acc", "mse", "mae", "rmse". An unknown
// name is an error that gives the nearest known one.
func Named(name string) (Metric, error) { return Metrics.Make(name) }

// Marshal writes the configuration of a metric as JSON, {"precision": {"threshold": 0.7}}.
func Marshal(m Metric) ([]byte, error) { return Metrics.Marshal(m) }

// Unmarshal makes a metric from what Marshal wrote, or from its name alone. It is strict.
func Unmarshal(b []byte) (Metric, error) { return Metrics.Unmarshal(b) }
