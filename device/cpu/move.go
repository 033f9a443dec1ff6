package cpu

import (
	"unsafe"

	"github.com/kun-ml/kun/array"
	"github.com/kun-ml/kun/internal/kernel"
	"github.com/kun-ml/kun/tensor"
)

// move copies a block element by element: shape elements of size bytes, with strides in elements on both sides.
type move struct {
	shape        array.Shape
	from, to     []int
	fromAt, toAt int
	size         int
	rows         int
}

func newMove(shape array.Shape, from, to []int, size int) *move {
	m := &move{size: size}
	for i, d := range shape { // join axes that lie one behind the other on both sides
		if d == 1 {
			continue
		}
		if k := len(m.shape) - 1; k >= 0 && m.from[k] == from[i]*d && m.to[k] == to[i]*d {
			m.shape[k] *= d
			m.from[k], m.to[k] = from[i], to[i]
			continue
		}
		m.shape, m.from, m.to = append(m.shape, d), append(m.from, from[i]), append(m.to, to[i])
	}
	if len(m.shape) == 0 {
		m.shape, m.from, m.to = array.Shape{shape.Size()}, []int{1}, []int{1}
	}
	m.rows = m.shape[:len(m.shape)-1].Size()
	return m
}

// run copies rows from..to-1 of the block.
func (m *move) run(dst, src unsafe.Pointer, first, end int) {
	last := len(m.shape) - 1
	n, fs, ts := m.shape[last], m.from[last], m.to[last]
	for r := first; r < end; r++ {
		a, b := m.fromAt, m.toAt
		for i, q := last-1, r; i >= 0; i-- {
			a += q % m.shape[i] * m.from[i]
			b += q % m.shape[i] * m.to[i]
			q /= m.shape[i]
		}
		s, d := unsafe.Add(src, a*m.size), unsafe.Add(dst, b*m.size)
		if ts == 1 {
			copyElems(d, s, n, fs, m.size)
			continue
		}
		for i := range n {
			copyElems(unsafe.Add(d, i*ts*m.size), unsafe.Add(s, i*fs*m.size), 1, 1, m.size)
		}
	}
}

// addMoves makes a step of moves into the first output, each from the operand of its number, nil for none; fill, if not nil, writes the
// whole output first.
func (c *compiler) addMoves(n *tensor.Node, moves []*move, fill func(b []byte)) {
	y := c.values[n.ID()][0]
	var from []*value
	for _, t := range n.In {
		from = append(from, c.at(t))
	}
	c.add(n, func(in *instance) func() {
		return func() {
			if fill != nil {
				fill(in.bytes[y.id])
			}
			for i, m := range moves {
				if m != nil {
					m.run(in.ptr[y.id], in.ptr[from[i].id], 0, m.rows)
				}
			}
		}
	})
}

func ruleTranspose(c *compiler, n *tensor.Node) bool {
	out, st := n.Type(0).Shape, n.In[0].Shape().Strides()
	if out.Size() == 0 {
		return false
	}
	from := make([]int, len(out))
	for i, a := range n.Attr.(*tensor.PermAttr).Perm {
		from[i] = st[a]
	}
	c.addMoves(n, []*move{newMove(out, from, out.Strides(), n.Type(0).DType.Size())}, nil)
	return true
}

func ruleBroadcast(c *compiler, n *tensor.Node) bool {
	out := n.Type(0).Shape
	if out.Size() == 0 {
		return false
	}
	c.addMoves(n, []*move{newMove(out, tensor.BroadcastStrides(n.In[0].Shape(), out), out.Strides(), n.Type(0).DType.Size())}, nil)
	return true
}

func ruleSlice(c *compiler, n *tensor.Node) bool {
	a, out := n.Attr.(*tensor.SliceAttr), n.Type(0).Shape
	if out.Size() == 0 || n.In[0].Shape().Size() == 0 {
		return false
	}
	size := n.Type(0).DType.Size()
	if n.Op.Name == "Unslice" {
		s := n.In[0].Shape()
		to := out.Strides()
		at := a.From * to[a.Axis]
		to[a.Axis] *= a.Step
		m := newMove(s, s.Strides(), to, size)
		m.toAt = at
		c.addMoves(n, []*move{m}, func(b []byte) { clear(b) })
		return true
	}
	from := n.In[0].Shape().Strides()
	at := a.From * from[a.Axis]
	from[a.Axis] *= a.Step
	m := newMove(out, from, out.Strides(), size)
	m.fromAt = at
	c.addMoves(n, []*move{m}, nil)
	return true
}

func ruleConcat(c *compiler, n *tensor.Node) bool {
	a, out := n.Attr.(*tensor.ConcatAttr).Axis, n.Type(0).Shape
	if out.Size() == 0 {
		return false
	}
	var moves []*move
	at := 0
	for _, t := range n.In {
		s := t.Shape()
		if s.Size() == 0 {
			moves = append(moves, nil)
			continue
		}
		m := newMove(s, s.Strides(), out.Strides(), n.Type(0).DType.Size())
		m.toAt = at * out.Strides()[a]
		moves = append(moves, m)
		at += s[a]
	}
	c.addMoves(n, moves, nil)
	return true
}

func rulePad(c *compiler, n *tensor.Node) bool {
	a, s, out := n.Attr.(*tensor.PadAttr), n.In[0].Shape(), n.Type(0).Shape
	block := make(array.Shape, len(s))
	from, to, fromAt, toAt := s.Strides(), out.Strides(), 0, 0
	for i := range s {
		fromAt += max(0, -a.Before[i]) * from[i]
		toAt += max(0, a.Before[i]) * to[i]
		block[i] = s[i] + min(0, a.Before[i]) + min(0, a.After[i])
		if block[i] <= 0 {
			return false
		}
	}
	m := newMove(block, from, to, n.Type(0).DType.Size())
	m.fromAt, m.toAt = fromAt, toAt
	one := array.New(n.Type(0).DType, 1)
	one.SetFloat64s([]float64{a.Value})
	c.addMoves(n, []*move{m}, func(b []byte) {
		w := copy(b, one.Bytes())
		for w < len(b) {
			w += copy(b[w:], b[:w])
		}
	})
	return true
}

func ruleMeanGrad(c *compiler, n *tensor.Node) bool {
	out := n.Type(0).Shape
	if !allFloat32(n) || out.Size() == 0 {
		return false
	}
	m := newMove(out, tensor.BroadcastStrides(n.In[0].Shape(), out), out.Strides(), 4)
	x, y := c.at(n.In[0]), c.values[n.ID()][0]
	by := kernel.Scalars{float32(float64(n.In[0].Shape().Size()) / float64(out.Size()))}
	scale := c.d.tile("Scale")
	c.add(n, func(in *instance) func() {
		f := func(piece, _ int) {
			at := unsafe.Add(in.ptr[y.id], 4*piece*pieceLen)
			scale(at, at, nil, nil, min(pieceLen, out.Size()-piece*pieceLen), &by)
		}
		return func() {
			m.run(in.ptr[y.id], in.ptr[x.id], 0, m.rows)
			in.split((out.Size()+pieceLen-1)/pieceLen, f)
		}
	})
	return true
}
