package nn

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/kun-ml/kun/array"
	"github.com/kun-ml/kun/tensor"
)

// Init names an initialiser without settings: nn.GlorotUniform is passed as it stands. Those with settings are structs:
// Constant, RandomNormal, RandomUniform, TruncatedNormal, VarianceScaling, Orthogonal, Identity.
type Init string

// The initialisers without settings. For a shape (...,In,Out) the fan-in is In and the fan-out is Out, each times the
// product of the dimensions before them.
const (
	Zeros         Init = "zeros"          // 0
	Ones          Init = "ones"           // 1
	GlorotUniform Init = "glorot_uniform" // uniform within sqrt(6/(fan-in + fan-out)); Glorot and Bengio 2010
	GlorotNormal  Init = "glorot_normal"  // truncated normal of variance 2/(fan-in + fan-out)
	HeUniform     Init = "he_uniform"     // uniform within sqrt(6/fan-in); He et al. 2015, arXiv:1502.01852
	HeNormal      Init = "he_normal"      // truncated normal of variance 2/fan-in
	LecunUniform  Init = "lecun_uniform"  // uniform within sqrt(3/fan-in); LeCun et al. 1998
	LecunNormal   Init = "lecun_normal"   // truncated normal of variance 1/fan-in
)

var scalings = map[Init]VarianceScaling{
	GlorotUniform: {Scale: 1, Mode: FanAvg, Distribution: Uniform},
	GlorotNormal:  {Scale: 1, Mode: FanAvg},
	HeUniform:     {Scale: 2, Distribution: Uniform},
	HeNormal:      {Scale: 2},
	LecunUniform:  {Scale: 1, Distribution: Uniform},
	LecunNormal:   {Scale: 1},
}

// Init fills dst. An unknown name is a *tensor.ShapeError, which Param.In finds already in the trace.
func (i Init) Init(dst []float64, shape array.Shape, r *rand.Rand) {
	must(i.check(shape))
	switch i {
	case Zeros:
		clear(dst)
	case Ones:
		fill(dst, 1)
	default:
		scalings[i].Init(dst, shape, r)
	}
}

func (i Init) check(array.Shape) *tensor.ShapeError {
	if _, ok := scalings[i]; ok || i == Zeros || i == Ones {
		return nil
	}
	return &tensor.ShapeError{Op: "Init", Why: fmt.Sprintf("unknown initialiser %q", string(i)), Hint: didYouMean(string(i), Initializers.Names())}
}

// checker is an initialiser that knows beforehand whether it can fill a shape.
type checker interface {
	check(shape array.Shape) *tensor.ShapeError
}

func must(e *tensor.ShapeError) {
	if e != nil {
		panic(e)
	}
}

// Mode says by what VarianceScaling divides.
type Mode string

// The modes. The empty Mode is FanIn.
const (
	FanIn  Mode = "fan_in"
	FanOut Mode = "fan_out"
	FanAvg Mode = "fan_avg" // the mean of both
)

// Distribution says from which distribution VarianceScaling draws.
type Distribution string

// The distributions. The empty Distribution is Truncated.
const (
	Truncated Distribution = "truncated_normal"   // a normal one cut at two standard deviations and widened to the variance
	Normal    Distribution = "untruncated_normal" // a normal one
	Uniform   Distribution = "uniform"            // a uniform one
)

// VarianceScaling draws with mean 0 and variance Scale/n, where n is the fan-in, the fan-out or their mean, at least 1.
type VarianceScaling struct {
	// Scale is the numerator of the variance; 0 means 1.
	Scale float64 `default:"1"`
	// Mode chooses n; empty: FanIn.
	Mode Mode
	// Distribution chooses the form; empty: Truncated.
	Distribution Distribution
}

// Init fills dst. An unknown Mode or Distribution is a *tensor.ShapeError.
func (v VarianceScaling) Init(dst []float64, shape array.Shape, r *rand.Rand) {
	must(v.check(shape))
	in, out := Fans(shape)
	n := in
	switch v.Mode {
	case FanOut:
		n = out
	case FanAvg:
		n = (in + out) / 2
	}
	variance := Value(v.Scale, 1) / max(1, n)
	switch v.Distribution {
	case Normal:
		normal(dst, 0, math.Sqrt(variance), r)
	case Uniform:
		limit := math.Sqrt(3 * variance)
		uniform(dst, -limit, limit, r)
	default:
		// 0.8796... is the standard deviation of a standard normal distribution cut at -2 and 2.
		truncated(dst, 0, math.Sqrt(variance)/0.87962566103423978, r)
	}
}

func (v VarianceScaling) check(array.Shape) *tensor.ShapeError {
	modes, forms := []string{"fan_in", "fan_out", "fan_avg"}, []string{"truncated_normal", "untruncated_normal", "uniform"}
	e := &tensor.ShapeError{Op: "VarianceScaling"}
	switch {
	case v.Mode != "" && !slices.Contains(modes, string(v.Mode)):
		e.Why, e.Hint = fmt.Sprintf("unknown mode %q", string(v.Mode)), didYouMean(string(v.Mode), modes)
	case v.Distribution != "" && !slices.Contains(forms, string(v.Distribution)):
		e.Why, e.Hint = fmt.Sprintf("unknown distribution %q", string(v.Distribution)), didYouMean(string(v.Distribution), forms)
	case !(Value(v.Scale, 1) >= 0):
		e.Why = fmt.Sprintf("Scale is %v, it must not be negative", v.Scale)
	default:
		return nil
	}
	return e
}

// Fans are the fan-in and the fan-out of a weight: its last two dimensions times the product of those before; a vector
// has its length as both, a scalar 1.
func Fans(shape array.Shape) (in, out float64) {
	switch n := len(shape); n {
	case 0:
		return 1, 1
	case 1:
		return float64(shape[0]), float64(shape[0])
	default:
		field := float64(shape[:n-2].Size())
		return field * float64(shape[n-2]), field * float64(shape[n-1])
	}
}

func fill(dst []float64, v float64) {
	for i := range dst {
		dst[i] = v
	}
}

func uniform(dst []float64, low, high float64, r *rand.Rand) {
	for i := range dst {
		dst[i] = low + (high-low)*r.Float64()
	}
}

func normal(dst []float64, mean, stddev float64, r *rand.Rand) {
	for i := range dst {
		dst[i] = mean + stddev*r.NormFloat64()
	}
}

func truncated(dst []float64, mean, stddev float64, r *rand.Rand) {
	for i := range dst {
		z := r.NormFloat64()
		for math.Abs(z) > 2 {
			z = r.NormFloat64()
		}
		dst[i] = mean + stddev*z
	}
}
