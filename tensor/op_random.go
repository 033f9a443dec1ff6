package tensor

import (
	"fmt"
	"math"

	"github.com/kun-ml/kun/array"
	"github.com/kun-ml/kun/internal/rng"
)

var nan = math.NaN()

// RandomAttr names a random stream: (seed of the run, Path, Draw, step). A and B are the bounds of a uniform stream, the
// mean and standard deviation of a normal one; A is the probability of true of a Bernoulli stream.
type RandomAttr struct {
	Path  string
	Draw  int
	A, B  float64
	DType array.DType
	Shape array.Shape
}

// Key is the key of the stream under a seed.
func (a *RandomAttr) Key(seed uint64) uint64 { return rng.Key(seed, a.Path, a.Draw) }

// KeepBelow is the bound below which 32 random bits mean true in a Bernoulli stream.
func (a *RandomAttr) KeepBelow() uint64 { return uint64(math.Round(a.A * (1 << 32))) }

// Fill writes elements of the stream at a step, in float64: the reference of the random operations.
func (a *RandomAttr) Fill(op string, seed uint64, step int64, out []float64) {
	k := a.Key(seed)
	most := below(a.B, a.DType)
	if !(most >= a.A) {
		most = math.Inf(1)
	}
	for i := range out {
		switch op { // products round before they are added, on every processor
		case "RandomUniform":
			out[i] = min(a.A+float64((a.B-a.A)*rng.Uniform(rng.Uint32(k, uint64(step), i))), most)
		case "RandomNormal":
			out[i] = a.A + float64(a.B*rng.Normal(k, uint64(step), i))
		default:
			out[i] = 0
			if uint64(rng.Uint32(k, uint64(step), i)) < a.KeepBelow() {
				out[i] = 1
			}
		}
	}
}

// below is the largest number of an element type that lies below x.
func below(x float64, d array.DType) float64 {
	switch d {
	case array.Float32:
		y := float32(x)
		if float64(y) >= x {
			y = math.Nextafter32(y, float32(math.Inf(-1)))
		}
		return float64(y)
	case array.BFloat16:
		return below16(x, array.ToBF16(float32(x)), array.BF16.Float32)
	case array.Float16:
		return below16(x, array.ToF16(float32(x)), array.F16.Float32)
	case array.Float64:
		return math.Nextafter(x, math.Inf(-1))
	}
	return math.Ceil(x) - 1
}

func below16[T ~uint16](x float64, y T, wide func(T) float32) float64 {
	for float64(wide(y)) >= x {
		switch {
		case y<<1 == 0: // plus or minus 0
			y = 0x8001
		case y>>15 == 0:
			y--
		default:
			y++
		}
	}
	return float64(wide(y))
}

func randomOp(name, doc string) *Op {
	return Define(Op{Name: name, Doc: doc, Class: Source, NewAttr: func() any { return &RandomAttr{} },
		Infer: func(n *Node, _ []Type) ([]Type, error) {
			a := n.Attr.(*RandomAttr)
			if name == "RandomBernoulli" != (a.DType == array.Bool) {
				return nil, fmt.Errorf("element type %v", a.DType)
			}
			if a.DType == array.Bool && !(a.A >= 0 && a.A <= 1) {
				return nil, fmt.Errorf("probability %v is not between 0 and 1", a.A)
			}
			return checked(a.DType, a.Shape)
		},
		NoGrad: "it is drawn", Stops: true, FlopsOf: func(n *Node) float64 { return 20 * float64(n.types[0].Shape.Size()) }})
}

var opRandomUniform = randomOp("RandomUniform", "Uniform numbers in [a, b) from the stream (seed, path, draw, step).")
var opRandomNormal = randomOp("RandomNormal", "Normal numbers of mean a and standard deviation b from the stream (seed, path, draw, step).")
var opRandomBernoulli = randomOp("RandomBernoulli", "Truth values, true with probability a, from the stream (seed, path, draw, step).")

func (x *Tensor) random(o *Op, d array.DType, a, b float64, dims []int) *Tensor {
	path, draw := x.stream()
	t := record(x.n.g, o, &RandomAttr{path, draw, a, b, d, append(array.Shape{}, dims...)}, nil, nil)[0]
	t.label, t.n.Label = x.label, x.label
	return t
}

// RandomUniform draws numbers in [low, high) of x's element type from the next stream of x's layer.
func (x *Tensor) RandomUniform(low, high float64, dims ...int) *Tensor {
	return x.random(opRandomUniform, x.DType(), low, high, dims)
}

// RandomNormal draws normal numbers of x's element type from the next stream of x's layer.
func (x *Tensor) RandomNormal(mean, stddev float64, dims ...int) *Tensor {
	return x.random(opRandomNormal, x.DType(), mean, stddev, dims)
}

// RandomBernoulli draws truth values, true with probability p, from the next stream of x's layer.
func (x *Tensor) RandomBernoulli(p float64, dims ...int) *Tensor {
	if !(p >= 0 && p <= 1) {
		fail("RandomBernoulli", x.label, "probability %v is not between 0 and 1", p)
	}
	return x.random(opRandomBernoulli, array.Bool, p, 0, dims)
}

// IsRandom reports whether a node draws from a random stream.
func (n *Node) IsRandom() bool {
	return n.Op == opRandomUniform || n.Op == opRandomNormal || n.Op == opRandomBernoulli
}
