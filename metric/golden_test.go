package metric_test

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/kun-ml/kun/array"
	"github.com/kun-ml/kun/device"
	"github.com/kun-ml/kun/internal/golden"
	"github.com/kun-ml/kun/metric"
	"github.com/kun-ml/kun/nn"
	"github.com/kun-ml/kun/tensor"
)

type goldenMetric struct {
	Class   string
	Args    json.RawMessage
	Updates []struct {
		YTrue        golden.Tensor  `json:"y_true"`
		YPred        golden.Tensor  `json:"y_pred"`
		SampleWeight *golden.Tensor `json:"sample_weight"`
	}
	Results []golden.Tensor
}

// metricArgs are the constructor arguments of Keras.
type metricArgs struct {
	Threshold     *float64
	K             int
	FromSortedIDs bool `json:"from_sorted_ids"`
	Thresholds    any  // a number or a list
	TopK          int  `json:"top_k"`
	ClassID       *int `json:"class_id"`
	NumThresholds int  `json:"num_thresholds"`
	Curve         string
	Summation     string    `json:"summation_method"`
	MultiLabel    bool      `json:"multi_label"`
	NumLabels     int       `json:"num_labels"`
	LabelWeights  []float64 `json:"label_weights"`
	FromLogits    bool      `json:"from_logits"`
	Name          string
	DType         any
}

func zeroed(v float64) float64 {
	if v == 0 {
		return nn.Zero
	}
	return v
}

// limits are the thresholds of Precision and Recall: one metric each; 0 where Keras has its default.
func (a *metricArgs) limits() []float64 {
	switch v := a.Thresholds.(type) {
	case float64:
		return []float64{zeroed(v)}
	case []any:
		var out []float64
		for _, x := range v {
			out = append(out, zeroed(x.(float64)))
		}
		return out
	}
	return []float64{0}
}

// kerasMetric is our metrics for one of Keras, which may give several numbers; nil for a class of a later release.
func kerasMetric(t *testing.T, c *goldenMetric) []metric.Metric {
	var a metricArgs
	switch c.Class {
	case "BinaryAccuracy", "CategoricalAccuracy", "SparseCategoricalAccuracy", "TopKCategoricalAccuracy", "SparseTopKCategoricalAccuracy",
		"Precision", "Recall", "AUC", "MeanSquaredError", "MeanAbsoluteError", "RootMeanSquaredError":
	default:
		return nil
	}
	golden.Strict(t, c.Args, &a)
	var classes []int
	if a.ClassID != nil {
		classes = []int{*a.ClassID}
	}
	var out []metric.Metric
	switch c.Class {
	case "BinaryAccuracy":
		m := metric.BinaryAccuracy{}
		if a.Threshold != nil {
			m.Threshold = zeroed(*a.Threshold)
		}
		return []metric.Metric{m}
	case "CategoricalAccuracy":
		return []metric.Metric{metric.CategoricalAccuracy{}}
	case "SparseCategoricalAccuracy":
		return []metric.Metric{metric.SparseCategoricalAccuracy{}}
	case "TopKCategoricalAccuracy":
		return []metric.Metric{metric.TopKCategoricalAccuracy{K: a.K}}
	case "SparseTopKCategoricalAccuracy":
		return []metric.Metric{metric.SparseTopKCategoricalAccuracy{K: a.K, FromSortedIDs: a.FromSortedIDs}}
	case "Precision":
		for _, v := range a.limits() {
			out = append(out, metric.Precision{Threshold: v, TopK: a.TopK, Classes: classes})
		}
		return out
	case "Recall":
		for _, v := range a.limits() {
			out = append(out, metric.Recall{Threshold: v, TopK: a.TopK, Classes: classes})
		}
		return out
	case "AUC":
		m := metric.AUC{NumThresholds: a.NumThresholds, Curve: metric.Curve(strings.ToLower(a.Curve)), Summation: metric.Summation(strings.ToLower(a.Summation)),
			MultiLabel: a.MultiLabel, LabelWeights: a.LabelWeights, FromLogits: a.FromLogits}
		if m.Curve == "prgain" {
			m.Curve = metric.PRGain
		}
		if v, ok := a.Thresholds.([]any); ok {
			for _, x := range v {
				m.Thresholds = append(m.Thresholds, x.(float64))
			}
		}
		return []metric.Metric{m}
	case "MeanSquaredError":
		return []metric.Metric{metric.MeanSquaredError{}}
	case "MeanAbsoluteError":
		return []metric.Metric{metric.MeanAbsoluteError{}}
	}
	return []metric.Metric{metric.RootMeanSquaredError{}}
}

func TestMetrics_GoldenKeras(t *testing.T) {
	var cases []goldenMetric
	golden.Read(t, "metrics.json", &cases)
	tally, devices := golden.NewTally(), golden.Devices(t)
	for i := range cases {
		c := &cases[i]
		ms := kerasMetric(t, c)
		if ms == nil {
			tally.Later[c.Class]++
			continue
		}
		pass := true
		for _, d := range devices {
			pass = t.Run(fmt.Sprintf("%s/%d_%s_%s", d.Name(), i, c.Class, c.Args), func(t *testing.T) { checkMetric(t, d, c, ms) }) && pass
		}
		tally.Add(c.Class, pass)
	}
	tally.Log(t, "metrics", "BinaryAccuracy", "CategoricalAccuracy", "SparseCategoricalAccuracy", "TopKCategoricalAccuracy",
		"SparseTopKCategoricalAccuracy", "Precision", "Recall", "AUC", "MeanSquaredError", "MeanAbsoluteError", "RootMeanSquaredError")
}

// checkMetric runs the updates in turn, on totals that go from one batch to the next, and compares the results.
func checkMetric(t *testing.T, d device.Device, c *goldenMetric, ms []metric.Metric) {
	totals := map[string]*array.Array{}
	for u := range c.Updates {
		up := &c.Updates[u]
		in := []*array.Array{up.YPred.Array(t), up.YTrue.Array(t)}
		if up.SampleWeight != nil {
			in = append(in, up.SampleWeight.Array(t))
		}
		p := golden.Compile(t, d, tensor.Options{}, totals, in, func(in []*tensor.Tensor) []*tensor.Tensor {
			var w *tensor.Tensor
			if len(in) > 2 {
				w = in[2]
			}
			for k, m := range ms {
				m.Update(metric.NewTotals(in[0].Graph(), fmt.Sprint(k)), in[0], in[1], w)
			}
			return nil
		})
		p.Run(t, 0, in...)
		for path, v := range p.Vars {
			totals[path] = v.Value
		}
		want := c.Results[u].Array(t).Float64s()
		if len(want) != len(ms) {
			t.Fatalf("Keras gives %d numbers, we %d", len(want), len(ms))
		}
		for k, m := range ms {
			got := m.Result(metric.ValuesOf(fmt.Sprint(k), p.Vars))
			if !(math.Abs(got-want[k]) <= golden.Value*(1+math.Abs(want[k]))) {
				t.Errorf("%s %s: after update %d the result is %.9g, want %.9g", c.Args, in, u, got, want[k])
			}
		}
	}
}
