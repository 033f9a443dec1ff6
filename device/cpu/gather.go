package cpu

import (
	"unsafe"

	"github.com/kun-ml/kun/array"
	"github.com/kun-ml/kun/tensor"
)

// ruleTake copies rows of a table; an index outside gives NaN, or zeros for integers.
func ruleTake(c *compiler, n *tensor.Node) bool {
	d := n.Type(0).DType
	rows, w := n.In[0].Shape()[0], n.In[0].Shape()[1:].Size()*d.Size()
	count := n.In[1].Shape().Size()
	missing := array.New(d, n.In[0].Shape()[1:].Size())
	if d.IsFloat() {
		v := make([]float64, missing.Len())
		for i := range v {
			v[i] = nan
		}
		missing.SetFloat64s(v)
	}
	x, k, y := c.at(n.In[0]), c.at(n.In[1]), c.values[n.ID()][0]
	c.add(n, func(in *instance) func() {
		f := func(piece, worker int) {
			index := unsafe.Slice((*int32)(in.ptr[k.id]), count)
			for i := piece * count / pieces(count); i < (piece+1)*count/pieces(count); i++ {
				row := missing.Bytes()
				if j := int(index[i]); j >= 0 && j < rows {
					row = in.bytes[x.id][j*w : (j+1)*w]
				}
				copy(in.bytes[y.id][i*w:(i+1)*w], row)
			}
		}
		return func() { in.split(pieces(count), f) }
	})
	return true
}

// ruleScatterRows adds rows in the order of the indices.
func ruleScatterRows(c *compiler, n *tensor.Node) bool {
	d := n.Type(0).DType
	if d != array.Float32 && !d.IsInt() {
		return false
	}
	rows, w := n.Type(0).Shape[0], n.Type(0).Shape[1:].Size()
	count := n.In[0].Shape().Size()
	k, x, y := c.at(n.In[0]), c.at(n.In[1]), c.values[n.ID()][0]
	c.add(n, func(in *instance) func() {
		add := c.d.rows.AddTo
		if d != array.Float32 {
			sum, row := make([]int64, w), make([]int64, w)
			add = func(dst, x unsafe.Pointer, _ int) {
				loadInts(d, dst, sum)
				loadInts(d, x, row)
				for i, v := range row {
					sum[i] += v
				}
				storeInts(d, dst, sum)
			}
		}
		bytes := w * d.Size()
		return func() {
			clear(in.bytes[y.id])
			for i, j := range unsafe.Slice((*int32)(in.ptr[k.id]), count) {
				if j >= 0 && int(j) < rows {
					add(unsafe.Add(in.ptr[y.id], int(j)*bytes), unsafe.Add(in.ptr[x.id], i*bytes), w)
				}
			}
		}
	})
	return true
}

// rulePick runs OneHot, GatherLast and ScatterLast, which move elements and so need only know their size.
func rulePick(c *compiler, n *tensor.Node) bool {
	switch n.Type(0).DType.Size() {
	case 1:
		pick[uint8](c, n)
	case 2:
		pick[uint16](c, n)
	case 4:
		pick[uint32](c, n)
	default:
		pick[uint64](c, n)
	}
	return true
}

// bitsOf is a number as an element of type d.
func bitsOf[T any](d array.DType, v float64) T {
	a := array.New(d, 1)
	a.SetFloat64s([]float64{v})
	return *(*T)(unsafe.Pointer(unsafe.SliceData(a.Bytes())))
}

func pick[T uint8 | uint16 | uint32 | uint64](c *compiler, n *tensor.Node) {
	d, y := n.Type(0).DType, c.values[n.ID()][0]
	if n.Op.Name == "GatherLast" {
		x, k, w := c.at(n.In[0]), c.at(n.In[1]), n.In[0].Dim(-1)
		count := n.Type(0).Shape.Size()
		var missing T
		if d.IsFloat() {
			missing = bitsOf[T](d, nan)
		}
		c.add(n, func(in *instance) func() {
			return func() {
				src, dst := unsafe.Slice((*T)(in.ptr[x.id]), count*w), unsafe.Slice((*T)(in.ptr[y.id]), count)
				for i, j := range unsafe.Slice((*int32)(in.ptr[k.id]), count) {
					dst[i] = missing
					if j >= 0 && int(j) < w {
						dst[i] = src[i*w+int(j)]
					}
				}
			}
		})
		return
	}
	k, depth, count := c.at(n.In[0]), n.Attr.(*tensor.DepthAttr).Depth, n.In[0].Shape().Size()
	one := bitsOf[T](d, 1)
	var x *value
	if n.Op.Name == "ScatterLast" {
		x = c.at(n.In[1])
	}
	c.add(n, func(in *instance) func() {
		return func() {
			clear(in.bytes[y.id])
			dst := unsafe.Slice((*T)(in.ptr[y.id]), count*depth)
			for i, j := range unsafe.Slice((*int32)(in.ptr[k.id]), count) {
				if j >= 0 && int(j) < depth {
					dst[i*depth+int(j)] = one
					if x != nil {
						dst[i*depth+int(j)] = unsafe.Slice((*T)(in.ptr[x.id]), count)[i]
					}
				}
			}
		}
	})
}
