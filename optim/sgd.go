package optim

import (
	"github.com/kun-ml/kun/nn"
	"github.com/kun-ml/kun/tensor"
)

// SGD is gradient descent, w' = w - rate*g, or with a Momentum mu: m' = mu*m - rate*g and w' = w + m', with Nesterov
// w' = w + mu*m' - rate*g. Sutskever et al. 2013.
type SGD struct {
	// LearningRate is how far a step goes; 0 means 0.01, Zero means 0.
	LearningRate float64 `default:"0.01"`
	// Schedule gives the learning rate instead; nil: it stays the same.
	Schedule Schedule
	// Momentum is the share of the last step's motion that is kept, 0 to 1; 0: plain descent.
	Momentum float64
	// Nesterov looks ahead by the motion.
	Nesterov bool

	// ClipNorm, GlobalClipNorm and ClipValue bound the gradients and WeightDecay and NoDecay shrink the weights: see
	// Settings.
	ClipNorm, GlobalClipNorm, ClipValue float64
	WeightDecay                         float64
	NoDecay                             string
}

// Settings are what Apply acts on.
func (o SGD) Settings() Settings {
	return Settings{nn.Value(o.LearningRate, 0.01), o.Schedule, o.ClipNorm, o.GlobalClipNorm, o.ClipValue, nn.Value(o.WeightDecay, 0), o.NoDecay}
}

// Update is one step. Its slot is "momentum", when there is one.
func (o SGD) Update(s *Slots, w, g *tensor.Tensor) *tensor.Tensor {
	mu := share("SGD", "Momentum", nn.Value(o.Momentum, 0), 1)
	step := g.Mul(s.Rate())
	if mu == 0 {
		return w.Sub(step)
	}
	m := s.Get("momentum").Scale(mu).Sub(step)
	s.Set("momentum", m)
	if o.Nesterov {
		return w.Add(m.Scale(mu).Sub(step))
	}
	return w.Add(m)
}

// share checks a setting that lies between 0 and most.
func share(op, field string, v, most float64) float64 {
	if !(v >= 0 && v <= most) {
		fail("", "%s: %s is %v, it must lie between 0 and %v", op, field, v, most)
	}
	return v
}
