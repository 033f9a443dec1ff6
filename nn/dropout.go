package nn

import "github.com/kun-ml/kun/tensor"

// Dropout sets elements to 0 with probability Rate while training and multiplies the others by 1/(1-Rate), so that the
// expected value stays. At inference it is the identity. Shapes stay. Srivastava et al. 2014, JMLR 15.
type Dropout struct {
	// Rate is the probability that an element is dropped, 0 to 1.
	Rate float64
	// Shared are axes along which elements are dropped together, -1 being the last: Shared: []int{1} drops whole channels
	// of (B,T,C). None: each element by itself.
	Shared []int
}

// Forward drops elements of x. The mask of the n-th step depends on the seed, the layer's path and n alone.
func (d *Dropout) Forward(x *tensor.Tensor) *tensor.Tensor {
	x = x.At(d)
	if !(d.Rate >= 0 && d.Rate <= 1) {
		fail(x, "Dropout", "the rate is the share of elements that are dropped, such as 0.2", "Rate is %v, it must lie between 0 and 1", d.Rate)
	}
	keep := 1 - d.Rate
	if !x.Training() || keep == 1 {
		return x
	}
	scale := 0.0 // everything is dropped
	if keep > 0 {
		scale = 1 / keep
	}
	drawn := x.Shape().Clone()
	for _, a := range d.Shared {
		if a < -x.Rank() || a >= x.Rank() {
			fail(x, "Dropout", "", "Shared names axis %d of an input of shape %v", a, x.Shape())
		}
		drawn[(a+x.Rank())%x.Rank()] = 1
	}
	mask := x.RandomBernoulli(keep, drawn...)
	if len(d.Shared) > 0 {
		mask = mask.BroadcastTo(x.Shape()...)
	}
	return x.MaskScale(mask, scale).WithMask(x.Mask())
}
