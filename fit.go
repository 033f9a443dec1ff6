package kun

import (
	"context"
	"fmt"
	"maps"

	"github.com/kun-ml/kun/array"
	"github.com/kun-ml/kun/data"
	"github.com/kun-ml/kun/device"
	"github.com/kun-ml/kun/tensor"
	"github.com/kun-ml/kun/train"
)

// FitOptions says how Fit trains. The zero value trains one epoch in shuffled batches of 32.
type FitOptions struct {
	// Epochs is how often to go through the data; 0 means 1.
	Epochs int
	// Batch is how many samples a step takes; 0 means 32.
	Batch int
	// Validate is evaluated at the end of each epoch, for the figures "val_..."; nil: nothing is.
	Validate data.Source
	// Seed is where all random numbers start: new weights, the order of samples, dropout.
	Seed uint64
	// NoShuffle keeps the order of the samples.
	NoShuffle bool
	// Freeze is a pattern of the paths of parameters that do not learn, "Backbone.**"; see optim.Match.
	Freeze string
	// ClassWeight multiplies the losses of the samples of a class, by its number in the field "y"; missing ones count 1.
	ClassWeight map[int]float64
	// Callbacks are told how training goes, in this order.
	Callbacks []train.Callback
	// Prefetch is how many batches another goroutine prepares ahead; data in memory need none.
	Prefetch int
	// Resume goes on with the Fit before, also one of a model that was saved and loaded, as if it had never stopped: the
	// same batches, random numbers and rates follow, and callbacks remember what they knew. Epochs counts those that are
	// done. The data and the options must be the same, but for Epochs.
	Resume bool
	// KeepGoing goes on when a loss is not a number; by default that ends training with a *train.DivergedError.
	KeepGoing bool
}

// Fit trains the network on src, which has the inputs, the field "y" and perhaps "weight". It traces and compiles first:
// mistakes in shapes, and answers that the loss cannot compare with, are errors before the first step, and leave the model as
// it was. Fit may be called again to go on: weights, the optimizer's memory, the counts of steps and epochs and a rate that
// a callback has changed stay. When ctx ends, the running step is finished and the model keeps what it has learnt.
func (m *Model) Fit(ctx context.Context, src data.Source, o FitOptions) (*train.History, error) {
	if err := m.ready(src, o); err != nil {
		return nil, err
	}
	if !m.training.CompareAndSwap(false, true) {
		return nil, fmt.Errorf("kun: Fit is running already")
	}
	defer m.training.Store(false)
	batches, err := data.NewBatches(src, data.Options{Batch: o.Batch, Shuffle: !o.NoShuffle, Seed: o.Seed, Prefetch: o.Prefetch,
		Workers: workers(m.device())})
	if err != nil {
		return nil, err
	}
	undo, err := m.prepare(ctx, src)
	if err != nil {
		return nil, err
	}
	step, opts, warnings, err := m.compile(ctx, src, o)
	if err == nil {
		opts.State, err = m.resume(o, src.Len(), step)
	}
	if err != nil {
		undo()
		return nil, err
	}
	m.adopt(src, step.Vars())
	m.begin(src, o)
	opts.Save = func(dir string, s *train.State) error { return m.saveNow(dir, m.progressOf(o, src.Len(), s)) }
	h, err := train.Loop(ctx, step, batches, opts)
	if h != nil {
		h.Warnings = warnings
	}
	m.remember(o, src.Len(), step, opts.State, h)
	return h, cause(ctx, src, err)
}

// ready checks what Fit needs before any work.
func (m *Model) ready(src data.Source, o FitOptions) error {
	if m.Net == nil {
		return fmt.Errorf("kun: Model.Net is not set")
	}
	if _, ok := m.Net.(*saved); ok {
		return fmt.Errorf("kun: this model was loaded without its Go type: it predicts and evaluates, it cannot be trained; use LoadInto(dir, &Net{})")
	}
	if err := m.judged(src); err != nil {
		return err
	}
	if o.Validate == nil {
		return nil
	}
	if err := m.judged(o.Validate); err != nil {
		return fmt.Errorf("validation data: %w", err)
	}
	for _, name := range append([]string{data.Y}, m.inputs()...) {
		a, _ := data.FieldOf(src, name)
		if b, _ := data.FieldOf(o.Validate, name); a.DType != b.DType || !a.Shape.Equal(b.Shape) {
			return fmt.Errorf("kun: validation data: the field %q is %v%v, that of the training data %v%v", name, b.DType, b.Shape, a.DType, a.Shape)
		}
	}
	return nil
}

// judged checks what Fit and Evaluate need: a loss, answers, inputs of the right types.
func (m *Model) judged(src data.Source) error {
	if m.Loss == nil {
		return fmt.Errorf("kun: Model.Loss is not set")
	}
	if src == nil {
		return fmt.Errorf("kun: no data")
	}
	if _, ok := data.FieldOf(src, data.Y); !ok {
		return fmt.Errorf("kun: the data have no field %q to compare the output with; they have %v", data.Y, src.Fields())
	}
	return m.fits(src)
}

