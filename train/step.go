package train

import (
	"fmt"
	"slices"

	"github.com/kun-ml/kun/array"
	"github.com/kun-ml/kun/data"
	"github.com/kun-ml/kun/device"
	"github.com/kun-ml/kun/optim"
	"github.com/kun-ml/kun/tensor"
)

// Config says what a training step does.
type Config struct {
	// Model is walked for its parameters: a pointer to a struct, or a nn.Sequential.
	Model any
	// Loss computes the losses of a batch: one number per sample, (B) or (B,T), which the step weighs by the field "weight"
	// and averages (Mean); or a scalar, which it takes as it is. What layers add by AddLoss comes on top.
	Loss func(in *Inputs) *tensor.Tensor
	// Optimizer changes the weights; nil: optim.Adam{}.
	Optimizer optim.Optimizer
	// Only are the paths that learn, such as "Critic.**"; empty: all. A pattern that matches nothing is an error.
	Only string
	// Freeze are paths that do not learn, such as "Backbone.**"; empty: none. A pattern that matches nothing is an error.
	Freeze string
	// Device runs the step; nil: CPU(0).
	Device device.Device
	// Seed is where the random streams of new weights and of dropout start.
	Seed uint64
	// Batch is the batch size to compile for first; 0 means 32. Other sizes follow when they appear.
	Batch int
	// Vars are variables by path that the step shares with other programs; nil: none. New ones are added to it.
	Vars map[string]*tensor.Var
}

// Step is a training step: one program that computes the loss of a batch, its gradient and new weights.
// It serves one goroutine at a time.
type Step struct {
	c       *Compiled
	control *optim.Control
	opt     optim.Optimizer
	metrics []measured
	reports []string
	unused  []string
	run     device.Run
	loss    []float32
}

// Result is what one step tells.
type Result struct {
	// Loss is the loss of the batch before the update, with what layers added to it.
	Loss float64
}

// NewStep traces the step over the fields of the data and compiles it. The error tells every mistake in shapes, with the
// user's file and line and the layer's path.
func NewStep(c Config, fields []data.Field) (*Step, error) {
	if c.Loss == nil {
		return nil, fmt.Errorf("train: Config.Loss is not set")
	}
	if len(fields) == 0 {
		return nil, fmt.Errorf("train: the data have no fields")
	}
	if c.Optimizer == nil {
		c.Optimizer = optim.Adam{}
	}
	if c.Device == nil {
		c.Device = CPU(0)
	}
	if c.Batch <= 0 {
		c.Batch = 32
	}
	if c.Vars == nil {
		c.Vars = map[string]*tensor.Var{}
	}
	s := &Step{control: new(optim.Control), opt: c.Optimizer}
	if err := patterns(c); err != nil {
		return nil, err
	}
	o := tensor.Options{Model: c.Model, Training: true, Frozen: func(path string) bool { return !learns(c, path) }}
	var err error
	s.c, err = Compile(c.Device, o, fields, c.Batch, c.Seed, c.Vars, func(ts []*tensor.Tensor) []*tensor.Tensor {
		var ms []measured
		in := newInputs(fields, ts, &ms)
		loss := c.Loss(in)
		s.metrics = ms
		return s.trace(c, in, loss)
	})
	if err != nil {
		return nil, err
	}
	s.unused = unused(s.c.first)
	s.run.Seed = c.Seed
	loss := array.New(array.Float32)
	s.run.Outputs = []*array.Array{loss}
	s.loss = array.Data[float32](loss)
	return s, nil
}

func patterns(c Config) error {
	names, err := tensor.Walk(c.Model)
	if err != nil {
		return err
	}
	for _, p := range []struct{ field, pattern string }{{"Only", c.Only}, {"Freeze", c.Freeze}} {
		if p.pattern == "" {
			continue
		}
		if !slices.ContainsFunc(names.Order, func(path string) bool { return optim.Match(p.pattern, path) }) {
			return fmt.Errorf("train: %s: no parameter matches %q; the paths are %v", p.field, p.pattern, names.Order)
		}
	}
	return nil
}

