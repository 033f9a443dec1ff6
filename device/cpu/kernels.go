package cpu

import (
	"math"
	"unsafe"

	"github.com/kun-ml/kun/array"
	"github.com/kun-ml/kun/internal/rng"
	"github.com/kun-ml/kun/tensor"
)

// The plain Go kernels of this device.

func levelName() string { return "go" }

type scalars [4]float32

type tile func(dst, a, b, c unsafe.Pointer, n int, s *scalars)

func f32(p unsafe.Pointer, n int) []float32 { return unsafe.Slice((*float32)(p), n) }

func unaryTile(f func(x float32) float32) tile {
	return func(dst, a, _, _ unsafe.Pointer, n int, _ *scalars) {
		d, x := f32(dst, n), f32(a, n)
		for i := range d {
			d[i] = f(x[i])
		}
	}
}

func binaryTile(f func(x, y float32) float32) tile {
	return func(dst, a, b, _ unsafe.Pointer, n int, _ *scalars) {
		d, x, y := f32(dst, n), f32(a, n), f32(b, n)
		for i := range d {
			d[i] = f(x[i], y[i])
		}
	}
}

func compareTile(f func(x, y float32) bool) tile {
	return func(dst, a, b, _ unsafe.Pointer, n int, _ *scalars) {
		d, x, y := unsafe.Slice((*uint8)(dst), n), f32(a, n), f32(b, n)
		for i := range d {
			d[i] = 0
			if f(x[i], y[i]) {
				d[i] = 1
			}
		}
	}
}

func wide(f func(float64) float64) tile {
	return unaryTile(func(x float32) float32 { return float32(f(float64(x))) })
}

func nanMax(x, y float32) float32 {
	if x != x || y != y {
		return float32(math.NaN())
	}
	return max(x, y)
}

var tiles = map[string]tile{
	"Neg": unaryTile(func(x float32) float32 { return -x }), "Abs": wide(math.Abs), "Exp": wide(math.Exp), "Expm1": wide(math.Expm1),
	"Log": wide(math.Log), "Log1p": wide(math.Log1p), "Sqrt": wide(math.Sqrt), "Sin": wide(math.Sin), "Cos": wide(math.Cos),
	"Tanh": wide(math.Tanh), "Erf": wide(math.Erf), "Floor": wide(math.Floor), "Round": wide(math.RoundToEven),
	"Rsqrt":        wide(func(x float64) float64 { return 1 / math.Sqrt(x) }),
	"Sigmoid":      wide(func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }),
	"Square":       unaryTile(func(x float32) float32 { return x * x }),
	"Reciprocal":   unaryTile(func(x float32) float32 { return 1 / x }),
	"StopGradient": unaryTile(func(x float32) float32 { return x }),
	"Relu":         unaryTile(func(x float32) float32 { return nanMax(x, 0) }),
	"Add":          binaryTile(func(x, y float32) float32 { return x + y }),
	"Sub":          binaryTile(func(x, y float32) float32 { return x - y }),
	"Mul":          binaryTile(func(x, y float32) float32 { return x * y }),
	"Div":          binaryTile(func(x, y float32) float32 { return x / y }),
	"Maximum":      binaryTile(nanMax),
	"Minimum":      binaryTile(func(x, y float32) float32 { return -nanMax(-x, -y) }),
	"Pow":          binaryTile(func(x, y float32) float32 { return float32(math.Pow(float64(x), float64(y))) }),
	"Equal":        compareTile(func(x, y float32) bool { return x == y }),
	"NotEqual":     compareTile(func(x, y float32) bool { return x != y }),
	"Less":         compareTile(func(x, y float32) bool { return x < y }),
	"LessEqual":    compareTile(func(x, y float32) bool { return x <= y }),
	"Greater":      compareTile(func(x, y float32) bool { return x > y }),
	"GreaterEqual": compareTile(func(x, y float32) bool { return x >= y }),
	"ReluGrad": binaryTile(func(dy, y float32) float32 {
		if y > 0 {
			return dy
		}
		return 0
	}),
	"AddScalar":     scalarTile(func(x, s float32) float32 { return x + s }),
	"Scale":         scalarTile(func(x, s float32) float32 { return x * s }),
	"PowScalar":     scalarTile(func(x, s float32) float32 { return float32(math.Pow(float64(x), float64(s))) }),
	"MaximumScalar": scalarTile(nanMax),
	"MinimumScalar": scalarTile(func(x, s float32) float32 { return -nanMax(-x, -s) }),
	"MaskScale": func(dst, a, b, _ unsafe.Pointer, n int, s *scalars) {
		d, x, m := f32(dst, n), f32(a, n), unsafe.Slice((*uint8)(b), n)
		for i := range d {
			v := x[i] * s[0]
			if m[i] == 0 {
				v = 0
			}
			d[i] = v
		}
	},
	"Where": func(dst, a, b, c unsafe.Pointer, n int, _ *scalars) {
		d, m, x, y := f32(dst, n), unsafe.Slice((*uint8)(a), n), f32(b, n), f32(c, n)
		for i := range d {
			v := x[i]
			if m[i] == 0 {
				v = y[i]
			}
			d[i] = v
		}
	},
	"And": byteTile(func(x, y uint8) uint8 { return x & y }),
	"Or":  byteTile(func(x, y uint8) uint8 { return x | y }),
	"Not": func(dst, a, _, _ unsafe.Pointer, n int, _ *scalars) {
		d, x := unsafe.Slice((*uint8)(dst), n), unsafe.Slice((*uint8)(a), n)
		for i := range d {
			d[i] = x[i] ^ 1
		}
	},
}

