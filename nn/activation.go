package nn

import (
	"fmt"
	"math"
	"slices"

	"github.com/kun-ml/kun/tensor"
)

// Activation names a function that is applied element by element (softmax and log_softmax: along the last axis). The
// names are Keras's. The empty name is the identity. An Activation is a Layer too: nn.Sequential{&dense, nn.ReLU}.
type Activation string

// The activations.
const (
	Linear      Activation = "linear"       // x
	ReLU        Activation = "relu"         // max(0, x)
	Sigmoid     Activation = "sigmoid"      // 1 / (1 + exp(-x))
	Tanh        Activation = "tanh"         // the hyperbolic tangent
	Softmax     Activation = "softmax"      // exp(x) / sum(exp(x)) over the last axis
	GELU        Activation = "gelu"         // x/2 (1 + erf(x/sqrt(2)))
	GELUTanh    Activation = "gelu_tanh"    // x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))): Keras's gelu with approximate=True
	SiLU        Activation = "silu"         // x sigmoid(x)
	Swish       Activation = "swish"        // another name of silu
	ELU         Activation = "elu"          // x above 0, exp(x) - 1 below
	SELU        Activation = "selu"         // 1.0507 (x above 0, 1.6733 (exp(x) - 1) below)
	LeakyReLU   Activation = "leaky_relu"   // x above 0, 0.2 x below
	Softplus    Activation = "softplus"     // log(1 + exp(x))
	Softsign    Activation = "softsign"     // x / (1 + |x|)
	Exponential Activation = "exponential"  // exp(x)
	LogSoftmax  Activation = "log_softmax"  // x - log(sum(exp(x))) over the last axis
	LogSigmoid  Activation = "log_sigmoid"  // -log(1 + exp(-x))
	ReLU6       Activation = "relu6"        // x between 0 and 6, else the nearer of both
	HardSigmoid Activation = "hard_sigmoid" // relu6(x + 3) / 6
	HardSiLU    Activation = "hard_silu"    // x hard_sigmoid(x)
	HardSwish   Activation = "hard_swish"   // another name of hard_silu
	Mish        Activation = "mish"         // x tanh(softplus(x))

	GLU           Activation = "glu"            // a sigmoid(b) for the halves a, b of the last axis, which becomes half as long
	HardTanh      Activation = "hard_tanh"      // x between -1 and 1, else the nearer of both
	HardShrink    Activation = "hard_shrink"    // x where |x| is above 0.5, else 0
	SoftShrink    Activation = "soft_shrink"    // x drawn to 0 by 0.5
	TanhShrink    Activation = "tanh_shrink"    // x - tanh(x)
	Squareplus    Activation = "squareplus"     // (x + sqrt(x^2 + 4)) / 2
	SparsePlus    Activation = "sparse_plus"    // 0 up to -1, (x+1)^2/4 up to 1, then x
	SparseSigmoid Activation = "sparse_sigmoid" // (x+1)/2 between 0 and 1
)

var activations = map[Activation]func(x *tensor.Tensor) *tensor.Tensor{
	"":          func(x *tensor.Tensor) *tensor.Tensor { return x },
	Linear:      func(x *tensor.Tensor) *tensor.Tensor { return x },
	ReLU:        (*tensor.Tensor).ReLU,
	Sigmoid:     (*tensor.Tensor).Sigmoid,
	Tanh:        (*tensor.Tensor).Tanh,
	Softmax:     func(x *tensor.Tensor) *tensor.Tensor { return x.Softmax(-1) },
	GELU:        gelu,
	GELUTanh:    geluTanh,
	SiLU:        silu,
	Swish:       silu,
	ELU:         func(x *tensor.Tensor) *tensor.Tensor { return elu(x, 1) },
	SELU:        func(x *tensor.Tensor) *tensor.Tensor { return elu(x, 1.6732632423543772).Scale(1.0507009873554805) },
	LeakyReLU:   func(x *tensor.Tensor) *tensor.Tensor { return tensor.Where(above(x), x, x.Scale(0.2)) },
	Softplus:    softplus,
	Softsign:    func(x *tensor.Tensor) *tensor.Tensor { return x.Div(x.Abs().AddScalar(1)) },
	Exponential: (*tensor.Tensor).Exp,
	LogSoftmax:  func(x *tensor.Tensor) *tensor.Tensor { return x.LogSoftmax(-1) },
	LogSigmoid:  func(x *tensor.Tensor) *tensor.Tensor { return softplus(x.Neg()).Neg() },
	ReLU6:       func(x *tensor.Tensor) *tensor.Tensor { return x.Clip(0, 6) },
	HardSigmoid: hardSigmoid,
	HardSiLU:    func(x *tensor.Tensor) *tensor.Tensor { return x.Mul(hardSigmoid(x)) },
	HardSwish:   func(x *tensor.Tensor) *tensor.Tensor { return x.Mul(hardSigmoid(x)) },
	Mish:        func(x *tensor.Tensor) *tensor.Tensor { return x.Mul(softplus(x).Tanh()) },

	GLU:           glu,
	HardTanh:      hardTanh,
	HardShrink:    func(x *tensor.Tensor) *tensor.Tensor { return outside(x, 0.5, x, x) },
	SoftShrink:    func(x *tensor.Tensor) *tensor.Tensor { return outside(x, 0.5, x.AddScalar(-0.5), x.AddScalar(0.5)) },
	TanhShrink:    func(x *tensor.Tensor) *tensor.Tensor { return x.Sub(x.Tanh()) },
	Squareplus:    func(x *tensor.Tensor) *tensor.Tensor { return x.Add(x.Square().AddScalar(4).Sqrt()).Scale(0.5) },
	SparsePlus:    sparsePlus,
	SparseSigmoid: func(x *tensor.Tensor) *tensor.Tensor { return x.AddScalar(1).Scale(0.5).Clip(0, 1) },
}

