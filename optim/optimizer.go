package optim

import (
	"fmt"
	"math"
	"sync/atomic"

	"github.com/kun-ml/kun/nn"
	"github.com/kun-ml/kun/tensor"
)

// Zero stands for 0 in a field whose Go zero value means "the default", such as Adam's Beta1. It is nn.Zero; in JSON it
// is written, and read, as 0.
const Zero = nn.Zero

// Optimizer changes weights by their gradients.
type Optimizer interface {
	// Update gives the new value of the weight w, a tensor of w's type. It is traced once per weight. Apply has clipped
	// grad and has taken the weight decay from w.
	Update(s *Slots, w, grad *tensor.Tensor) *tensor.Tensor
}

// Settings are what optimizers have in common: how fast they learn, and what Apply does around them.
type Settings struct {
	// LearningRate is how far a step goes; an optimizer has put its default here when its own field was 0.
	LearningRate float64
	// Schedule gives the learning rate instead of LearningRate; nil: it stays the same.
	Schedule Schedule
	// ClipNorm, when above 0, shortens the gradient of each weight to this length.
	ClipNorm float64
	// GlobalClipNorm, when above 0 and ClipNorm is not, shortens all gradients together to this length.
	GlobalClipNorm float64
	// ClipValue, when above 0 and neither norm is, cuts the elements of gradients to -ClipValue..ClipValue.
	ClipValue float64
	// WeightDecay is the share of a weight, times the learning rate, that is taken from it before the update.
	WeightDecay float64
	// NoDecay is a pattern for the paths of the weights that do not decay, "**.{Bias,Gain}"; empty: all decay. See Match.
	NoDecay string
}

// Configured is an optimizer with settings that Apply acts on.
type Configured interface {
	Optimizer
	// Settings are in force; defaults are filled in.
	Settings() Settings
}

// decaying is an optimizer that takes the weight decay from the weight itself, by Slots.decay.
type decaying interface{ decays() }

func settings(o Optimizer) Settings {
	if c, ok := o.(Configured); ok {
		return c.Settings()
	}
	return Settings{}
}

// rate is the learning rate of a step, counted from 0.
func (s Settings) rate(step int64) float64 {
	if s.Schedule != nil {
		return s.Schedule.At(step)
	}
	return s.LearningRate
}

// LearningRate is the rate of o at a step, counted from 0, without the factor of a Control. It is 0 for an optimizer
// that has no settings.
func LearningRate(o Optimizer, step int64) float64 { return settings(o).rate(step) }

// Control is what the host may change between steps. The zero value is ready for use; it is safe for concurrent use.
type Control struct{ bits atomic.Uint64 } // of the factor, exclusive-or those of 1, so that zero stands for 1

// SetFactor multiplies the learning rate from the next step on.
func (c *Control) SetFactor(f float64) { c.bits.Store(math.Float64bits(f) ^ math.Float64bits(1)) }

// Factor is the factor in force, 1 at first and for a nil Control.
func (c *Control) Factor() float64 {
	if c == nil {
		return 1
	}
	return math.Float64frombits(c.bits.Load() ^ math.Float64bits(1))
}

// Slots are what an optimizer keeps for one weight, and the numbers of the step.
type Slots struct {
	g        *tensor.Graph
	w        *tensor.Tensor // the weight before its decay
	path     string
	scope    string // of the scalars
	settings Settings
	control  *Control
	decay    *tensor.Tensor // learning rate times weight decay; nil: none
}

// Get gives a value that the optimizer keeps for this weight: of the weight's type, 0 at first, after Set the new value.
// It is a variable of role Slot with the path "optimizer/<path of the weight>/<name>".
func (s *Slots) Get(name string) *tensor.Tensor {
	return s.g.Variable(s.slot(name), tensor.Slot, nil, s.w.DType(), s.w.Shape()...)
}

// Set gives a value that Get named its value after the step.
func (s *Slots) Set(name string, v *tensor.Tensor) { s.g.SetVariable(s.slot(name), v) }

func (s *Slots) slot(name string) string { return "optimizer/" + s.path + "/" + name }

