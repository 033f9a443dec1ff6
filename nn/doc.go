// Package nn holds layers: structs whose exported fields are their configuration, whose Param fields are what they learn
// and whose Forward says what they compute.
//
//	net := nn.Sequential{
//		&nn.Flatten{},                                    // (B,28,28) to (B,784)
//		&nn.Dense{Units: 128, Activation: nn.ReLU},       // (B,128)
//		&nn.Dropout{Rate: 0.2},                           // (B,128)
//		&nn.Dense{Units: 10, Activation: nn.Softmax},     // (B,10)
//	}
//
// A layer of one's own needs no registration and no base class:
//
//	type RMSNorm struct{ Gain nn.Param } // (C)
//
//	func (n *RMSNorm) Forward(x *tensor.Tensor) *tensor.Tensor {
//		y := x.Mul(x.Square().MeanKeep(-1).AddScalar(1e-6).Rsqrt())
//		return y.Mul(n.Gain.In(x, nn.Ones, x.Dim(-1))).WithMask(x.Mask())
//	}
//
// A Param says its shape and its initialiser where it is used. Layers work per sample: the first axis is the batch.
// Defaults and formulas are those of Keras 3. A wrong setting (Units 0, a rate of 2) is a *tensor.ShapeError when the
// model is traced, so it shows before training.
//
// Marshal writes a model's configuration as JSON and Unmarshal reads it; types of one's own join by Register.
//
// Package nn imports packages tensor and array, nothing else of Kun.
package nn
