package optim

import (
	"github.com/kun-ml/kun/nn"
	"github.com/kun-ml/kun/tensor"
)

// RMSprop divides the gradient by the root of a moving mean of its squares: v' = rho*v + (1-rho)*g^2 and
// d = rate * g / sqrt(v' + eps), where Centered takes the square of the gradient's moving mean from v'. Without Momentum
// w' = w - d, with a Momentum mu m' = mu*m + d and w' = w - m'. Tieleman and Hinton 2012; eps stands inside the root, as
// in Keras.
type RMSprop struct {
	// LearningRate is how far a step goes; 0 means 0.001, Zero means 0.
	LearningRate float64 `default:"0.001"`
	// Schedule gives the learning rate instead; nil: it stays the same.
	Schedule Schedule
	// Rho is the share of the moving mean that is kept in a step; 0 means 0.9, Zero means 0.
	Rho float64 `default:"0.9"`
	// Momentum is the share of the last step's motion that is kept; 0: none.
	Momentum float64
	// Epsilon keeps the divisor away from 0; 0 means 1e-7.
	Epsilon float64 `default:"1e-7"`
	// Centered divides by the spread of the gradient instead of its size.
	Centered bool

	// ClipNorm, GlobalClipNorm and ClipValue bound the gradients and WeightDecay and NoDecay shrink the weights: see
	// Settings.
	ClipNorm, GlobalClipNorm, ClipValue float64
	WeightDecay                         float64
	NoDecay                             string
}

// Settings are what Apply acts on.
func (o RMSprop) Settings() Settings {
	return Settings{nn.Value(o.LearningRate, 0.001), o.Schedule, o.ClipNorm, o.GlobalClipNorm, o.ClipValue, nn.Value(o.WeightDecay, 0), o.NoDecay}
}

// Update is one step. Its slots are "velocity", and "average" and "momentum" where they are used.
func (o RMSprop) Update(s *Slots, w, g *tensor.Tensor) *tensor.Tensor {
	rho := share("RMSprop", "Rho", nn.Value(o.Rho, 0.9), 1)
	mu := share("RMSprop", "Momentum", nn.Value(o.Momentum, 0), 1)
	v := s.Get("velocity").Scale(rho).Add(g.Square().Scale(1 - rho))
	s.Set("velocity", v)
	if o.Centered {
		a := s.Get("average").Scale(rho).Add(g.Scale(1 - rho))
		s.Set("average", a)
		v = v.Sub(a.Square())
	}
	d := g.Mul(s.Rate()).Mul(v.AddScalar(nn.Value(o.Epsilon, 1e-7)).Rsqrt())
	if mu > 0 {
		d = s.Get("momentum").Scale(mu).Add(d)
		s.Set("momentum", d)
	}
	return w.Sub(d)
}
