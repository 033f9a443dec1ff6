package tensor

var opStopGradient = Define(Op{Name: "StopGradient", Doc: "x itself; no gradient flows through it.", Class: Elementwise,
	Ref: func(x []float64) float64 { return x[0] }, NoGrad: "that is its meaning", Stops: true,
	Cases: []Case{{In: []Type{F(3, 4)}}}})

// StopGradient is x, as a constant to the gradient.
func (x *Tensor) StopGradient() *Tensor { return opStopGradient.Apply(nil, x) }
