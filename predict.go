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
}

// Predictor compiles prediction for batches of that many rows; other numbers of rows follow when they appear.
func (m *Model) Predictor(batch int) (*Predictor, error) {
	if batch < 1 {
		return nil, fmt.Errorf("kun: a predictor for %d rows", batch)
	}
	m.mu.RLock()
	defer m.mu.RUnlock()
	if m.vars == nil {
		return nil, fmt.Errorf("kun: the model has no weights yet: Fit, Build or Load come first")
	}
	return m.predictor(batch, m.fields, m.vars)
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
	for _, n := range []int{batch, batch + 1} { // one size alone may hit by chance
		g := p.c.Graph()
		if n != batch {
			if g, err = m.trace(fields, n); err != nil {
				return nil, err
			}
		}
		if err := checkOutputs(g.Outs, n); err != nil {
			return nil, err
		}
	}
	for _, o := range p.c.Graph().Outs {
		p.outs = append(p.outs, o.Type())
	}
	p.run.Inputs, p.run.Outputs = make([]*array.Array, len(fields)), make([]*array.Array, len(p.outs))
	return p, nil
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

// Predict computes the output for rows of the inputs, in the order of Model.Inputs: (N,...) to (N,...). Where the model takes
// floating-point numbers, inputs of other types are converted (integers of more than 24 bits are rounded to float32);
// elsewhere the type must be the model's. A model with several outputs gives them by PredictAll.
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
	p, done, err := m.borrow(min(evalBatch, max(1, inputs[0].Dim(0))))
	if err != nil {
		return nil, err
	}
	defer done()
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
		if err := p.c.Run(to-from, &p.run); err != nil {
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

// borrow gives a predictor whose weights stay as they are until done is called: while training runs one with a copy, else
// an idle one or a new one, and m.mu is locked for reading.
func (m *Model) borrow(batch int) (p *Predictor, done func(), err error) {
	m.mu.RLock()
	vars, shared, err := m.now()
	if err == nil && shared {
		p = m.idle()
	}
	fields := m.fields
	if !shared {
		m.mu.RUnlock()
	}
	if err == nil && p == nil {
		p, err = m.predictor(batch, fields, vars)
	}
	if !shared {
		return p, func() {}, err
	}
	if err != nil {
		m.mu.RUnlock()
		return nil, nil, err
	}
	return p, func() { m.give(p); m.mu.RUnlock() }, nil
}

// idle takes an idle predictor; nil when there is none.
func (m *Model) idle() *Predictor {
	m.predictMu.Lock()
	defer m.predictMu.Unlock()
	k := len(m.predictors)
	if k == 0 {
		return nil
	}
	p := m.predictors[k-1]
	m.predictors = m.predictors[:k-1]
	return p
}

func (m *Model) give(p *Predictor) {
	clear(p.run.Inputs)
	clear(p.run.Outputs)
	m.predictMu.Lock()
	defer m.predictMu.Unlock()
	if len(m.predictors) < 4 {
		m.predictors = append(m.predictors, p)
	}
}

// dropPredictors forgets the idle predictors, when the model's variables are others.
func (m *Model) dropPredictors() {
	m.predictMu.Lock()
	defer m.predictMu.Unlock()
	m.predictors = nil
}
