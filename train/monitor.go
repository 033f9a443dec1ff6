package train

import (
	"fmt"
	"math"
	"strings"

	"github.com/kun-ml/kun/metric"
)

// Mode says when a figure is better.
type Mode string

// The modes. The empty Mode follows from the figure: a loss falls, a metric of package metric knows.
const (
	Min Mode = "min" // when it falls
	Max Mode = "max" // when it rises
)

// monitor watches one figure for its best value.
type monitor struct {
	callback string // for messages
	name     string
	rises    bool
	minDelta float64
	best     float64
	has      bool // best holds a value
}

// begin finds the figure: the one of that name, by default "val_loss", or "loss" where there is no validation.
func (m *monitor) begin(r *Run, callback, name string, mode Mode, minDelta float64) error {
	m.callback, m.name, m.minDelta = callback, name, math.Abs(minDelta)
	if name == "" {
		m.name = "loss"
		if r.validates {
			m.name = "val_loss"
		}
	}
	if err := m.find(r); err != nil {
		return err
	}
	switch mode {
	case Min, Max:
		m.rises = mode == Max
		return nil
	case "":
	default:
		return fmt.Errorf("train: %s: unknown mode %q (known: min, max)", callback, mode)
	}
	base := strings.TrimPrefix(m.name, "val_")
	if base == "loss" {
		m.rises = false
		return nil
	}
	for _, x := range r.step.metrics {
		if d, ok := x.metric.(metric.Directed); ok && x.metric.Name() == base {
			m.rises = d.Rises()
			return nil
		}
	}
	return fmt.Errorf("train: %s: is %q better when it rises or when it falls? set Mode to max or min", callback, m.name)
}

// find is an error when the run will not have the figure.
func (m *monitor) find(r *Run) error {
	names := r.names()
	for _, n := range names {
		if n == m.name {
			return nil
		}
	}
	hint := ""
	if strings.HasPrefix(m.name, "val_") && !r.validates {
		hint = "; nothing is validated in this run"
	}
	return fmt.Errorf("train: %s: there is no figure %q, the figures are %s%s", m.callback, m.name, strings.Join(names, ", "), hint)
}

// now is the figure at the end of an epoch.
func (m *monitor) now(r *Run) (float64, error) {
	v, ok := r.Figure(m.name)
	if !ok {
		return 0, fmt.Errorf("train: %s: epoch %d gave no figure %q", m.callback, r.Epoch+1, m.name)
	}
	return v, nil
}

// better reports whether v is better than another value by more than the least difference. What is not a number is not.
func (m *monitor) better(v, than float64) bool {
	switch {
	case math.IsNaN(v):
		return false
	case math.IsNaN(than):
		return true
	case m.rises:
		return v-m.minDelta > than
	}
	return v+m.minDelta < than
}

// improve notes v when it is the best so far.
func (m *monitor) improve(v float64) bool {
	if math.IsNaN(v) || m.has && !m.better(v, m.best) {
		return false
	}
	m.best, m.has = v, true
	return true
}
