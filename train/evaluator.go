package train

import (
	"context"

	"github.com/kun-ml/kun/array"
	"github.com/kun-ml/kun/data"
	"github.com/kun-ml/kun/device"
	"github.com/kun-ml/kun/tensor"
)

// Evaluator computes the loss and the metrics of a model over data, as at inference, without changing it.
// It serves one goroutine at a time.
type Evaluator struct {
	c       *Compiled
	metrics []measured
	run     device.Run
}

// NewEvaluator traces and compiles the evaluation. Of c it takes Model, Loss, Device, Seed, Batch and Vars, whose totals it
// does not touch: it has its own.
func NewEvaluator(c Config, fields []data.Field) (*Evaluator, error) {
	if c.Device == nil {
		c.Device = CPU(0)
	}
	if c.Batch <= 0 {
		c.Batch = 32
	}
	e := &Evaluator{run: device.Run{Seed: c.Seed}}
	own := map[string]*tensor.Var{}
	for p, v := range c.Vars {
		if v.Role == tensor.Weight || v.Role == tensor.State {
			own[p] = v
		}
	}
	var err error
	e.c, err = Compile(c.Device, tensor.Options{Model: c.Model}, fields, c.Batch, c.Seed, own, func(ts []*tensor.Tensor) []*tensor.Tensor {
		var ms []measured
		in := newInputs(fields, ts, &ms)
		loss := Mean(c.Loss(in), in.Weight)
		for _, l := range loss.Graph().Trace().Losses {
			loss = loss.Add(l.Value.Cast(loss.DType()))
		}
		total("loss", loss.Cast(array.Float32), rows(ts))
		e.metrics = ms
		return nil
	})
	if err != nil {
		return nil, err
	}
	return e, nil
}

// Run goes once over the batches and gives the figures: the loss, then the metrics.
func (e *Evaluator) Run(ctx context.Context, b *data.Batches) ([]Figure, error) {
	resetTotals(e.c.vars)
	for batch, err := range b.Epoch(ctx, 0, 0) {
		if err != nil {
			return nil, err
		}
		e.run.Inputs = batch.Arrays
		if err := e.c.Run(batch.Size, &e.run); err != nil {
			return nil, err
		}
	}
	return figures(e.c.vars, e.metrics, nil), nil
}