// Scalar is a float32 scalar that the host computes in float64 before each step, from the number of steps before it. All
// weights share the scalar of a name; at must not depend on the weight, and must not allocate.
func (s *Slots) Scalar(name string, at func(step int64) float64) *tensor.Tensor {
	return s.g.HostScalar(s.scope+name, at)
}

// RateAt is the learning rate of a step, counted from 0, times the factor of the Control.
func (s *Slots) RateAt(step int64) float64 { return s.settings.rate(step) * s.control.Factor() }

// Rate is RateAt as the scalar "rate".
func (s *Slots) Rate() *tensor.Tensor { return s.Scalar("rate", s.RateAt) }

// Path is the path of the weight.
func (s *Slots) Path() string { return s.path }

// Apply records one step of o: the gradients are clipped, the weights decay, then each is updated, in Keras's order.
// weights are reads of variables, their labels the paths; grads have the same types. c may be nil. Settings that cannot
// be, and a NoDecay that matches no weight of the trace, are a *tensor.ShapeError.
func Apply(o Optimizer, c *Control, weights, grads []*tensor.Tensor) {
	if len(weights) == 0 {
		return
	}
	if len(grads) != len(weights) {
		fail("", "%d weights and %d gradients", len(weights), len(grads))
	}
	set, g := settings(o), weights[0].Graph().Root()
	set.check(o, g)
	scope := freeScope(g)
	grads = set.clip(grads)
	for i, w := range weights {
		s := &Slots{g: g, w: w, path: w.Label(), scope: scope, settings: set, control: c}
		if set.WeightDecay != 0 && (set.NoDecay == "" || !Match(set.NoDecay, s.path)) {
			s.decay = s.Scalar("decay", func(step int64) float64 { return s.RateAt(step) * set.WeightDecay })
		}
		now := w
		if _, own := o.(decaying); !own && s.decay != nil {
			now = w.Sub(w.Mul(s.decay))
		}
		tensor.Assign(w, o.Update(s, now, grads[i]))
	}
}

// freeScope is a prefix for scalars that no other optimizer of the trace has taken.
func freeScope(g *tensor.Graph) string {
	for n := 1; ; n++ {
		scope := "optimizer/"
		if n > 1 {
			scope = fmt.Sprintf("optimizer/%d/", n)
		}
		if !taken(g, scope) {
			return scope
		}
	}
}

func taken(g *tensor.Graph, scope string) bool {
	for _, h := range g.Trace().Scalars {
		if len(h.Name) > len(scope) && h.Name[:len(scope)] == scope {
			return true
		}
	}
	return false
}

// check finds settings that cannot be.
func (s Settings) check(o Optimizer, g *tensor.Graph) {
	name := nameOf(o)
	number := func(field string, v float64) {
		if !(v >= 0) || math.IsInf(v, 0) {
			fail("", "%s: %s is %v, it must be a number that is not negative", name, field, v)
		}
	}
	number("LearningRate", s.LearningRate)
	number("ClipNorm", s.ClipNorm)
	number("GlobalClipNorm", s.GlobalClipNorm)
	number("ClipValue", s.ClipValue)
	number("WeightDecay", s.WeightDecay)
	if c, ok := s.Schedule.(interface{ check() error }); ok {
		if err := c.check(); err != nil {
			fail("", "%s: Schedule: %v", name, err)
		}
	}
	if s.NoDecay == "" {
		return
	}
	if err := CheckPattern(s.NoDecay); err != nil {
		fail("", "%s: NoDecay: %v", name, err)
	}
	var paths []string
	for _, d := range g.Trace().Decls {
		if d.Role != tensor.Weight {
			continue
		}
		if Match(s.NoDecay, d.Path) {
			return
		}
		paths = append(paths, d.Path)
	}
	fail(pathsHint(paths), "%s: NoDecay: no weight matches %q", name, s.NoDecay)
}

func pathsHint(paths []string) string {
	const most = 8
	more := ""
	if len(paths) > most {
		more = fmt.Sprintf(" and %d more", len(paths)-most)
		paths = paths[:most]
	}
	return fmt.Sprintf("the weights are %v%s", paths, more)
}

func nameOf(o Optimizer) string { return fmt.Sprintf("%T", o) }

func fail(hint, format string, a ...any) {
	panic(&tensor.ShapeError{Op: "Optimizer", Why: fmt.Sprintf(format, a...), Hint: hint})
}
