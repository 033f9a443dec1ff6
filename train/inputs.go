package train

import (
	"fmt"
	"strings"

	"github.com/kun-ml/kun/data"
	"github.com/kun-ml/kun/metric"
	"github.com/kun-ml/kun/tensor"
)

// Inputs are a batch inside a trace.
type Inputs struct {
	X      *tensor.Tensor // the field "x", nil where the data have none
	Y      *tensor.Tensor // the field "y", nil where the data have none
	Weight *tensor.Tensor // the field "weight", one number per sample, nil where the data have none

	fields  []data.Field
	tensors []*tensor.Tensor
	metrics *[]measured
}

// measured is a metric of the program and where its totals lie.
type measured struct {
	metric metric.Metric
	prefix string
}

func newInputs(fields []data.Field, ts []*tensor.Tensor, metrics *[]measured) *Inputs {
	in := &Inputs{fields: fields, tensors: ts, metrics: metrics}
	in.X, in.Y, in.Weight = in.find(data.X), in.find(data.Y), in.find(data.Weight)
	return in
}

func (in *Inputs) find(name string) *tensor.Tensor {
	for i, f := range in.fields {
		if f.Name == name {
			return in.tensors[i]
		}
	}
	return nil
}

// Get gives a field of the batch, (B, sample shape...). A name that the data do not have is a *tensor.ShapeError.
func (in *Inputs) Get(name string) *tensor.Tensor {
	if t := in.find(name); t != nil {
		return t
	}
	names := make([]string, len(in.fields))
	for i, f := range in.fields {
		names[i] = f.Name
	}
	panic(&tensor.ShapeError{Op: "Inputs", Why: fmt.Sprintf("the data have no field %q", name),
		Hint: "the fields are " + strings.Join(names, ", ")})
}

// Measure adds a metric to the program: it counts the output y against target. weight is one number per sample, or nil: as
// in Keras, metrics count samples alike unless they are told otherwise. Two figures of one name are a *tensor.ShapeError.
func (in *Inputs) Measure(m metric.Metric, y, target, weight *tensor.Tensor) {
	name := m.Name()
	taken := name == "loss"
	for _, x := range *in.metrics {
		taken = taken || x.metric.Name() == name
	}
	if taken {
		panic(&tensor.ShapeError{Op: "Measure", Why: fmt.Sprintf("two figures are named %q", name), Hint: "set As, the name, of one of the metrics"})
	}
	prefix := "metric/" + name
	*in.metrics = append(*in.metrics, measured{m, prefix})
	m.Update(metric.NewTotals(y.Graph().Root(), prefix), y, target, weight)
}
