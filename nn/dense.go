package nn

import "github.com/kun-ml/kun/tensor"

// Dense is a fully connected layer, activation(x W + b): (...,In) to (...,Units).
type Dense struct {
	// Units is the size of the last axis of the output; at least 1.
	Units int
	// Activation is applied to the output; empty: none.
	Activation Activation
	// NoBias leaves b out.
	NoBias bool

	// KernelInit fills W; nil: GlorotUniform.
	KernelInit tensor.Initializer
	// BiasInit fills b; nil: Zeros.
	BiasInit tensor.Initializer

	// KernelRegularizer and BiasRegularizer add a penalty on W and b to the loss; nil: none.
	KernelRegularizer, BiasRegularizer Regularizer
	// ActivityRegularizer adds a penalty on the output, divided by the batch size; nil: none.
	ActivityRegularizer Regularizer

	Kernel Param // (In,Units)
	Bias   Param // (Units)
}

// Forward is activation(x W + b), (...,In) to (...,Units). Integers enter as float32. A mask stays on.
func (d *Dense) Forward(x *tensor.Tensor) *tensor.Tensor {
	x = x.At(d)
	if d.Units < 1 {
		fail(x, "Dense", "give the number of outputs, such as Units: 10", "Units is %d, it must be at least 1", d.Units)
	}
	if x.Rank() < 2 {
		fail(x, "Dense", "give each sample at least one axis, (B,In)", "want a tensor of rank 2 or more, got shape %v", x.Shape())
	}
	init, in := orInit(d.KernelInit, GlorotUniform), x.Dim(-1)
	w := d.Kernel.In(x, init, in, d.Units)
	y := x.Cast(w.DType()).MatMul(w) // (...,Units)
	penalise(x, "kernel", d.KernelRegularizer, func() *tensor.Tensor { return d.Kernel.master(x, init, in, d.Units) })
	if !d.NoBias {
		init := orInit(d.BiasInit, Zeros)
		y = y.Add(d.Bias.In(x, init, d.Units))
		penalise(x, "bias", d.BiasRegularizer, func() *tensor.Tensor { return d.Bias.master(x, init, d.Units) })
	}
	y = d.Activation.Apply(y)
	penaliseActivity(x, d.ActivityRegularizer, y)
	return y.WithMask(x.Mask())
}

func orInit(init, def tensor.Initializer) tensor.Initializer {
	if init == nil {
		return def
	}
	return init
}
