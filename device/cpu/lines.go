package cpu

import (
	"math"
	"slices"
	"unsafe"

	"github.com/kun-ml/kun/array"
	"github.com/kun-ml/kun/tensor"
)

// wide says how elements are read and written as numbers of 64 bits.
type wide[T float64 | int64] struct {
	load, store func(d array.DType, p unsafe.Pointer, v []T)
}

var floats64, ints64 = wide[float64]{load, store}, wide[int64]{loadInts, storeInts}

// alongLines runs an operation along one axis of its operand, line by line in float64 or, for whole numbers, in int64: the
// functions make one that writes the results of a line x. Output i has widths[i] elements where the operand has its line.
func (c *compiler) alongLines(n *tensor.Node, axis int, widths []int, f func() func(x []float64, out [][]float64), g func() func(x []int64, out [][]int64)) bool {
	if wholeNumbers(n) {
		return lines(c, n, axis, widths, ints64, g)
	}
	return lines(c, n, axis, widths, floats64, f)
}

func lines[T float64 | int64](c *compiler, n *tensor.Node, axis int, widths []int, as wide[T], f func() func(x []T, out [][]T)) bool {
	s := n.In[0].Shape()
	if s.Size() == 0 {
		return false
	}
	outer, count, inner, _ := blockOf(s, []int{axis})
	x, ys := c.at(n.In[0]), c.values[n.ID()]
	c.add(n, func(in *instance) func() {
		type room struct {
			run  func(x []T, out [][]T)
			line []T
			out  [][]T
		}
		rooms := make([]room, in.d.threads)
		for i := range rooms {
			rooms[i] = room{run: f(), line: make([]T, count)}
			for _, w := range widths {
				rooms[i].out = append(rooms[i].out, make([]T, w))
			}
		}
		all := outer * inner
		per := max(1, 4096/count)
		g := func(piece, worker int) {
			r := &rooms[worker]
			for l := piece * per; l < min(all, (piece+1)*per); l++ {
				o, j := l/inner, l%inner
				as.loadStrided(x.t.DType, in.ptr[x.id], o*count*inner+j, inner, r.line)
				r.run(r.line, r.out)
				for i, y := range ys {
					as.storeStrided(y.t.DType, in.ptr[y.id], o*widths[i]*inner+j, inner, r.out[i])
				}
			}
		}
		pieces := (all + per - 1) / per
		return func() { in.split(pieces, g) }
	})
	return true
}

func (w wide[T]) loadStrided(d array.DType, p unsafe.Pointer, at, stride int, dst []T) {
	if stride == 1 {
		w.load(d, unsafe.Add(p, at*d.Size()), dst)
		return
	}
	for i := range dst {
		w.load(d, unsafe.Add(p, (at+i*stride)*d.Size()), dst[i:i+1])
	}
}

func (w wide[T]) storeStrided(d array.DType, p unsafe.Pointer, at, stride int, src []T) {
	if stride == 1 {
		w.store(d, unsafe.Add(p, at*d.Size()), src)
		return
	}
	for i := range src {
		w.store(d, unsafe.Add(p, (at+i*stride)*d.Size()), src[i:i+1])
	}
}

// ruleArg finds the largest or smallest element of each line, the first among equals; NaN comes before all.
func ruleArg(c *compiler, n *tensor.Node) bool {
	if n.Op.Name == "ArgMax" && ruleArgMax(c, n) {
		return true
	}
	least := n.Op.Name == "ArgMin"
	return c.alongLines(n, n.Attr.(*tensor.AxisAttr).Axis, []int{1}, argLine[float64](least), argLine[int64](least))
}

func argLine[T float64 | int64](least bool) func() func(x []T, out [][]T) {
	return func() func(x []T, out [][]T) {
		return func(x []T, out [][]T) {
			best := 0
			for i, v := range x {
				if b := x[best]; v > b && !least || v < b && least || v != v && b == b {
					best = i
				}
			}
			out[0][0] = T(best)
		}
	}
}

// ruleCumSum is the running sum of each line.
func ruleCumSum(c *compiler, n *tensor.Node) bool {
	a := n.Attr.(*tensor.CumSumAttr)
	return c.alongLines(n, a.Axis, []int{n.In[0].Dim(a.Axis)}, cumSumLine[float64](a), cumSumLine[int64](a))
}

