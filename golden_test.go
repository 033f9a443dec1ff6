package kun_test

import (
	"context"
	"encoding/json"
	"fmt"
	"path"
	"testing"

	"github.com/kun-ml/kun"
	"github.com/kun-ml/kun/array"
	"github.com/kun-ml/kun/data"
	"github.com/kun-ml/kun/device"
	"github.com/kun-ml/kun/internal/golden"
	"github.com/kun-ml/kun/metric"
	"github.com/kun-ml/kun/nn"
)

type goldenModel struct {
	Case    string
	Config  json.RawMessage
	Initial []struct {
		Path  string
		Value golden.Tensor
	}
	Optimizer golden.Serialized
	Loss      golden.Serialized
	Metrics   []string
	Batches   []struct {
		X            golden.List
		Y            golden.List
		SampleWeight golden.List `json:"sample_weight"`
	}
	Log         []map[string]float64
	Final       []golden.Tensor
	Predictions golden.Tensor
}

// layerConfig is the part of a layer's configuration that shows in results; the initial weights are given.
type layerConfig struct {
	Units               int
	Activation          string
	UseBias             bool            `json:"use_bias"`
	KernelRegularizer   json.RawMessage `json:"kernel_regularizer"`
	BiasRegularizer     json.RawMessage `json:"bias_regularizer"`
	ActivityRegularizer json.RawMessage `json:"activity_regularizer"`
	KernelConstraint    json.RawMessage `json:"kernel_constraint"`
	BiasConstraint      json.RawMessage `json:"bias_constraint"`
	TargetShape         []int           `json:"target_shape"`
	Rate                float64
	InputDim            int             `json:"input_dim"`
	OutputDim           int             `json:"output_dim"`
	MaskZero            bool            `json:"mask_zero"`
	TableRegularizer    json.RawMessage `json:"embeddings_regularizer"`
	DataFormat          string          `json:"data_format"`
}

// kerasNet is our network for a model of Keras's, or the reason why there is none.
func kerasNet(t *testing.T, raw json.RawMessage) (net nn.Sequential, why string) {
	var text string
	if json.Unmarshal(raw, &text) == nil { // some files hold the configuration as text
		raw = json.RawMessage(text)
	}
	var c struct {
		Layers []golden.Serialized
		Inputs json.RawMessage `json:"input_layers"`
	}
	if err := json.Unmarshal(raw, &c); err != nil {
		t.Fatal(err)
	}
	if c.Inputs != nil {
		return nil, "functional model"
	}
	for _, l := range c.Layers {
		var a layerConfig
		if err := json.Unmarshal(l.Config, &a); err != nil {
			t.Fatal(err)
		}
		if r := a.KernelConstraint; r != nil && string(r) != "null" {
			return nil, "constraint"
		}
		switch l.Class {
		case "InputLayer":
		case "Flatten":
			net = append(net, &nn.Flatten{ChannelsFirst: a.DataFormat == "channels_first"})
		case "Dense":
			net = append(net, &nn.Dense{Units: a.Units, Activation: nn.Activation(a.Activation), NoBias: !a.UseBias,
				KernelRegularizer: golden.Regularizer(t, a.KernelRegularizer), BiasRegularizer: golden.Regularizer(t, a.BiasRegularizer),
				ActivityRegularizer: golden.Regularizer(t, a.ActivityRegularizer)})
		case "Embedding":
			net = append(net, &nn.Embedding{Size: a.InputDim, Units: a.OutputDim, MaskZero: a.MaskZero, TableRegularizer: golden.Regularizer(t, a.TableRegularizer)})
		case "Reshape":
			net = append(net, &nn.Reshape{Shape: a.TargetShape})
		case "Activation":
			net = append(net, nn.Activation(a.Activation))
		case "Dropout":
			if a.Rate > 0 {
				return nil, "dropout while training"
			}
		default:
			return nil, "layer " + l.Class
		}
	}
	return net, ""
}

