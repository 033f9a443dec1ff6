package train_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/kun-ml/kun/array"
	"github.com/kun-ml/kun/data"
	"github.com/kun-ml/kun/device"
	"github.com/kun-ml/kun/device/cpu"
	"github.com/kun-ml/kun/internal/rng"
	"github.com/kun-ml/kun/loss"
	"github.com/kun-ml/kun/metric"
	"github.com/kun-ml/kun/nn"
	"github.com/kun-ml/kun/optim"
	"github.com/kun-ml/kun/tensor"
	"github.com/kun-ml/kun/train"
)

// quickStart is the step of the MNIST quick-start with its metric, and batches for it: many, or the network would learn a
// batch by heart, and its gradients would become denormal numbers, which are slow.
func quickStart(tb testing.TB, d device.Device, size int) (*train.Step, []*data.Batch) {
	tb.Helper()
	net := nn.Sequential{&nn.Flatten{}, &nn.Dense{Units: 128, Activation: nn.ReLU}, &nn.Dropout{Rate: 0.2}, &nn.Dense{Units: 10, Activation: nn.Softmax}}
	fields := []data.Field{{Name: data.X, DType: array.Uint8, Shape: array.Shape{28, 28}}, {Name: data.Y, DType: array.Uint8, Shape: array.Shape{}}}
	step, err := train.NewStep(train.Config{Model: net, Device: d, Batch: size, Seed: 1, Optimizer: optim.Adam{},
		Loss: func(in *train.Inputs) *tensor.Tensor {
			y := net.Forward(in.X.Cast(array.Float32).Scale(1. / 255))
			in.Measure(metric.Accuracy{}, y, in.Y, nil)
			return loss.SparseCategoricalCrossEntropy{}.Loss(y, in.Y)
		}}, fields)
	if err != nil {
		tb.Fatal(err)
	}
	var batches []*data.Batch
	r := rng.New(1, "batch")
	for range 192 {
		x, y := array.New(array.Uint8, size, 28, 28), array.New(array.Uint8, size)
		for i := range x.Bytes() {
			x.Bytes()[i] = byte(r.IntN(256))
		}
		for i := range y.Bytes() {
			y.Bytes()[i] = byte(r.IntN(10))
		}
		batches = append(batches, &data.Batch{Fields: fields, Arrays: []*array.Array{x, y}, Size: size})
	}
	return step, batches
}

// BenchmarkStep is a training step of the quick-start: batch 32, 784-128-10, dropout, accuracy, Adam.
func BenchmarkStep(b *testing.B) {
	for _, threads := range []int{1, 2} {
		b.Run(fmt.Sprintf("threads=%d", threads), func(b *testing.B) {
			d := cpu.New(cpu.Options{Threads: threads})
			defer d.Close()
			step, batches := quickStart(b, d, 32)
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if _, err := step.Run(batches[i%len(batches)]); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkNewStep is the way from the trace to the first step.
func BenchmarkNewStep(b *testing.B) {
	d := cpu.New(cpu.Options{Threads: 2})
	defer d.Close()
	for b.Loop() {
		step, batches := quickStart(b, d, 32)
		if _, err := step.Run(batches[0]); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkProfile prints where the time of a step goes.
func BenchmarkProfile(b *testing.B) {
	d := cpu.New(cpu.Options{Threads: 1, Profile: true})
	defer d.Close()
	step, batches := quickStart(b, d, 32)
	for i := 0; b.Loop(); i++ {
		if _, err := step.Run(batches[i%len(batches)]); err != nil {
			b.Fatal(err)
		}
	}
	for _, s := range step.Program().Profile() {
		b.Logf("%8.2f us  %-24s %-12s %9.0f flops %8d bytes", float64(s.Time)/float64(time.Microsecond)/float64(s.Runs), s.Op, s.Layer, s.FLOPs, s.Bytes)
	}
}

func TestStep_AllocatesNothing(t *testing.T) {
	d := cpu.New(cpu.Options{Threads: 2})
	defer d.Close()
	step, batches := quickStart(t, d, 32)
	if n := testing.AllocsPerRun(20, func() {
		if _, err := step.Run(batches[0]); err != nil {
			t.Fatal(err)
		}
	}); n > 0 {
		t.Errorf("%v allocations a step", n)
	}
}
