package cpu

import (
	"unsafe"

	"github.com/kun-ml/kun/array"
	"github.com/kun-ml/kun/internal/kernel"
	"github.com/kun-ml/kun/tensor"
)

// sumLen is the largest number of elements that one call adds up: code in assembly cannot be interrupted.
const sumLen = 1 << 16

// ruleSum runs sums and means over leading axes (columns) or trailing axes (rows), also of a middle block. A row of more than
// sumLen elements is the sum of its pieces of sumLen, added in order.
func ruleSum(c *compiler, n *tensor.Node) bool {
	if !allFloat32(n) {
		return ruleFold(c, n)
	}
	outer, count, inner, ok := blockOf(n.In[0].Shape(), n.Attr.(*tensor.AxesAttr).Axes)
	if !ok {
		return false
	}
	scale := float32(1)
	if n.Op.Name == "Mean" {
		scale = 1 / float32(count)
	}
	x, y := c.at(n.In[0]), c.values[n.ID()][0]
	rows := c.d.rows
	c.add(n, func(in *instance) func() {
		f := func(piece, worker int) {
			for o := piece * outer / pieces(outer); o < (piece+1)*outer/pieces(outer); o++ {
				src := unsafe.Add(in.ptr[x.id], 4*o*count*inner)
				dst := unsafe.Add(in.ptr[y.id], 4*o*inner)
				out := unsafe.Slice((*float32)(dst), inner)
				if inner == 1 {
					out[0] = rows.Sum(src, min(count, sumLen))
					for i := sumLen; i < count; i += sumLen {
						out[0] += rows.Sum(unsafe.Add(src, 4*i), min(count-i, sumLen))
					}
				} else {
					copy(out, unsafe.Slice((*float32)(src), inner))
					for i := 1; i < count; i++ {
						for j := 0; j < inner; j += sumLen {
							rows.AddTo(unsafe.Add(dst, 4*j), unsafe.Add(src, 4*(i*inner+j)), min(inner-j, sumLen))
						}
					}
				}
				if scale != 1 {
					for i := range out {
						out[i] *= scale
					}
				}
			}
		}
		return func() { in.split(pieces(outer), f) }
	})
	return true
}

// pieces cuts rows into pieces, by their number alone.
func pieces(rows int) int { return max(1, min(16, rows/64)) }

func lastAxis(s array.Shape) (rows, width int) {
	if len(s) == 0 || s.Size() == 0 {
		return 0, 0
	}
	return s.Size() / s[len(s)-1], s[len(s)-1]
}

func ruleSparseCE(c *compiler, n *tensor.Node) bool {
	r, w := lastAxis(n.Type(1).Shape)
	if n.Type(1).DType != array.Float32 || r == 0 {
		return false
	}
	x, k := c.at(n.In[0]), c.at(n.In[1])
	l, p := c.values[n.ID()][0], c.values[n.ID()][1]
	rows := c.d.rows
	c.addRows(n, r, func(in *instance) span {
		return func(from, to, _ int) {
			loss := unsafe.Slice((*float32)(in.ptr[l.id]), r)
			class := unsafe.Slice((*int32)(in.ptr[k.id]), r)
			for i := from; i < to; i++ {
				loss[i] = crossEntropy(rows, unsafe.Add(in.ptr[p.id], 4*i*w), unsafe.Add(in.ptr[x.id], 4*i*w), w, int(class[i]))
			}
		}
	})
	return true
}

func ruleSparseCEGrad(c *compiler, n *tensor.Node) bool {
	r, w := lastAxis(n.Type(0).Shape)
	if n.Type(0).DType != array.Float32 || r == 0 {
		return false
	}
	p, k, d, y := c.at(n.In[0]), c.at(n.In[1]), c.at(n.In[2]), c.values[n.ID()][0]
	scale := c.d.tile("Scale")
	c.addRows(n, r, func(in *instance) span {
		by := make([]kernel.Scalars, in.d.threads)
		return func(from, to, worker int) {
			class := unsafe.Slice((*int32)(in.ptr[k.id]), r)
			dy := unsafe.Slice((*float32)(in.ptr[d.id]), r)
			out := unsafe.Slice((*float32)(in.ptr[y.id]), r*w)
			prob := unsafe.Slice((*float32)(in.ptr[p.id]), r*w)
			for i := from; i < to; i++ {
				by[worker][0] = dy[i]
				scale(unsafe.Pointer(&out[i*w]), unsafe.Pointer(&prob[i*w]), nil, nil, w, &by[worker])
				if j := int(class[i]); j >= 0 && j < w {
					out[i*w+j] = (prob[i*w+j] - 1) * dy[i]
				}
			}
		}
	})
	return true
}

func ruleArgMax(c *compiler, n *tensor.Node) bool {
	s := n.In[0].Shape()
	if n.In[0].DType() != array.Float32 || n.Attr.(*tensor.AxisAttr).Axis != len(s)-1 || s.Size() == 0 {
		return false
	}
	r, w := lastAxis(s)
	x, y := c.at(n.In[0]), c.values[n.ID()][0]
	c.addRows(n, r, func(in *instance) span {
		return func(from, to, _ int) {
			src := unsafe.Slice((*float32)(in.ptr[x.id]), r*w)
			dst := unsafe.Slice((*int32)(in.ptr[y.id]), r)
			for i := from; i < to; i++ {
				row, best := src[i*w:(i+1)*w], 0
				for j, v := range row {
					if b := row[best]; v > b || v != v && b == b {
						best = j
					}
				}
				dst[i] = int32(best)
			}
		}
	})
	return true
}
