package cli

import (
	"context"
	"strings"
	"time"

	"github.com/kun-ml/kun"
	"github.com/kun-ml/kun/array"
	"github.com/kun-ml/kun/data"
	"github.com/kun-ml/kun/internal/cli/machine"
	"github.com/kun-ml/kun/internal/cpu"
	"github.com/kun-ml/kun/loss"
	"github.com/kun-ml/kun/metric"
	"github.com/kun-ml/kun/nn"
	"github.com/kun-ml/kun/prep"
)

// speeds are what this machine reaches, and what it should.
type speeds struct {
	Clock       float64 `json:"clock_hz"`                  // measured
	Flops       float64 `json:"flops_per_second"`          // of a matrix product, all threads
	FlopsOne    float64 `json:"flops_per_second_thread"`   // of one thread
	FlopsExpect float64 `json:"flops_per_second_expected"` // of one thread: what the level can do at that clock
	Step        float64 `json:"seconds_per_step"`          // of training the quick-start model, batch 32
	CopyBytes   float64 `json:"copy_bytes_per_second"`
}

// measure measures everything once.
func (a *app) measure(ctx context.Context) (speeds, error) {
	s := speeds{Clock: machine.Clock(doctorMeasure / 3), CopyBytes: machine.CopyBandwidth(doctorMeasure)}
	var err error
	if s.FlopsOne, err = productSpeed(1); err != nil {
		return s, err
	}
	if s.Flops, err = productSpeed(a.threadCount()); err != nil {
		return s, err
	}
	s.FlopsExpect = s.Clock * flopsPerCycle(cpu.InForce(), machine.CPUName())
	s.Step, err = stepTime(ctx, a.threads)
	return s, err
}

// flopsPerCycle is what the vector units of a core do in a cycle, in float32 operations, a fused multiply-add counting two.
func flopsPerCycle(level cpu.Level, name string) float64 {
	switch level.String() {
	case "avx512":
		if strings.Contains(name, "Xeon") {
			return 64 // two units of 16
		}
		return 32 // two units of 8 that join, or one of 16
	case "avx2":
		return 32
	case "neon":
		if strings.Contains(name, "Apple") {
			return 32 // four units of 4
		}
		return 16
	}
	return 2
}

// productSpeed is the speed of a product of two matrices of 768 x 768, in operations per second.
func productSpeed(threads int) (float64, error) {
	const n = 768
	m := &kun.Model{Net: nn.Sequential{&nn.Dense{Units: n, NoBias: true}}, Threads: threads}
	if err := m.Build(0, data.Field{Name: data.X, DType: array.Float32, Shape: array.Shape{n}}); err != nil {
		return 0, err
	}
	p, err := m.Predictor(n)
	if err != nil {
		return 0, err
	}
	x, y := array.New(array.Float32, n, n), array.New(array.Float32, n, n)
	best := time.Hour
	for begin := time.Now(); time.Since(begin) < doctorMeasure; {
		start := time.Now()
		if err := p.Run(y, x); err != nil {
			return 0, err
		}
		best = min(best, time.Since(start))
	}
	return 2 * n * n * n / best.Seconds(), nil
}

// stepTime is how long a training step of the quick-start model takes on average, after some steps to warm up.
func stepTime(ctx context.Context, threads int) (float64, error) {
	const batch, steps = 32, 300
	x, y := array.New(array.Uint8, batch*steps, 28, 28), array.New(array.Uint8, batch*steps)
	for i, p := 0, x.Bytes(); i < len(p); i += 3 {
		p[i] = byte(i)
	}
	for i, p := 0, y.Bytes(); i < len(p); i++ {
		p[i] = byte(i % 10)
	}
	src, err := data.FromArrays(x, y)
	if err != nil {
		return 0, err
	}
	m := &kun.Model{
		Prepare: prep.Pipeline{&prep.Rescale{Scale: 1. / 255}},
		Net:     quickStart(),
		Loss:    loss.SparseCategoricalCrossEntropy{},
		Metrics: []metric.Metric{metric.Accuracy{}},
		Threads: threads,
	}
	h, err := m.Fit(ctx, src, kun.FitOptions{Batch: batch, Epochs: 2})
	if err != nil {
		return 0, err
	}
	return h.Seconds[1] / steps, nil
}

// quickStart is the network of Keras's quick-start.
func quickStart() nn.Sequential {
	return nn.Sequential{
		&nn.Flatten{},
		&nn.Dense{Units: 128, Activation: nn.ReLU},
		&nn.Dropout{Rate: 0.2},
		&nn.Dense{Units: 10, Activation: nn.Softmax},
	}
}