func cumSumLine[T float64 | int64](a *tensor.CumSumAttr) func() func(x []T, out [][]T) {
	return func() func(x []T, out [][]T) {
		return func(x []T, out [][]T) {
			var s T
			for i := range x {
				p := i
				if a.Reverse {
					p = len(x) - 1 - i
				}
				if a.Exclusive {
					out[0][p] = s
				}
				s += x[p]
				if !a.Exclusive {
					out[0][p] = s
				}
			}
		}
	}
}

// ruleTopK sorts positions of each line.
func ruleTopK(c *compiler, n *tensor.Node) bool {
	k := n.Attr.(*tensor.TopKAttr).K
	if n.In[0].Rank() == 0 {
		return false
	}
	w := n.In[0].Dim(-1)
	return c.alongLines(n, n.In[0].Rank()-1, []int{k, k}, topKLine[float64](w, k), topKLine[int64](w, k))
}

func topKLine[T float64 | int64](w, k int) func() func(x []T, out [][]T) {
	return func() func(x []T, out [][]T) {
		index := make([]int, w)
		var row []T
		order := func(a, b int) int {
			switch x, y := row[a], row[b]; {
			case x != x && y == y || x > y:
				return -1
			case y != y && x == x || x < y:
				return 1
			}
			return a - b
		}
		return func(x []T, out [][]T) {
			row = x
			for i := range index {
				index[i] = i
			}
			slices.SortFunc(index, order)
			for i, p := range index[:k] {
				out[0][i], out[1][i] = x[p], T(p)
			}
		}
	}
}

// ruleLogSumExp is the logarithm of the sum of exponentials along neighbouring axes.
func ruleLogSumExp(c *compiler, n *tensor.Node) bool {
	outer, count, inner, ok := blockOf(n.In[0].Shape(), n.Attr.(*tensor.AxesAttr).Axes)
	if !ok {
		return false
	}
	x, y := c.at(n.In[0]), c.values[n.ID()][0]
	if allFloat32(n) && inner == 1 {
		c.rows(n, outer, func(in *instance, i int) {
			*(*float32)(unsafe.Add(in.ptr[y.id], 4*i)) = c.d.rows.LogSumExp(unsafe.Add(in.ptr[x.id], 4*i*count), count)
		})
		return true
	}
	c.add(n, func(in *instance) func() {
		line := make([]float64, count)
		return func() {
			for l := range outer * inner {
				floats64.loadStrided(x.t.DType, in.ptr[x.id], l/inner*count*inner+l%inner, inner, line)
				m, s := math.Inf(-1), 0.0
				for _, v := range line {
					m = tensor.MaxNaN(m, v)
				}
				if math.IsInf(m, 0) {
					m = 0
				}
				for _, v := range line {
					s += math.Exp(v - m)
				}
				line[0] = m + math.Log(s)
				store(y.t.DType, unsafe.Add(in.ptr[y.id], l*y.t.DType.Size()), line[:1])
			}
		}
	})
	return true
}

// rows adds a step that runs f for each of count rows.
func (c *compiler) rows(n *tensor.Node, count int, f func(in *instance, row int)) {
	c.addRows(n, count, func(in *instance) span {
		return func(from, to, _ int) {
			for i := from; i < to; i++ {
				f(in, i)
			}
		}
	})
}

// ruleRow runs the operations that rewrite rows of the last axis.
func ruleRow(c *compiler, n *tensor.Node) bool {
	r, w := lastAxis(n.Type(0).Shape)
	if !allFloat32(n) || r == 0 {
		return false
	}
	x, y, k := c.at(n.In[0]), c.values[n.ID()][0], c.d.rows
	switch n.Op.Name {
	case "LogSoftmax":
		c.rows(n, r, func(in *instance, i int) {
			k.LogSoftmax(unsafe.Add(in.ptr[y.id], 4*i*w), unsafe.Add(in.ptr[x.id], 4*i*w), w)
		})
	case "SoftmaxGrad":
		dy := c.at(n.In[1])
		c.rows(n, r, func(in *instance, i int) {
			k.SoftmaxGrad(unsafe.Add(in.ptr[y.id], 4*i*w), unsafe.Add(in.ptr[x.id], 4*i*w), unsafe.Add(in.ptr[dy.id], 4*i*w), w)
		})
	default:
		c.rows(n, r, func(in *instance, i int) {
			k.Softmax(unsafe.Add(in.ptr[y.id], 4*i*w), unsafe.Add(in.ptr[x.id], 4*i*w), w)
		})
	}
	return true
}
