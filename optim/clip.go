package optim

import "github.com/kun-ml/kun/tensor"

// clip bounds gradients: each by its norm, else all by their common norm, else each element. Keras's order; of several
// settings the first counts.
func (s Settings) clip(grads []*tensor.Tensor) []*tensor.Tensor {
	out := make([]*tensor.Tensor, len(grads))
	copy(out, grads)
	switch {
	case s.ClipNorm > 0:
		for i, g := range out {
			out[i] = g.Mul(shorten(g.Square().Sum(), s.ClipNorm))
		}
	case s.GlobalClipNorm > 0:
		var sum *tensor.Tensor
		for _, g := range out {
			q := g.Square().Sum()
			if sum != nil {
				q = sum.Add(q)
			}
			sum = q
		}
		scale := shorten(sum, s.GlobalClipNorm)
		for i, g := range out {
			out[i] = g.Mul(scale)
		}
	case s.ClipValue > 0:
		for i, g := range out {
			out[i] = g.Clip(-s.ClipValue, s.ClipValue)
		}
	}
	return out
}

// shorten is limit / max(norm, limit): exactly 1 for a short gradient. The norm is the root of sum.
func shorten(sum *tensor.Tensor, limit float64) *tensor.Tensor {
	return tensor.Full(sum, limit).Div(sum.Sqrt().MaximumScalar(limit))
}