// Activations lists the names, sorted.
func Activations() []string {
	out := make([]string, 0, len(activations))
	for a := range activations {
		if a != "" {
			out = append(out, string(a))
		}
	}
	slices.Sort(out)
	return out
}

// Apply is the function of x. An unknown name is a *tensor.ShapeError.
func (a Activation) Apply(x *tensor.Tensor) *tensor.Tensor {
	f := activations[a]
	if f == nil {
		fail(x, "Activation", didYouMean(string(a), Activations()), "unknown activation %q", string(a))
	}
	return f(x)
}

// Forward applies the function; a mask stays on.
func (a Activation) Forward(x *tensor.Tensor) *tensor.Tensor { return a.Apply(x).WithMask(x.Mask()) }

// MarshalText writes the name.
func (a Activation) MarshalText() ([]byte, error) { return []byte(a), nil }

// UnmarshalText reads a name; an unknown one is an error.
func (a *Activation) UnmarshalText(b []byte) error {
	if _, ok := activations[Activation(b)]; !ok {
		return fmt.Errorf("nn: unknown activation %q; %s", b, didYouMean(string(b), Activations()))
	}
	*a = Activation(b)
	return nil
}

func above(x *tensor.Tensor) *tensor.Tensor { return x.Greater(tensor.Full(x, 0)) }

func gelu(x *tensor.Tensor) *tensor.Tensor {
	return x.Scale(0.5).Mul(x.Scale(1 / math.Sqrt2).Erf().AddScalar(1))
}

func geluTanh(x *tensor.Tensor) *tensor.Tensor {
	inner := x.Add(x.Mul(x.Square()).Scale(0.044715)).Scale(math.Sqrt(2 / math.Pi))
	return x.Scale(0.5).Mul(inner.Tanh().AddScalar(1))
}

func silu(x *tensor.Tensor) *tensor.Tensor { return x.Mul(x.Sigmoid()) }

// elu bounds the operand of the exponential, so that neither it nor its gradient overflows where x is large.
func elu(x *tensor.Tensor, alpha float64) *tensor.Tensor {
	return tensor.Where(x.GreaterEqual(tensor.Full(x, 0)), x, x.MinimumScalar(0).Expm1().Scale(alpha))
}

// softplus is max(x,0) + log(1 + exp(-|x|)), written with choices whose gradient is right at 0 as well.
func softplus(x *tensor.Tensor) *tensor.Tensor {
	p := above(x)
	return tensor.Where(p, x, tensor.Full(x, 0)).Add(tensor.Where(p, x.Neg(), x).Exp().Log1p())
}

func hardSigmoid(x *tensor.Tensor) *tensor.Tensor { return x.AddScalar(3).Clip(0, 6).Scale(1.0 / 6) }

func glu(x *tensor.Tensor) *tensor.Tensor {
	if x.Rank() == 0 || x.Dim(-1)%2 != 0 {
		fail(x, "Activation", "glu halves the last axis", "glu of shape %v", x.Shape())
	}
	ab := x.Split(-1, 2)
	return ab[0].Mul(ab[1].Sigmoid())
}

// outside is high above limit, low below -limit and 0 between.
func outside(x *tensor.Tensor, limit float64, high, low *tensor.Tensor) *tensor.Tensor {
	zero := tensor.Full(x, 0)
	return tensor.Where(x.Greater(tensor.Full(x, limit)), high, tensor.Where(x.Less(tensor.Full(x, -limit)), low, zero))
}

func sparsePlus(x *tensor.Tensor) *tensor.Tensor {
	bent := x.MaximumScalar(-1).AddScalar(1).Square().Scale(0.25)
	return tensor.Where(x.Less(tensor.Full(x, 1)), bent, x)
}

// hardTanh passes the gradient at -1 and 1 as well, as Keras on TensorFlow does; Clip does not.
func hardTanh(x *tensor.Tensor) *tensor.Tensor {
	one := tensor.Full(x, 1)
	return tensor.Where(x.Greater(one), one, tensor.Where(x.Less(tensor.Full(x, -1)), tensor.Full(x, -1), x))
}
