package loss

import "github.com/kun-ml/kun/tensor"

// Huber is quadratic near 0 and linear beyond: with e = |y - target|, the mean over the last axis of e^2/2 where
// e <= Delta and Delta*e - Delta^2/2 elsewhere. Huber 1964, doi:10.1214/aoms/1177703732.
type Huber struct {
	// Delta is where the line begins; 0 means 1.
	Delta float64 `json:"delta,omitempty" default:"1"`
}

// Loss is (B,...,N) and a target of the same shape to (B,...); (B) and (B) to (B).
func (h Huber) Loss(y, target *tensor.Tensor) *tensor.Tensor {
	d := h.Delta
	if d == 0 {
		d = 1
	}
	if !(d > 0) {
		fail("Huber", y, target, "", "Delta is %v, it must be above 0", h.Delta)
	}
	p, t := floats(Match("Huber", y, target))
	e := p.Sub(t)
	a := e.Abs()
	return perSample(tensor.Where(a.LessEqual(tensor.Full(a, d)), e.Square().Scale(0.5), a.Scale(d).AddScalar(-d*d/2)), y)
}
