package kun

import (
	"context"
	"fmt"

	"github.com/kun-ml/kun/array"
	"github.com/kun-ml/kun/data"
	"github.com/kun-ml/kun/device"
	"github.com/kun-ml/kun/tensor"
	"github.com/kun-ml/kun/train"
)

// Predictor runs a model over batches without allocating. It serves one goroutine at a time; several may run at once.
type Predictor struct {
	m    *Model
	c    *train.Compiled
	vars map[string]*tensor.Var
	run  device.Run
	outs []tensor.Type // at the batch size of the first compilation
	copy bool          // vars are a copy, for prediction beside training
}

// Predictor compiles prediction for batches of that many rows; other numbers of rows follow when they appear.
func (m *Model) Predictor(batch int) (*Predictor, error) {
	if batch < 1 {
		return nil, fmt.Errorf("kun: a predictor for %d rows", batch)
	}
	m.mu.RLock()
	fields, vars := m.fields, m.vars
	m.mu.RUnlock()
	if fields == nil {
		return nil, fmt.Errorf("kun: the model has no weights yet: Fit, Build or Load come first")
	}
	return m.predictor(batch, fields, vars)
}

func (m *Model) predictor(batch int, fields []data.Field, vars map[string]*tensor.Var) (*Predictor, error) {
	p := &Predictor{m: m, vars: map[string]*tensor.Var{}}
	for path, v := range vars {
		p.vars[path] = v
	}
	var err error
	p.c, err = train.Compile(m.device(), tensor.Options{Model: m.Net}, fields, batch, 0, p.vars, func(ts []*tensor.Tensor) []*tensor.Tensor {
		return m.forward(named(fields, ts))
	})
	if err != nil {
		return nil, err
	}
	if err := checkOutputs(p.c.Graph(), batch); err != nil {
		return nil, err
	}
	for _, o := range p.c.Graph().Outs {
		p.outs = append(p.outs, o.Type())
	}
	p.run.Inputs, p.run.Outputs = make([]*array.Array, len(fields)), make([]*array.Array, len(p.outs))
	return p, nil
}

// checkOutputs demands that a network gives one row of each output for every row of its inputs.
func checkOutputs(g *tensor.Graph, batch int) error {
	if len(g.Outs) == 0 {
		return fmt.Errorf("kun: the network has no output")
	}
	for i, o := range g.Outs {
		if s := o.Shape(); len(s) == 0 || s[0] != batch {
			return fmt.Errorf("kun: output %d of the network has the shape %v for %d samples; its first axis must be the samples", i, s, batch)
		}
	}
	return nil
}

// OutputShape is the shape of one row of output i.
func (p *Predictor) OutputShape(i int) array.Shape { return p.outs[i].Shape[1:] }

// Outputs is the number of outputs.
func (p *Predictor) Outputs() int { return len(p.outs) }

// Run computes the output for the rows of the inputs, in the order of Model.Inputs, and writes it to dst, float32 of shape
// (rows, OutputShape(0)...). It allocates nothing once a number of rows was seen. Beside Fit it sees the weights between
// two steps.
func (p *Predictor) Run(dst *array.Array, inputs ...*array.Array) error {
	if len(inputs) != len(p.run.Inputs) {
		return fmt.Errorf("kun: %d inputs, the model takes %d", len(inputs), len(p.run.Inputs))
	}
	for i, x := range inputs {
		if err := p.check(i, x); err != nil {
			return err
		}
	}
	if t := p.outs[0]; dst.DType() != t.DType || dst.Rank() != len(t.Shape) || dst.Dim(0) != inputs[0].Dim(0) || !dst.Shape()[1:].Equal(t.Shape[1:]) {
		return fmt.Errorf("kun: the destination is %v%v, want %v(%d, ...) with rows %v", dst.DType(), dst.Shape(), t.DType, inputs[0].Dim(0), t.Shape[1:])
	}
	copy(p.run.Inputs, inputs)
	p.run.Outputs[0] = dst
	return p.once(inputs[0].Dim(0))
}

func (p *Predictor) check(i int, x *array.Array) error {
	f := p.c.Fields()[i]
	if x.DType() != f.DType || x.Rank() != len(f.Shape)+1 || !x.Shape()[1:].Equal(f.Shape) {
		return fmt.Errorf("kun: input %q is %v%v, the model wants %v with rows of shape %v", f.Name, x.DType(), x.Shape(), f.DType, f.Shape)
	}
	return nil
}