func learns(c Config, path string) bool {
	return (c.Only == "" || optim.Match(c.Only, path)) && (c.Freeze == "" || !optim.Match(c.Freeze, path))
}

// trace records the whole step: loss, gradient, update, totals.
func (s *Step) trace(c Config, in *Inputs, losses *tensor.Tensor) []*tensor.Tensor {
	loss := Mean(losses, in.Weight)
	g := loss.Graph().Root()
	r := g.Trace()
	for _, l := range r.Losses {
		loss = loss.Add(l.Value.Cast(loss.DType()))
	}
	loss = loss.Cast(array.Float32)
	n := rows(in.tensors)
	total("loss", loss, n)
	s.reports = s.reports[:0]
	for _, x := range r.Reports {
		if slices.ContainsFunc(s.metrics, func(m measured) bool { return m.metric.Name() == x.Name }) {
			panic(&tensor.ShapeError{Op: "Report", Why: fmt.Sprintf("two figures are named %q", x.Name), Hint: "set As, the name, of the metric"})
		}
		total("report/"+x.Name, x.Value, n)
		s.reports = append(s.reports, x.Name)
	}
	var weights []*tensor.Tensor
	for _, d := range r.Decls {
		if d.Role == tensor.Weight && !d.Frozen {
			weights = append(weights, d.Read())
		}
	}
	if len(weights) == 0 {
		panic(&tensor.ShapeError{Op: "Fit", Why: "no parameter learns", Hint: "the model has no weights, or all of them are frozen"})
	}
	optim.Apply(c.Optimizer, s.control, weights, tensor.Grad(loss, weights...))
	return []*tensor.Tensor{loss}
}

// unused lists the model's parameters that took no part in the trace.
func unused(g *tensor.Graph) []string {
	var out []string
	for _, p := range g.Trace().Names().Order {
		if g.Trace().Decl(p) == nil {
			out = append(out, p)
		}
	}
	return out
}

// Run trains on one batch. It allocates nothing after the first batch of each size.
func (s *Step) Run(b *data.Batch) (Result, error) {
	s.run.Inputs = b.Arrays
	if err := s.c.Run(b.Size, &s.run); err != nil {
		return Result{}, err
	}
	s.run.Step++
	return Result{Loss: float64(s.loss[0])}, nil
}

// Count is the number of steps so far; random streams and schedules follow it.
func (s *Step) Count() int64 { return s.run.Step }

// SetCount continues the count of steps, for a run that resumes.
func (s *Step) SetCount(n int64) { s.run.Step = n }

// LearningRate is the rate of the next step.
func (s *Step) LearningRate() float64 {
	return optim.LearningRate(s.opt, s.run.Step) * s.control.Factor()
}

// SetRateFactor multiplies the optimizer's learning rate from the next step on.
func (s *Step) SetRateFactor(f float64) { s.control.SetFactor(f) }

// RateFactor is the factor in force, 1 at first.
func (s *Step) RateFactor() float64 { return s.control.Factor() }

// Vars are the variables of the step by path: weights, states, slots, totals.
func (s *Step) Vars() map[string]*tensor.Var { return s.c.vars }

// Program is the compiled program of the step.
func (s *Step) Program() *Compiled { return s.c }

// Unused lists the parameters of the model that take no part: they do not learn.
func (s *Step) Unused() []string { return s.unused }

// Loss is the mean loss over the samples since ResetTotals.
func (s *Step) Loss() float64 { return meanOf("loss", s.c.vars) }

// Figures are the loss, the metrics and what layers reported, over the samples since ResetTotals.
func (s *Step) Figures() []Figure { return figures(s.c.vars, s.metrics, s.reports) }

// paths lists the weights and states that a model file holds, sorted.
func (s *Step) paths() []string {
	var out []string
	for p, v := range s.c.vars {
		if kept(v) {
			out = append(out, p)
		}
	}
	slices.Sort(out)
	return out
}

// ResetTotals begins the figures anew.
func (s *Step) ResetTotals() { resetTotals(s.c.vars) }
