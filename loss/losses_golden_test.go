package loss_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/kun-ml/kun/array"
	"github.com/kun-ml/kun/device"
	"github.com/kun-ml/kun/loss"
	"github.com/kun-ml/kun/tensor"
)

type goldenLoss struct {
	Class        string
	Args         map[string]any
	YTrue        goldenTensor  `json:"y_true"`
	YPred        goldenTensor  `json:"y_pred"`
	SampleWeight *goldenTensor `json:"sample_weight"`
	Loss, Grad   goldenTensor
}

var kerasLosses = map[string]string{"MeanSquaredError": "mean_squared_error", "MeanAbsoluteError": "mean_absolute_error", "Huber": "huber",
	"BinaryCrossentropy": "binary_crossentropy", "CategoricalCrossentropy": "categorical_crossentropy", "SparseCategoricalCrossentropy": "sparse_categorical_crossentropy"}

// reduce is what Keras makes of the numbers per sample: the work of the training step, here for the test alone.
func reduce(e, weight *tensor.Tensor, how string) *tensor.Tensor {
	count := tensor.Full(e, 1, e.Shape()...).Sum()
	if m := e.Mask(); m != nil { // what counts is weighed up by total / valid
		w := m.Cast(e.DType())
		if how != "sum" {
			w = w.Mul(count.Div(w.Sum().AddScalar(1e-7)))
		}
		e = e.Mul(w)
	}
	if weight != nil {
		e = e.Mul(weight)
	}
	switch how {
	case "sum":
		return e.Sum().Reshape(1)
	case "mean_with_sample_weight":
		if weight != nil {
			count = weight.Sum()
		}
		return e.Sum().Div(count).Reshape(1)
	case "sum_over_batch_size":
		return e.Sum().Div(count).Reshape(1)
	}
	return e
}

func TestLosses_GoldenKeras(t *testing.T) {
	var cases []goldenLoss
	readGolden(t, "losses.json", &cases)
	ran, left := map[string]int{}, map[string]int{}
	for i, c := range cases {
		name := kerasLosses[c.Class]
		if name == "" {
			left[c.Class]++
			continue
		}
		how := c.Args["reduction"].(string)
		delete(c.Args, "reduction")
		if k, ok := c.Args["ignore_class"]; ok {
			c.Args["ignore_classes"] = []any{k}
			delete(c.Args, "ignore_class")
		}
		args, err := json.Marshal(map[string]any{name: c.Args})
		if err != nil {
			t.Fatal(err)
		}
		l, err := loss.Unmarshal(args)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range devices() {
			t.Run(fmt.Sprintf("%s/%d_%s_%s_%s", d.Name(), i, c.Class, how, args), func(t *testing.T) { checkLoss(t, d, l, &c, how) })
		}
		ran[c.Class]++
	}
	for c := range kerasLosses {
		if ran[c] == 0 {
			t.Errorf("no case of %s", c)
		}
	}
	count(t, "losses", ran, left)
}

func checkLoss(t *testing.T, d device.Device, l loss.Loss, c *goldenLoss, how string) {
	in := []*array.Array{c.YPred.Array(t), c.YTrue.Array(t)}
	if c.SampleWeight != nil {
		in = append(in, c.SampleWeight.Array(t))
	}
	out := run(t, d, tensor.Options{}, nil, in, func(in []*tensor.Tensor) []*tensor.Tensor {
		var w *tensor.Tensor
		if len(in) > 2 {
			w = in[2]
		}
		e := reduce(l.Loss(in[0], in[1]), w, how)
		return []*tensor.Tensor{e, tensor.Grad(e.Sum(), in[0])[0]}
	})
	near(t, "loss", out[0], c.Loss.Array(t), goldenValue)
	near(t, "gradient", out[1], c.Grad.Array(t), goldenGrad)
}