// once runs the program on a batch while no step changes the weights.
func (p *Predictor) once(rows int) error {
	p.m.mu.RLock()
	defer p.m.mu.RUnlock()
	return p.c.Run(rows, &p.run)
}

// Predict computes the output for rows of the inputs, in the order of Model.Inputs: (N,...) to (N,...). Inputs of another
// element type are converted to the one that the model takes when that is floating point; large numbers are rounded.
// A model with several outputs gives them by PredictAll.
func (m *Model) Predict(ctx context.Context, inputs ...*array.Array) (*array.Array, error) {
	out, err := m.PredictAll(ctx, inputs...)
	if err != nil {
		return nil, err
	}
	if len(out) != 1 {
		return nil, fmt.Errorf("kun: the model has %d outputs: use PredictAll", len(out))
	}
	return out[0], nil
}

// PredictAll is Predict for models with any number of outputs.
func (m *Model) PredictAll(ctx context.Context, inputs ...*array.Array) ([]*array.Array, error) {
	if len(inputs) == 0 || inputs[0].Rank() == 0 {
		return nil, fmt.Errorf("kun: Predict wants arrays of rows")
	}
	p, err := m.borrow(min(evalBatch, max(1, inputs[0].Dim(0))))
	if err != nil {
		return nil, err
	}
	defer m.give(p)
	xs, err := p.convert(inputs)
	if err != nil {
		return nil, err
	}
	n := xs[0].Dim(0)
	outs := make([]*array.Array, len(p.outs))
	for i, t := range p.outs {
		outs[i] = array.New(t.DType, append(array.Shape{n}, t.Shape[1:]...)...)
	}
	for from := 0; from < n; from += evalBatch {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		to := min(n, from+evalBatch)
		for i, x := range xs {
			p.run.Inputs[i] = x.Rows(from, to)
		}
		for i, o := range outs {
			p.run.Outputs[i] = o.Rows(from, to)
		}
		if err := p.once(to - from); err != nil {
			return nil, err
		}
	}
	return outs, nil
}

// convert checks the inputs and brings them to the model's element types.
func (p *Predictor) convert(inputs []*array.Array) ([]*array.Array, error) {
	if len(inputs) != len(p.run.Inputs) {
		return nil, fmt.Errorf("kun: %d inputs, the model takes %d", len(inputs), len(p.run.Inputs))
	}
	out := make([]*array.Array, len(inputs))
	for i, x := range inputs {
		f := p.c.Fields()[i]
		if f.DType.IsFloat() && x.DType() != f.DType {
			x = x.To(f.DType)
		}
		if err := p.check(i, x); err != nil {
			return nil, err
		}
		if x.Dim(0) != inputs[0].Dim(0) {
			return nil, fmt.Errorf("kun: input %q has %d rows, the first input %d", f.Name, x.Dim(0), inputs[0].Dim(0))
		}
		out[i] = x
	}
	return out, nil
}

// borrow gives a predictor whose weights stay as they are during the whole call.
func (m *Model) borrow(batch int) (*Predictor, error) {
	if m.training.Load() {
		m.mu.RLock()
		fields, vars := m.fields, m.vars
		if vars != nil {
			vars = copyVars(vars)
		}
		m.mu.RUnlock()
		if vars == nil {
			return nil, fmt.Errorf("kun: the model has no weights yet: Fit is still preparing")
		}
		p, err := m.predictor(batch, fields, vars)
		if err == nil {
			p.copy = true
		}
		return p, err
	}
	m.predictMu.Lock()
	if k := len(m.predictors); k > 0 {
		p := m.predictors[k-1]
		m.predictors = m.predictors[:k-1]
		m.predictMu.Unlock()
		return p, nil
	}
	m.predictMu.Unlock()
	return m.Predictor(batch)
}

func (m *Model) give(p *Predictor) {
	clear(p.run.Inputs)
	clear(p.run.Outputs)
	m.predictMu.Lock()
	defer m.predictMu.Unlock()
	if !p.copy && len(m.predictors) < 4 {
		m.predictors = append(m.predictors, p)
	}
}

// dropPredictors forgets the idle predictors, when the model's variables are others.
func (m *Model) dropPredictors() {
	m.predictMu.Lock()
	defer m.predictMu.Unlock()
	m.predictors = nil
}
