package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/kun-ml/kun"
	"github.com/kun-ml/kun/array"
	"github.com/kun-ml/kun/data"
	"github.com/kun-ml/kun/loss"
	"github.com/kun-ml/kun/metric"
	"github.com/kun-ml/kun/nn"
	"github.com/kun-ml/kun/optim"
	"github.com/kun-ml/kun/prep"
	"github.com/kun-ml/kun/tensor"
	"github.com/kun-ml/kun/train"
)

// batch is the quick-start's number of rows.
const batch = 32

// quickStart is the network of the quick-start.
func quickStart() nn.Sequential {
	return nn.Sequential{
		&nn.Flatten{},
		&nn.Dense{Units: 128, Activation: nn.ReLU},
		&nn.Dropout{Rate: 0.2},
		&nn.Dense{Units: 10, Activation: nn.Softmax},
	}
}

// fields are those of MNIST.
func fields() []data.Field {
	return []data.Field{
		{Name: data.X, DType: array.Uint8, Shape: array.Shape{28, 28}},
		{Name: data.Y, DType: array.Uint8, Shape: array.Shape{}},
	}
}

// images are rows of bytes that differ, each with a label. The time of a step does not depend on what they show.
func images(rows int) (x, y *array.Array) {
	x, y = array.New(array.Uint8, rows, 28, 28), array.New(array.Uint8, rows)
	s := uint32(1)
	for i := range x.Bytes() {
		s = s*1664525 + 1013904223
		x.Bytes()[i] = byte(s >> 24)
	}
	for i := range y.Bytes() {
		y.Bytes()[i] = byte(i % 10)
	}
	return x, y
}

// stepper is a training step with the accuracy of the quick-start, from uint8 images.
type stepper struct {
	step  *train.Step
	batch *data.Batch
}

func newStepper(threads int, seed uint64) (*stepper, error) {
	net, rescale := quickStart(), &prep.Rescale{Scale: 1. / 255}
	step, err := train.NewStep(train.Config{
		Model: net, Device: train.CPU(threads), Batch: batch, Seed: seed, Optimizer: optim.Adam{},
		Loss: func(in *train.Inputs) *tensor.Tensor {
			p := net.Forward(rescale.Forward(in.X))
			in.Measure(metric.Accuracy{}, p, in.Y, nil)
			return loss.SparseCategoricalCrossEntropy{}.Loss(p, in.Y)
		},
	}, fields())
	if err != nil {
		return nil, err
	}
	x, y := images(batch)
	return &stepper{step, &data.Batch{Fields: fields(), Arrays: []*array.Array{x, y}, Size: batch}}, nil
}

func (s *stepper) run() error {
	_, err := s.step.Run(s.batch)
	return err
}

// predictor saves the network as a model, loads it and predicts that many rows of uint8 images.
func (p *peer) predictor(rows int) (func() error, error) {
	if f := p.rows[rows]; f != nil {
		return f, nil
	}
	if rows < 1 {
		return nil, fmt.Errorf("%d rows", rows)
	}
	m, err := saved()
	if err != nil {
		return nil, err
	}
	m.Threads = p.threads
	pr, err := m.Predictor(rows)
	if err != nil {
		return nil, err
	}
	x, _ := images(rows)
	dst := array.New(array.Float32, rows, 10)
	f := func() error { return pr.Run(dst, x) }
	if p.rows == nil {
		p.rows = map[int]func() error{}
	}
	p.rows[rows] = f
	return f, nil
}

// saved is the quick-start's model, with fresh weights, after it went to the disk and back.
func saved() (*kun.Model, error) {
	dir, err := os.MkdirTemp("", "kun-bench")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	m := &kun.Model{
		Prepare:   prep.Pipeline{&prep.Rescale{Scale: 1. / 255}},
		Net:       quickStart(),
		Loss:      loss.SparseCategoricalCrossEntropy{},
		Optimizer: optim.Adam{},
		Metrics:   []metric.Metric{metric.Accuracy{}},
	}
	if err := m.Build(1, fields()[:1]...); err != nil {
		return nil, err
	}
	path := filepath.Join(dir, "model")
	if err := m.Save(path); err != nil {
		return nil, err
	}
	return kun.Load(path)
}
