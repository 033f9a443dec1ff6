package optim

import (
	"math"

	"github.com/kun-ml/kun/nn"
	"github.com/kun-ml/kun/tensor"
)

// Adam divides a moving mean of the gradient by the root of a moving mean of its square: m' = m + (g-m)(1-beta1),
// v' = v + (g^2-v)(1-beta2), w' = w - alpha * m'/(sqrt(v') + eps) with alpha = rate * sqrt(1-beta2^t)/(1-beta1^t) in step
// t = 1, 2, ... Kingma and Ba 2015, arXiv:1412.6980; eps stands outside the bias correction, as in Keras.
type Adam struct {
	// LearningRate is how far a step goes; 0 means 0.001, Zero means 0.
	LearningRate float64 `default:"0.001"`
	// Schedule gives the learning rate instead; nil: it stays the same.
	Schedule Schedule
	// Beta1 is the share of the first moment that is kept in a step; 0 means 0.9, Zero means 0.
	Beta1 float64 `default:"0.9"`
	// Beta2 is the share of the second moment that is kept in a step; 0 means 0.999, Zero means 0.
	Beta2 float64 `default:"0.999"`
	// Epsilon keeps the divisor away from 0; 0 means 1e-7.
	Epsilon float64 `default:"1e-7"`
	// AMSGrad divides by the largest second moment so far. Reddi et al. 2018, arXiv:1904.09237.
	AMSGrad bool `json:"amsgrad"`

	// ClipNorm, GlobalClipNorm and ClipValue bound the gradients and WeightDecay and NoDecay shrink the weights: see
	// Settings.
	ClipNorm, GlobalClipNorm, ClipValue float64
	WeightDecay                         float64
	NoDecay                             string
}

// Settings are what Apply acts on.
func (o Adam) Settings() Settings {
	return Settings{nn.Value(o.LearningRate, 0.001), o.Schedule, o.ClipNorm, o.GlobalClipNorm, o.ClipValue, nn.Value(o.WeightDecay, 0), o.NoDecay}
}

// Update is one step, one pass over the weight on the device. Its slots are "m" and "v", with AMSGrad "vmax" too.
func (o Adam) Update(s *Slots, w, g *tensor.Tensor) *tensor.Tensor {
	return adam(s, g, "Adam", o.Beta1, o.Beta2, o.Epsilon, o.AMSGrad)
}

func (o Adam) decays() {}

// AdamW is Adam with a weight decay by default. Loshchilov and Hutter 2019, arXiv:1711.05101.
type AdamW struct {
	// LearningRate is how far a step goes; 0 means 0.001, Zero means 0.
	LearningRate float64 `default:"0.001"`
	// Schedule gives the learning rate instead; nil: it stays the same.
	Schedule Schedule
	// WeightDecay is the share of a weight, times the learning rate, that is taken from it in a step; 0 means 0.004, Zero
	// means 0.
	WeightDecay float64 `default:"0.004"`
	// NoDecay is a pattern for the weights that do not decay, "**.{Bias,Gain}"; empty: all decay. See Match.
	NoDecay string
	// Beta1 is the share of the first moment that is kept in a step; 0 means 0.9, Zero means 0.
	Beta1 float64 `default:"0.9"`
	// Beta2 is the share of the second moment that is kept in a step; 0 means 0.999, Zero means 0.
	Beta2 float64 `default:"0.999"`
	// Epsilon keeps the divisor away from 0; 0 means 1e-7.
	Epsilon float64 `default:"1e-7"`
	// AMSGrad divides by the largest second moment so far. Reddi et al. 2018, arXiv:1904.09237.
	AMSGrad bool `json:"amsgrad"`

	// ClipNorm, GlobalClipNorm and ClipValue bound the gradients: see Settings.
	ClipNorm, GlobalClipNorm, ClipValue float64
}

// Settings are what Apply acts on.
func (o AdamW) Settings() Settings {
	return Settings{nn.Value(o.LearningRate, 0.001), o.Schedule, o.ClipNorm, o.GlobalClipNorm, o.ClipValue, nn.Value(o.WeightDecay, 0.004), o.NoDecay}
}

// Update is one step, one pass over the weight on the device. Its slots are "m" and "v", with AMSGrad "vmax" too.
func (o AdamW) Update(s *Slots, w, g *tensor.Tensor) *tensor.Tensor {
	return adam(s, g, "AdamW", o.Beta1, o.Beta2, o.Epsilon, o.AMSGrad)
}

func (o AdamW) decays() {}

// adam updates the weight of s; the decay is part of the pass.
func adam(s *Slots, g *tensor.Tensor, op string, beta1, beta2, eps float64, amsgrad bool) *tensor.Tensor {
	b1, b2 := share(op, "Beta1", nn.Value(beta1, 0.9), 1), share(op, "Beta2", nn.Value(beta2, 0.999), 1)
	if b1 == 1 || b2 == 1 {
		fail("", "%s: Beta1 and Beta2 must be below 1: the moments would never move", op)
	}
	a := tensor.AdamAttr{Beta1: b1, Beta2: b2, Eps: nn.Value(eps, 1e-7)}
	alpha := s.Scalar("alpha", func(step int64) float64 {
		t := float64(step + 1)
		return s.RateAt(step) * math.Sqrt(1-math.Pow(b2, t)) / (1 - math.Pow(b1, t))
	})
	w, m, v := s.w, s.Get("m"), s.Get("v")
	if amsgrad {
		return amsGrad(s, w, m, v, g, alpha, a)
	}
	decay := s.decay
	if decay == nil {
		decay = tensor.Full(alpha, 0)
	}
	w, m, v = w.AdamUpdate(m, v, g, alpha, decay, a)
	s.Set("m", m)
	s.Set("v", v)
	return w
}

func amsGrad(s *Slots, w, m, v, g, alpha *tensor.Tensor, a tensor.AdamAttr) *tensor.Tensor {
	m = m.Add(g.Sub(m).Scale(1 - a.Beta1))
	v = v.Add(g.Square().Sub(v).Scale(1 - a.Beta2))
	most := s.Get("vmax").Maximum(v)
	s.Set("m", m)
	s.Set("v", v)
	s.Set("vmax", most)
	if s.decay != nil {
		w = w.Sub(w.Mul(s.decay))
	}
	return w.Sub(m.Mul(alpha).Div(most.Sqrt().AddScalar(a.Eps)))
}
