package loss_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/kun-ml/kun/array"
	"github.com/kun-ml/kun/device"
	"github.com/kun-ml/kun/internal/golden"
	"github.com/kun-ml/kun/loss"
	"github.com/kun-ml/kun/tensor"
)

type goldenLoss struct {
	Class        string
	Args         json.RawMessage
	YTrue        golden.Tensor  `json:"y_true"`
	YPred        golden.Tensor  `json:"y_pred"`
	SampleWeight *golden.Tensor `json:"sample_weight"`
	Loss, Grad   golden.Tensor
}

// reduce is what Keras makes of the numbers per sample: the work of the training step, here for the test alone.
func reduce(e, weight *tensor.Tensor, how string) *tensor.Tensor {
	count := tensor.Full(e, 1, e.Shape()...).Sum()
	if weight != nil {
		if weight.Rank() == e.Rank()+1 && weight.Dim(-1) == 1 {
			weight = weight.Reshape(weight.Shape()[:e.Rank()]...)
		}
		for weight.Rank() < e.Rank() {
			weight = weight.Reshape(append(weight.Shape().Clone(), 1)...)
		}
	}
	if m := e.Mask(); m != nil {
		w := m.Cast(e.DType())
		if how == "sum_over_batch_size" || how == "mean" { // what counts is weighed up by total / valid
			w = w.Mul(count.Div(w.Sum().AddScalar(1e-7)))
		}
		if weight != nil {
			w = w.Mul(weight)
		}
		weight = w
	}
	if weight != nil {
		e = e.Mul(weight)
	}
	switch how {
	case "none":
		return e
	case "sum":
		return e.Sum()
	case "mean_with_sample_weight":
		if weight != nil {
			count = weight.Sum()
		}
	}
	return e.Sum().Div(count)
}

func TestLosses_GoldenKeras(t *testing.T) {
	var cases []goldenLoss
	golden.Read(t, "losses.json", &cases)
	tally, devices := golden.NewTally(), golden.Devices(t)
	for i := range cases {
		c := &cases[i]
		l, how, axis := golden.Loss(t, golden.Serialized{Class: c.Class, Config: c.Args})
		if l == nil {
			tally.Later[c.Class]++
			continue
		}
		pass := true
		for _, d := range devices {
			pass = t.Run(fmt.Sprintf("%s/%d_%s_%s", d.Name(), i, c.Class, c.Args), func(t *testing.T) { checkLoss(t, d, l, c, how, axis) }) && pass
		}
		tally.Add(c.Class, pass)
	}
	tally.Log(t, "losses", "MeanSquaredError", "MeanAbsoluteError", "Huber", "BinaryCrossentropy", "CategoricalCrossentropy", "SparseCategoricalCrossentropy")
}

func checkLoss(t *testing.T, d device.Device, l loss.Loss, c *goldenLoss, how string, axis int) {
	in := []*array.Array{c.YPred.Array(t), c.YTrue.Array(t)}
	if c.SampleWeight != nil {
		in = append(in, c.SampleWeight.Array(t))
	}
	last := func(x *tensor.Tensor) *tensor.Tensor { // the axis that Keras counts along, moved to the end
		if a := axis; a != -1 && a != x.Rank()-1 && x.Rank() == len(c.YPred.Shape) {
			if a < 0 {
				a += x.Rank()
			}
			var perm []int
			for i := range x.Rank() {
				if i != a {
					perm = append(perm, i)
				}
			}
			return x.Permute(append(perm, a)...)
		}
		return x
	}
	p := golden.Compile(t, d, tensor.Options{}, nil, in, func(in []*tensor.Tensor) []*tensor.Tensor {
		var w *tensor.Tensor
		if len(in) > 2 {
			w = in[2]
		}
		e := reduce(l.Loss(last(in[0]), last(in[1])), w, how)
		return []*tensor.Tensor{e, tensor.Grad(e.Sum(), in[0])[0]}
	})
	out := p.Run(t, 0, in...)
	golden.Near(t, "loss", out[0].Reshape(-1), c.Loss.Array(t).Reshape(-1), golden.Value)
	golden.Near(t, "gradient", out[1], c.Grad.Array(t), golden.Grad)
}
