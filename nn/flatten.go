package nn

import "github.com/kun-ml/kun/tensor"

// Flatten joins all axes but the first: (B,...) to (B,N). A sample that is one number becomes a vector of one.
type Flatten struct {
	// ChannelsFirst says that samples are (C,H,W) and moves C to the end before joining, as Keras does with
	// data_format="channels_first": the order of the result is that of (H,W,C).
	ChannelsFirst bool
}

// Forward is x as (B,N).
func (f *Flatten) Forward(x *tensor.Tensor) *tensor.Tensor {
	x = at(x, f)
	if f.ChannelsFirst && x.Rank() > 2 {
		perm := []int{0}
		for i := 2; i < x.Rank(); i++ {
			perm = append(perm, i)
		}
		x = x.Permute(append(perm, 1)...)
	}
	return x.Flatten2()
}