// kerasModel is our model for one of Keras's, or the reason why there is none.
func kerasModel(t *testing.T, c *goldenModel) (m *kun.Model, why string) {
	net, why := kerasNet(t, c.Config)
	if why != "" {
		return nil, why
	}
	m = &kun.Model{Net: net}
	if m.Optimizer, why = golden.Optimizer(t, c.Optimizer); why != "" {
		return nil, why
	}
	l, how, axis := golden.Loss(t, c.Loss)
	if m.Loss = l; l == nil || how != "sum_over_batch_size" || axis != -1 {
		return nil, "loss " + c.Loss.Class
	}
	for _, name := range c.Metrics {
		x, err := metric.Named(name)
		if err != nil {
			return nil, "metric " + name
		}
		m.Metrics = append(m.Metrics, x)
	}
	return m, ""
}

func (c *goldenModel) batch(t *testing.T, i int) *data.Set {
	b := c.Batches[i]
	columns := []data.Named{{Name: data.X, Array: b.X[0].Array(t)}, {Name: data.Y, Array: b.Y[0].Array(t)}}
	if len(b.SampleWeight) > 0 && b.SampleWeight[0] != nil {
		columns = append(columns, data.Named{Name: data.Weight, Array: b.SampleWeight[0].Array(t)})
	}
	s, err := data.NewSet(columns...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// A trajectory of 20 steps may wander further from Keras's than one step.
const goldenTrajectory = 1e-5

// TestModels_GoldenKeras trains whole models on the batches that Keras trained on, from the same weights: the log of every
// step, the final weights and the predictions are Keras's.
func TestModels_GoldenKeras(t *testing.T) {
	var cases []goldenModel
	golden.Read(t, "models.json", &cases)
	tally, devices := golden.NewTally(), golden.Devices(t)
	for i := range cases {
		c := &cases[i]
		if _, why := kerasModel(t, c); why != "" {
			tally.Later[why+" ("+c.Case+")"]++
			continue
		}
		pass := true
		for _, d := range devices {
			pass = t.Run(d.Name()+"/"+c.Case, func(t *testing.T) { checkModel(t, d, c) }) && pass
		}
		tally.Add(c.Case, pass)
	}
	tally.Log(t, "models", "quickstart_mlp", "weighted_regression_l2")
}

func checkModel(t *testing.T, d device.Device, c *goldenModel) {
	m, _ := kerasModel(t, c)
	m.Device = d
	ctx := context.Background()
	if err := m.Build(1, data.Field{Name: data.X, DType: c.batch(t, 0).Fields()[0].DType, Shape: c.batch(t, 0).Fields()[0].Shape}); err != nil {
		t.Fatal(err)
	}
	weights := weightsOf(m.Net.(nn.Sequential))
	if len(weights) != len(c.Initial) {
		t.Fatalf("%d weights, Keras has %d", len(weights), len(c.Initial))
	}
	for k, w := range weights {
		v := c.Initial[k].Value.Array(t)
		if !v.Shape().Equal(w.Var().Value.Shape()) {
			t.Fatalf("%s has shape %v, Keras's %v", w.Var().Path, w.Var().Value.Shape(), v.Shape())
		}
		w.Var().Value.CopyFrom(v)
		w.Var().Touch()
	}
	for s, want := range c.Log {
		src := c.batch(t, s%len(c.Batches))
		h, err := m.Fit(ctx, src, kun.FitOptions{Batch: src.Len(), NoShuffle: true})
		if err != nil {
			t.Fatal(err)
		}
		for name, v := range want {
			got, ok := h.Last(name)
			if !ok {
				t.Fatalf("no figure %q in %v", name, h.Names)
			}
			golden.Near(t, fmt.Sprintf("%s of step %d", name, s), array.From([]float64{got}, 1), array.From([]float64{v}, 1), goldenTrajectory)
		}
	}
	for k, w := range weights {
		golden.Near(t, path.Base(c.Initial[k].Path), w.Var().Value, c.Final[k].Array(t), goldenTrajectory)
	}
	y, err := m.Predict(ctx, c.batch(t, 0).Array(data.X))
	if err != nil {
		t.Fatal(err)
	}
	golden.Near(t, "prediction", y, c.Predictions.Array(t), goldenTrajectory)
}

// weightsOf lists the weights in Keras's order.
func weightsOf(net nn.Sequential) (out []*nn.Param) {
	for _, l := range net {
		switch l := l.(type) {
		case *nn.Dense:
			out = append(out, &l.Kernel)
			if !l.NoBias {
				out = append(out, &l.Bias)
			}
		case *nn.Embedding:
			out = append(out, &l.Table)
		}
	}
	return out
}