func byteTile(f func(x, y uint8) uint8) tile {
	return func(dst, a, b, _ unsafe.Pointer, n int, _ *scalars) {
		d, x, y := unsafe.Slice((*uint8)(dst), n), unsafe.Slice((*uint8)(a), n), unsafe.Slice((*uint8)(b), n)
		for i := range d {
			d[i] = f(x[i], y[i])
		}
	}
}

func scalarTile(f func(x, s float32) float32) tile {
	return func(dst, a, _, _ unsafe.Pointer, n int, s *scalars) {
		d, x := f32(dst, n), f32(a, n)
		for i := range d {
			d[i] = f(x[i], s[0])
		}
	}
}

func tileOf(op string) tile { return tiles[op] }

// nodeTile is the tile of a node: by its op's name, or the cast of its types.
func nodeTile(n *tensor.Node) tile {
	if n.Op.Name == "Cast" {
		return castTile(n.Type(0).DType, n.In[0].DType())
	}
	return tileOf(n.Op.Name)
}

func nodeScalars(n *tensor.Node) (s scalars) {
	if a, ok := n.Attr.(*tensor.ScalarValue); ok {
		s[0] = float32(a.Value)
	}
	return s
}

// castTile converts to float32 from the types that batches have; nil for others.
func castTile(dst, src array.DType) tile {
	if dst != array.Float32 {
		return nil
	}
	switch src {
	case array.Uint8, array.Bool:
		return toFloat[uint8]
	case array.Int32:
		return toFloat[int32]
	case array.Int8:
		return toFloat[int8]
	}
	return nil
}

func toFloat[T uint8 | int8 | int32](dst, a, _, _ unsafe.Pointer, n int, _ *scalars) {
	d, x := f32(dst, n), unsafe.Slice((*T)(a), n)
	for i := range d {
		d[i] = float32(x[i])
	}
}

type adamScalars struct{ OneMinusBeta1, OneMinusBeta2, Alpha, Eps, Decay float32 }

type rowKernels struct {
	Sum                func(x unsafe.Pointer, n int) float32
	AddTo              func(dst, x unsafe.Pointer, n int)
	Softmax            func(dst, x unsafe.Pointer, n int)
	SparseCrossEntropy func(dst, x unsafe.Pointer, n, class int) float32
	Adam               func(w, m, v, g unsafe.Pointer, n int, h *adamScalars)
}

func kernelRows() *rowKernels { return &goRows }

var goRows = rowKernels{
	Sum: func(x unsafe.Pointer, n int) float32 { // 16 lanes, then a fixed tree
		var l [16]float32
		for i, v := range f32(x, n) {
			l[i&15] += v
		}
		for w := 8; w > 0; w /= 2 {
			for i := range w {
				l[i] += l[i+w]
			}
		}
		return l[0]
	},
	AddTo: func(dst, x unsafe.Pointer, n int) {
		d := f32(dst, n)
		for i, v := range f32(x, n) {
			d[i] += v
		}
	},
	Softmax:            func(dst, x unsafe.Pointer, n int) { softmaxRow(dst, x, n) },
	SparseCrossEntropy: sparseCERow,
	Adam: func(w, m, v, g unsafe.Pointer, n int, h *adamScalars) {
		W, M, V, G := f32(w, n), f32(m, n), f32(v, n), f32(g, n)
		for i, g := range G {
			M[i] += (g - M[i]) * h.OneMinusBeta1
			V[i] += (g*g - V[i]) * h.OneMinusBeta2
			W[i] = W[i] - W[i]*h.Decay - h.Alpha*M[i]/(float32(math.Sqrt(float64(V[i])))+h.Eps)
		}
	},
}

func softmaxRow(dst, x unsafe.Pointer, n int) float64 {
	d, s := f32(dst, n), f32(x, n)
	m, sum := float32(math.Inf(-1)), 0.0
	for _, v := range s {
		m = nanMax(m, v)
	}
	for i, v := range s {
		e := math.Exp(float64(v - m))
		d[i] = float32(e)
		sum += e
	}
	for i := range d {
		d[i] = float32(float64(d[i]) / sum)
	}
	return float64(m) + math.Log(sum)
}

func sparseCERow(dst, x unsafe.Pointer, n, class int) float32 {
	l := softmaxRow(dst, x, n)
	if class < 0 || class >= n {
		return float32(math.NaN())
	}
	return float32(l - float64(f32(x, n)[class]))
}

// dropoutMask writes 1 where element offset+i of the stream is below keep.
func dropoutMask(dst []byte, offset int, key, step uint64, keep uint32) {
	for i := 0; i < len(dst); {
		e := offset + i
		b := rng.Block(key, step, uint64(e)/4)
		for l := e & 3; l < 4 && i < len(dst); l++ {
			dst[i] = 0
			if b[l] < keep {
				dst[i] = 1
			}
			i++
		}
	}
}
