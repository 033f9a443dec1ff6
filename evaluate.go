package kun

import (
	"context"
	"fmt"
	"strings"

	"github.com/kun-ml/kun/data"
	"github.com/kun-ml/kun/tensor"
	"github.com/kun-ml/kun/train"
)

// evalBatch is the batch size of evaluation and prediction; it does not show in the results.
const evalBatch = 256

// Report is what Evaluate found.
type Report struct {
	// Samples is how many samples were evaluated.
	Samples int `json:"samples"`
	// Loss is the mean loss, with what layers add to it.
	Loss float64 `json:"loss"`
	// Figures are the loss and the metrics, in order.
	Figures []train.Figure `json:"figures"`
}

// Figure is the value of a figure by its name.
func (r *Report) Figure(name string) (float64, bool) {
	for _, f := range r.Figures {
		if f.Name == name {
			return f.Value, true
		}
	}
	return 0, false
}

// String is one line, "10000 samples: loss 0.0712, accuracy 0.9783".
func (r *Report) String() string {
	var parts []string
	for _, f := range r.Figures {
		parts = append(parts, fmt.Sprintf("%s %.4f", f.Name, f.Value))
	}
	return fmt.Sprintf("%d samples: %s", r.Samples, strings.Join(parts, ", "))
}

// Evaluate computes the loss and the metrics over data that have the inputs and the field "y". It changes nothing.
func (m *Model) Evaluate(ctx context.Context, src data.Source) (*Report, error) {
	if err := m.judged(src); err != nil {
		return nil, err
	}
	vars, done, err := m.stable(src)
	if err != nil {
		return nil, err
	}
	defer done()
	e, batches, err := m.evaluator(ctx, src, vars)
	if err != nil {
		return nil, err
	}
	fs, err := e.Run(ctx, batches)
	if err != nil {
		return nil, err
	}
	return &Report{Samples: src.Len(), Loss: fs[0].Value, Figures: fs}, nil
}

// evaluator compiles the evaluation on the variables of vars.
func (m *Model) evaluator(ctx context.Context, src data.Source, vars map[string]*tensor.Var) (*train.Evaluator, *data.Batches, error) {
	b, err := data.NewBatches(src, data.Options{Batch: evalBatch})
	if err != nil {
		return nil, nil, err
	}
	c := m.config(min(evalBatch, src.Len()), 0)
	c.Vars = vars
	width := 0
	c.Loss = func(in *train.Inputs) *tensor.Tensor { return m.losses(in, nil, &width) }
	e, err := train.NewEvaluator(c, src.Fields())
	if err != nil {
		return nil, nil, err
	}
	if _, err := m.checkAnswers(ctx, src, width); err != nil {
		return nil, nil, err
	}
	return e, b, nil
}

// stable gives variables that do not change until done is called: those of the model, locked, or while training runs a
// copy taken between two steps. An untrained model is built for the data.
func (m *Model) stable(src data.Source) (vars map[string]*tensor.Var, done func(), err error) {
	m.mu.RLock()
	made := m.vars != nil
	m.mu.RUnlock()
	if !made && !m.training.Load() { // making weights beside Fit would take them from Fit's seed
		fields, err := m.fieldsOf(src)
		if err != nil {
			return nil, nil, err
		}
		if err := m.Build(0, fields...); err != nil {
			return nil, nil, err
		}
	}
	m.mu.RLock()
	vars, shared, err := m.now()
	if shared {
		return vars, m.mu.RUnlock, nil
	}
	m.mu.RUnlock()
	return vars, func() {}, err
}

// now gives the variables as they are, with m.mu locked for reading: shared ones that stay as they are as long as the lock is
// held, or while training runs a copy.
func (m *Model) now() (vars map[string]*tensor.Var, shared bool, err error) {
	switch {
	case m.training.Load() && (m.vars == nil || !m.fitted && len(m.Prepare) > 0):
		return nil, false, fmt.Errorf("kun: the model has no weights yet: Fit is still preparing")
	case m.vars == nil:
		return nil, false, fmt.Errorf("kun: the model has no weights yet: Fit, Build or Load come first")
	case m.training.Load():
		return copyVars(m.vars), false, nil
	}
	return m.vars, true, nil
}

func copyVars(vars map[string]*tensor.Var) map[string]*tensor.Var {
	out := make(map[string]*tensor.Var, len(vars))
	for p, v := range vars {
		out[p] = tensor.NewVar(p, v.Role, v.Value.Clone())
	}
	return out
}
