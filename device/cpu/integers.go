package cpu

import (
	"math"
	"unsafe"

	"github.com/kun-ml/kun/array"
	"github.com/kun-ml/kun/tensor"
)

// Integers are computed in int64 and wrap around in the element's width; float64, in which the other generic steps compute,
// would round them above 2^53.

var intOps = map[string]func(x []int64) int64{
	"Add":    func(x []int64) int64 { return x[0] + x[1] },
	"Sub":    func(x []int64) int64 { return x[0] - x[1] },
	"Mul":    func(x []int64) int64 { return x[0] * x[1] },
	"Neg":    func(x []int64) int64 { return -x[0] },
	"Square": func(x []int64) int64 { return x[0] * x[0] },
	"Abs": func(x []int64) int64 {
		if x[0] < 0 {
			return -x[0]
		}
		return x[0]
	},
	"Maximum":      func(x []int64) int64 { return max(x[0], x[1]) },
	"Minimum":      func(x []int64) int64 { return min(x[0], x[1]) },
	"Relu":         func(x []int64) int64 { return max(x[0], 0) },
	"Equal":        func(x []int64) int64 { return truth(x[0] == x[1]) },
	"NotEqual":     func(x []int64) int64 { return truth(x[0] != x[1]) },
	"Less":         func(x []int64) int64 { return truth(x[0] < x[1]) },
	"LessEqual":    func(x []int64) int64 { return truth(x[0] <= x[1]) },
	"Greater":      func(x []int64) int64 { return truth(x[0] > x[1]) },
	"GreaterEqual": func(x []int64) int64 { return truth(x[0] >= x[1]) },
	"Where": func(x []int64) int64 {
		if x[0] != 0 {
			return x[1]
		}
		return x[2]
	},
}

func truth(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// intOp is the function of an operation on integers, nil when there is none.
func intOp(n *tensor.Node) func(x []int64) int64 {
	a, ok := n.Attr.(*tensor.ScalarValue)
	if !ok {
		return intOps[n.Op.Name]
	}
	if a.Value != math.Trunc(a.Value) || math.Abs(a.Value) >= 1<<63 {
		return nil // computed in floating point
	}
	s := int64(a.Value)
	switch n.Op.Name {
	case "AddScalar":
		return func(x []int64) int64 { return x[0] + s }
	case "Scale":
		return func(x []int64) int64 { return x[0] * s }
	case "MaximumScalar":
		return func(x []int64) int64 { return max(x[0], s) }
	case "MinimumScalar":
		return func(x []int64) int64 { return min(x[0], s) }
	case "MaskScale":
		return func(x []int64) int64 { return x[0] * s * truth(x[1] != 0) }
	}
	return nil
}

func isWhole(d array.DType) bool { return d.IsInt() || d == array.Bool }

// wholeNumbers reports whether all operands and the result are integers or truth values.
func wholeNumbers(n *tensor.Node) bool {
	for _, t := range n.In {
		if !isWhole(t.DType()) {
			return false
		}
	}
	return isWhole(n.Type(0).DType)
}

// emitIntegers runs an elementwise operation on integers.
func (c *compiler) emitIntegers(n *tensor.Node) bool {
	f := intOp(n)
	if f == nil || !wholeNumbers(n) {
		return false
	}
	y := c.values[n.ID()][0]
	shape, total := n.Type(0).Shape, n.Type(0).Shape.Size()
	var xs []*expansion
	for _, t := range n.In {
		xs = append(xs, &expansion{c.at(t), shape, tensor.BroadcastStrides(t.Shape(), shape), t.DType().Size()})
	}
	c.add(n, func(in *instance) func() {
		type room struct {
			raw []uint64
			x   [][genericLen]int64
			arg []int64
			out [genericLen]int64
		}
		rooms := make([]room, in.d.threads)
		for i := range rooms {
			rooms[i] = room{raw: make([]uint64, genericLen), x: make([][genericLen]int64, len(xs)), arg: make([]int64, len(xs))}
		}
		g := func(piece, worker int) {
			r := &rooms[worker]
			for p := piece * pieceLen; p < min(total, (piece+1)*pieceLen); p += genericLen {
				m := min(genericLen, total-p)
				for k, e := range xs {
					raw := unsafe.Pointer(unsafe.SliceData(r.raw))
					expand(raw, in.ptr[e.v.id], e, p, m)
					loadInts(e.v.t.DType, raw, r.x[k][:m])
				}
				for i := range m {
					for k := range xs {
						r.arg[k] = r.x[k][i]
					}
					r.out[i] = f(r.arg)
				}
				storeInts(y.t.DType, unsafe.Add(in.ptr[y.id], p*y.t.DType.Size()), r.out[:m])
			}
		}
		pieces := (total + pieceLen - 1) / pieceLen
		return func() { in.split(pieces, g) }
	})
	return true
}

// foldIntegers runs sums, products and extremes of integers along neighbouring axes.
func foldIntegers(c *compiler, n *tensor.Node) bool {
	f := map[string]func(a, x int64) int64{
		"Sum": func(a, x int64) int64 { return a + x }, "Prod": func(a, x int64) int64 { return a * x },
		"Max": func(a, x int64) int64 { return max(a, x) }, "Min": func(a, x int64) int64 { return min(a, x) },
	}[n.Op.Name]
	outer, count, inner, ok := blockOf(n.In[0].Shape(), n.Attr.(*tensor.AxesAttr).Axes)
	if f == nil || !ok || !wholeNumbers(n) {
		return false
	}
	x, y := c.at(n.In[0]), c.values[n.ID()][0]
	size := x.t.DType.Size()
	c.add(n, func(in *instance) func() {
		acc, row := make([]int64, inner), make([]int64, inner)
		return func() {
			for o := range outer {
				loadInts(x.t.DType, unsafe.Add(in.ptr[x.id], o*count*inner*size), acc)
				for i := 1; i < count; i++ {
					loadInts(x.t.DType, unsafe.Add(in.ptr[x.id], (o*count+i)*inner*size), row)
					for j, v := range row {
						acc[j] = f(acc[j], v)
					}
				}
				storeInts(y.t.DType, unsafe.Add(in.ptr[y.id], o*inner*y.t.DType.Size()), acc)
			}
		}
	})
	return true
}

func loadInts(d array.DType, p unsafe.Pointer, dst []int64) {
	n := len(dst)
	switch d {
	case array.Int8:
		widenInts(dst, unsafe.Slice((*int8)(p), n))
	case array.Uint8, array.Bool:
		widenInts(dst, unsafe.Slice((*uint8)(p), n))
	case array.Int32:
		widenInts(dst, unsafe.Slice((*int32)(p), n))
	default:
		copy(dst, unsafe.Slice((*int64)(p), n))
	}
}

func widenInts[T int8 | uint8 | int32](dst []int64, src []T) {
	for i, v := range src {
		dst[i] = int64(v)
	}
}

func storeInts(d array.DType, p unsafe.Pointer, src []int64) {
	n := len(src)
	switch d {
	case array.Int8:
		narrowInts(unsafe.Slice((*int8)(p), n), src)
	case array.Uint8, array.Bool:
		narrowInts(unsafe.Slice((*uint8)(p), n), src)
	case array.Int32:
		narrowInts(unsafe.Slice((*int32)(p), n), src)
	default:
		copy(unsafe.Slice((*int64)(p), n), src)
	}
}

func narrowInts[T int8 | uint8 | int32](dst []T, src []int64) {
	for i, v := range src {
		dst[i] = T(v)
	}
}
