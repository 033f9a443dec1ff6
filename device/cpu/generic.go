package cpu

import (
	"unsafe"

	"github.com/kun-ml/kun/array"
	"github.com/kun-ml/kun/tensor"
)

// genericLen is the number of elements that a generic step converts to float64 at a time.
const genericLen = 256

// emitGeneric runs an elementwise operation of any element types by its scalar reference in float64, without allocating.
func (c *compiler) emitGeneric(n *tensor.Node) bool {
	o := n.Op
	if o.Class != tensor.Elementwise || n.NumOut() != 1 || o.Ref == nil && o.RefAttr == nil {
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
			x   [][genericLen]float64
			arg []float64
			out [genericLen]float64
		}
		rooms := make([]room, in.d.threads)
		for i := range rooms {
			rooms[i] = room{raw: make([]uint64, genericLen), x: make([][genericLen]float64, len(xs)), arg: make([]float64, len(xs))}
		}
		f := func(piece, worker int) {
			r := &rooms[worker]
			for p := piece * pieceLen; p < min(total, (piece+1)*pieceLen); p += genericLen {
				m := min(genericLen, total-p)
				for k, e := range xs {
					raw := unsafe.Pointer(unsafe.SliceData(r.raw))
					expand(raw, in.ptr[e.v.id], e, p, m)
					load(e.v.t.DType, raw, r.x[k][:m])
				}
				for i := range m {
					for k := range xs {
						r.arg[k] = r.x[k][i]
					}
					if o.Ref != nil {
						r.out[i] = o.Ref(r.arg)
					} else {
						r.out[i] = o.RefAttr(n.Attr, r.arg)
					}
				}
				store(y.t.DType, unsafe.Add(in.ptr[y.id], p*y.t.DType.Size()), r.out[:m])
			}
		}
		n := (total + pieceLen - 1) / pieceLen
		return func() { in.split(n, f) }
	})
	return true
}

// blockOf splits a shape around a run of neighbouring axes: outer x count x inner.
func blockOf(s array.Shape, axes []int) (outer, count, inner int, ok bool) {
	if len(axes) == 0 || s.Size() == 0 {
		return 0, 0, 0, false
	}
	for i := 1; i < len(axes); i++ {
		if axes[i] != axes[i-1]+1 {
			return 0, 0, 0, false
		}
	}
	outer, inner = s[:axes[0]].Size(), s[axes[len(axes)-1]+1:].Size()
	return outer, s.Size() / outer / inner, inner, true
}

// folds are the reductions that go element by element in float64.
var folds = map[string]struct {
	start func(first float64) float64
	add   func(acc, x float64) float64
}{
	"Sum":  {func(float64) float64 { return 0 }, func(a, x float64) float64 { return a + x }},
	"Mean": {func(float64) float64 { return 0 }, func(a, x float64) float64 { return a + x }},
	"Prod": {func(float64) float64 { return 1 }, func(a, x float64) float64 { return a * x }},
	"Max":  {func(f float64) float64 { return f }, func(a, x float64) float64 { return tensor.MaxNaN(a, x) }},
	"Min":  {func(f float64) float64 { return f }, func(a, x float64) float64 { return -tensor.MaxNaN(-a, -x) }},
}

// ruleFold runs reductions of any element type along neighbouring axes, in float64.
func ruleFold(c *compiler, n *tensor.Node) bool {
	if foldIntegers(c, n) {
		return true
	}
	k, ok := folds[n.Op.Name]
	outer, count, inner, fits := blockOf(n.In[0].Shape(), n.Attr.(*tensor.AxesAttr).Axes)
	if !ok || !fits {
		return false
	}
	x, y := c.at(n.In[0]), c.values[n.ID()][0]
	mean := n.Op.Name == "Mean"
	c.add(n, func(in *instance) func() {
		acc, row := make([]float64, inner), make([]float64, inner)
		size := x.t.DType.Size()
		return func() {
			for o := range outer {
				for i := range count {
					load(x.t.DType, unsafe.Add(in.ptr[x.id], (o*count+i)*inner*size), row)
					for j, v := range row {
						if i == 0 {
							acc[j] = k.start(v)
						}
						acc[j] = k.add(acc[j], v)
					}
				}
				if mean {
					for j := range acc {
						acc[j] /= float64(count)
					}
				}
				store(y.t.DType, unsafe.Add(in.ptr[y.id], o*inner*y.t.DType.Size()), acc)
			}
		}
	})
	return true
}