// compile makes the step and, when there is data to validate on, the evaluator. It changes nothing of the model but the
// weights that it does not have yet.
func (m *Model) compile(ctx context.Context, src data.Source, o FitOptions) (step *train.Step, opts train.Options, warnings []string, err error) {
	opts = train.Options{Epochs: o.Epochs, Callbacks: o.Callbacks, KeepGoing: o.KeepGoing, Lock: &m.mu}
	batch := o.Batch
	if batch == 0 {
		batch = 32
	}
	c := m.config(min(batch, src.Len()), o.Seed)
	c.Freeze = o.Freeze
	c.Vars = map[string]*tensor.Var{}
	maps.Copy(c.Vars, m.whole)
	weigh, width := classWeights(o.ClassWeight), 0
	c.Loss = func(in *train.Inputs) *tensor.Tensor { return m.losses(in, weigh, &width) }
	if step, err = train.NewStep(c, src.Fields()); err != nil {
		return nil, opts, nil, err
	}
	if warnings, err = m.warnings(ctx, src, o, width, step); err != nil {
		return nil, opts, nil, err
	}
	step.SetCount(m.steps)
	if m.factor > 0 {
		step.SetRateFactor(m.factor)
	}
	if o.Validate == nil {
		return step, opts, warnings, nil
	}
	if opts.Evaluate, opts.Validation, err = m.evaluator(ctx, o.Validate, step.Vars()); err != nil {
		err = fmt.Errorf("validation data: %w", err)
	}
	return step, opts, warnings, err
}

// adopt makes the variables of a step those of the model.
func (m *Model) adopt(src data.Source, vars map[string]*tensor.Var) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fields, _ = m.fieldsOf(src)
	m.vars, m.whole = map[string]*tensor.Var{}, map[string]*tensor.Var{}
	for p, v := range vars {
		switch v.Role {
		case tensor.Weight, tensor.State:
			m.vars[p], m.whole[p] = v, v
		case tensor.Slot:
			m.whole[p] = v
		}
	}
	m.fitted = true
	m.dropPredictors()
	if m.Classes == nil {
		m.Classes = data.ClassesOf(src)
	}
}

// begin notes what the model is trained on.
func (m *Model) begin(src data.Source, o FitOptions) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.info.Dataset, m.info.Samples, m.info.Seed = nameOf(src), src.Len(), o.Seed
}

// remember notes how a Fit has ended.
func (m *Model) remember(o FitOptions, samples int, step *train.Step, s *train.State, h *train.History) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.steps, m.factor = step.Count(), step.RateFactor()
	if s.History != nil {
		m.progress = m.progressOf(o, samples, s)
	}
	if h != nil && len(h.Epochs) > 0 {
		m.info = m.info.after(s.First, h)
	}
}

// after is what is told after the epochs of h, of which the first has the number first.
func (i Info) after(first int, h *train.History) Info {
	i.Epochs, i.Figures = first+len(h.Epochs), nil
	for _, n := range h.Names {
		if v, ok := h.Last(n); ok {
			i.Figures = append(i.Figures, train.Figure{Name: n, Value: v})
		}
	}
	return i
}

// nameOf is the name of the set that a source draws from.
func nameOf(src data.Source) string {
	for {
		switch s := src.(type) {
		case *data.Set:
			return s.Name
		case interface{ Unwrap() data.Source }:
			src = s.Unwrap()
		default:
			return ""
		}
	}
}

// classWeights multiplies losses by the weight of the class that y names.
func classWeights(by map[int]float64) func(l, y *tensor.Tensor) *tensor.Tensor {
	if len(by) == 0 {
		return nil
	}
	return func(l, y *tensor.Tensor) *tensor.Tensor {
		n := 0
		for c := range by {
			n = max(n, c+1)
		}
		table := make([]float32, n+1) // the last one stands for all classes above, and for the numbers below 0 that a loss ignores
		for i := range table {
			table[i] = 1
		}
		for c, w := range by {
			if c < 0 {
				panic(&tensor.ShapeError{Op: "Fit", Why: fmt.Sprintf("ClassWeight names class %d", c), Hint: "classes are numbered from 0"})
			}
			table[c] = float32(w)
		}
		k := y
		if k.Rank() > l.Rank() && k.Dim(-1) == 1 {
			k = k.Reshape(l.Shape()...)
		} else if k.Rank() > l.Rank() {
			k = k.ArgMax(-1) // one-hot
		}
		k = k.Cast(array.Int32)
		none := tensor.Full(k, float64(n))
		k = tensor.Where(k.Less(none), k, none)
		k = tensor.Where(k.Less(tensor.Full(k, 0)), none, k)
		w := tensor.Const(y, array.From(table)).Take(k)
		return l.Mul(w.Cast(l.DType())).WithMask(l.Mask())
	}
}

// workers are those of a device that has some.
func workers(d device.Device) data.Workers {
	w, _ := d.(data.Workers)
	return w
}
