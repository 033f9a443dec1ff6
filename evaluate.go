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
	e, batches, err := m.evaluator(src, vars)
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
func (m *Model) evaluator(src data.Source, vars map[string]*tensor.Var) (*train.Evaluator, *data.Batches, error) {
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
	return e, b, m.checkLabels(src, width)
}

// stable gives variables that do not change until done is called: those of the model, locked, or while training runs a
// copy taken between two steps. An untrained model is built for the data.
func (m *Model) stable(src data.Source) (vars map[string]*tensor.Var, done func(), err error) {
	m.mu.RLock()
	made := m.vars != nil
	m.mu.RUnlock()
	switch {
	case made:
	case m.training.Load(): // making weights now would take them from Fit's seed
		return nil, nil, fmt.Errorf("kun: the model has no weights yet: Fit is still preparing")
	default:
		fields, err := m.fieldsOf(src)
		if err != nil {
			return nil, nil, err
		}
		if err := m.Build(0, fields...); err != nil {
			return nil, nil, err
		}
	}
	m.mu.RLock()
	if !m.training.Load() {
		return m.vars, m.mu.RUnlock, nil
	}
	defer m.mu.RUnlock()
	return copyVars(m.vars), func() {}, nil
}

func copyVars(vars map[string]*tensor.Var) map[string]*tensor.Var {
	out := make(map[string]*tensor.Var, len(vars))
	for p, v := range vars {
		out[p] = tensor.NewVar(p, v.Role, v.Value.Clone())
	}
	return out
}
