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
	if n.Type(0).DType != array.Float32 {
		return false
	}
	rows, w := n.Type(0).Shape[0], n.Type(0).Shape[1:].Size()
	count := n.In[0].Shape().Size()
	k, x, y := c.at(n.In[0]), c.at(n.In[1]), c.values[n.ID()][0]
	add := c.d.rows.AddTo
	c.add(n, func(in *instance) func() {
		return func() {
			clear(in.bytes[y.id])
			for i, j := range unsafe.Slice((*int32)(in.ptr[k.id]), count) {
				if j >= 0 && int(j) < rows {
					add(unsafe.Add(in.ptr[y.id], 4*int(j)*w), unsafe.Add(in.ptr[x.id], 4*i*w), w)
				}
			}
		}
	})
	return true
}

// rulePick runs OneHot, GatherLast and ScatterLast.
func rulePick(c *compiler, n *tensor.Node) bool {
	d := n.Type(0).DType
	if d != array.Float32 {
		return false
	}
	y := c.values[n.ID()][0]
	if n.Op.Name == "GatherLast" {
		x, k, w := c.at(n.In[0]), c.at(n.In[1]), n.In[0].Dim(-1)
		count := n.Type(0).Shape.Size()
		c.add(n, func(in *instance) func() {
			return func() {
				src, dst := f32(in.ptr[x.id], count*w), f32(in.ptr[y.id], count)
				for i, j := range unsafe.Slice((*int32)(in.ptr[k.id]), count) {
					dst[i] = float32(nan)
					if j >= 0 && int(j) < w {
						dst[i] = src[i*w+int(j)]
					}
				}
			}
		})
		return true
	}
	k, depth, count := c.at(n.In[0]), n.Attr.(*tensor.DepthAttr).Depth, n.In[0].Shape().Size()
	var x *value
	if n.Op.Name == "ScatterLast" {
		x = c.at(n.In[1])
	}
	c.add(n, func(in *instance) func() {
		return func() {
			clear(in.bytes[y.id])
			dst := f32(in.ptr[y.id], count*depth)
			for i, j := range unsafe.Slice((*int32)(in.ptr[k.id]), count) {
				if j >= 0 && int(j) < depth {
					dst[i*depth+int(j)] = 1
					if x != nil {
						dst[i*depth+int(j)] = f32(in.ptr[x.id], count)[i]
					}
				}
			}
		}
	})
	return true
}
