package cpu

import (
	"unsafe"

	"github.com/kun-ml/kun/array"
	"github.com/kun-ml/kun/internal/kernel"
	"github.com/kun-ml/kun/tensor"
)

// tileLen is the number of elements of a tile: intermediate results of a chain stay in the first-level cache.
const tileLen = 1024

// pieceLen is the number of elements of a piece of work; a multiple of tileLen, fixed, so that the cut follows from the shape.
const pieceLen = 8 * tileLen

// operand says where an instruction finds or puts a tile.
type operand struct {
	v    *value // in the memory of a value, at the tile's place; nil: in buffer buf
	buf  int
	size int // bytes of an element
}

type instr struct {
	run     kernel.Tile
	dst     operand
	in      [3]operand
	n       int // operands
	s       kernel.Scalars
	expand  *expansion // instead of run: fill dst from a broadcast operand
	perOnce bool       // an expansion of a single number: once per piece
}

type expansion struct {
	v       *value
	shape   array.Shape
	strides []int
	size    int
}

// emitGroup makes the step of a group.
func (c *compiler) emitGroup(g *group) {
	inside := map[int]bool{}
	for _, n := range g.nodes {
		inside[n.ID()] = true
	}
	outside := map[int]bool{} // members whose value is needed elsewhere
	for _, n := range c.g.Nodes {
		for _, t := range n.In {
			if inside[t.Node().ID()] && !inside[n.ID()] {
				outside[t.Node().ID()] = true
			}
		}
	}
	for _, t := range c.g.Results() {
		outside[t.Node().ID()] = true
	}
	last := map[int]int{} // last reader of each member inside
	for i, n := range g.nodes {
		for _, t := range n.In {
			last[t.Node().ID()] = i
		}
	}
	b := &groupBuilder{c: c, g: g, home: map[*value]operand{}}
	s := step{name: "tiles", label: g.nodes[len(g.nodes)-1].Label, nodes: g.nodes, inPlace: true}
	for i, n := range g.nodes {
		v := c.values[n.ID()][0]
		ins := instr{run: c.d.nodeTile(n), n: len(n.In), s: nodeScalars(n)}
		for k, t := range n.In {
			u := c.at(t)
			ins.in[k] = b.operand(u, t, inside[t.Node().ID()])
			if !inside[t.Node().ID()] {
				s.reads = append(s.reads, u)
			}
		}
		// Buffers whose last reader this is become free: at once when the result may take their place, element by element.
		free := func(now bool) {
			for _, t := range n.In {
				if id := t.Node().ID(); inside[id] && !outside[id] && last[id] == i && now == (t.DType().Size() == v.t.DType.Size()) {
					b.release(c.at(t))
				}
			}
		}
		free(true)
		if outside[n.ID()] {
			ins.dst = operand{v: v, size: v.t.DType.Size()}
			s.writes = append(s.writes, v)
		} else {
			v.place = inNothing
			ins.dst = operand{buf: b.take(), size: v.t.DType.Size()}
		}
		free(false)
		b.home[v] = ins.dst
		b.code = append(b.code, ins)
	}
	total := g.shape.Size()
	c.scratch = max(c.scratch, b.count*tileLen*4)
	code := b.code
	s.bind = func(in *instance) func() {
		if cut := c.slabs[g.nodes[len(g.nodes)-1].ID()]; cut.width > 0 {
			f := func(piece, worker int) {
				from, to := piece*cut.block, min(cut.width, (piece+1)*cut.block)
				for row := 0; row < total; row += cut.width {
					runTiles(in, code, row+from, row+to, worker)
				}
			}
			return func() { in.split((cut.width+cut.block-1)/cut.block, f) }
		}
		pieces := (total + pieceLen - 1) / pieceLen
		f := func(piece, worker int) {
			runTiles(in, code, piece*pieceLen, min(total, (piece+1)*pieceLen), worker)
		}
		return func() { in.split(pieces, f) }
	}
	if c.slabs[g.nodes[len(g.nodes)-1].ID()].width == 0 {
		s.setRows(g.nodes[len(g.nodes)-1], total, func(in *instance) span {
			return func(from, to, worker int) { runTiles(in, code, from, to, worker) }
		}, b.whole(s.reads)...)
	}
	if !samePlace(s, g) {
		s.inPlace = false
	}
	c.steps = append(c.steps, s)
}

// whole lists the operands of which a row of the group reads more than its own row.
func (b *groupBuilder) whole(reads []*value) (list []*value) {
	for _, v := range reads {
		s, g := v.t.Shape, b.g.shape
		if !s.Equal(g) && (len(s) != len(g) || s[0] != g[0]) {
			list = append(list, v)
		}
	}
	return list
}

// samePlace reports whether a variable that the group reads may be overwritten by one of its results: every operand of
// the full shape is read at the place that is written, and a tile is read before it is written.
func samePlace(s step, g *group) bool {
	for _, v := range s.reads {
		if !v.t.Shape.Equal(g.shape) {
			return false
		}
	}
	return len(s.writes) == 1
}

type groupBuilder struct {
	c     *compiler
	g     *group
	home  map[*value]operand
	code  []instr
	free  []int
	count int
}

func (b *groupBuilder) take() int {
	if n := len(b.free); n > 0 {
		k := b.free[n-1]
		b.free = b.free[:n-1]
		return k
	}
	b.count++
	return b.count - 1
}

func (b *groupBuilder) release(v *value) {
	if o, ok := b.home[v]; ok && o.v == nil {
		b.free = append(b.free, o.buf)
		delete(b.home, v)
	}
}

// operand finds a value: a tile buffer, memory of the full shape, or a buffer into which a broadcast is expanded.
func (b *groupBuilder) operand(v *value, t *tensor.Tensor, inside bool) operand {
	if o, ok := b.home[v]; ok {
		return o
	}
	size := v.t.DType.Size()
	if inside || v.t.Shape.Size() == b.g.shape.Size() {
		return operand{v: v, size: size}
	}
	o := operand{buf: b.count, size: size} // a buffer of its own: a single number is filled in once for many tiles
	b.count++
	e := &expansion{v, b.g.shape, tensor.BroadcastStrides(v.t.Shape, b.g.shape), size}
	b.code = append(b.code, instr{dst: o, expand: e, perOnce: v.t.Shape.Size() == 1})
	b.home[v] = o // kept for the whole group
	return o
}

func runTiles(in *instance, code []instr, from, to, worker int) {
	scratch := unsafe.Pointer(unsafe.SliceData(in.scratch[worker]))
	at := func(o operand, p int) unsafe.Pointer {
		if o.v != nil {
			return unsafe.Add(in.ptr[o.v.id], p*o.size)
		}
		return unsafe.Add(scratch, o.buf*tileLen*4)
	}
	for p := from; p < to; p += tileLen {
		n := min(tileLen, to-p)
		for i := range code {
			k := &code[i]
			dst := at(k.dst, p)
			if k.expand != nil {
				if !k.perOnce || p == from {
					m := n
					if k.perOnce {
						m = min(tileLen, to-from)
					}
					expand(dst, in.ptr[k.expand.v.id], k.expand, p, m)
				}
				continue
			}
			var a, b, c unsafe.Pointer
			a = at(k.in[0], p)
			if k.n > 1 {
				b = at(k.in[1], p)
			}
			if k.n > 2 {
				c = at(k.in[2], p)
			}
			k.run(dst, a, b, c, n, &k.s)
		}
	}
}

// expand writes elements from..from+n-1 of a broadcast operand to dst.
func expand(dst, src unsafe.Pointer, e *expansion, from, n int) {
	last := len(e.shape) - 1
	if last < 0 {
		copyElems(dst, src, n, 0, e.size)
		return
	}
	w := e.shape[last]
	for n > 0 {
		col, row := from%w, from/w
		at := col * e.strides[last]
		for i, r := last-1, row; i >= 0; i-- {
			at += r % e.shape[i] * e.strides[i]
			r /= e.shape[i]
		}
		m := min(n, w-col)
		copyElems(dst, unsafe.Add(src, at*e.size), m, e.strides[last], e.size)
		dst = unsafe.Add(dst, m*e.size)
		from, n = from+m, n-m
	}
}

// copyElems copies n elements that lie stride apart; stride 0 repeats one.
func copyElems(dst, src unsafe.Pointer, n, stride, size int) {
	if stride == 1 {
		copy(unsafe.Slice((*byte)(dst), n*size), unsafe.Slice((*byte)(src), n*size))
		return
	}
	switch size {
	case 1:
		strided((*uint8)(dst), (*uint8)(src), n, stride)
	case 2:
		strided((*uint16)(dst), (*uint16)(src), n, stride)
	case 4:
		strided((*uint32)(dst), (*uint32)(src), n, stride)
	case 8:
		strided((*uint64)(dst), (*uint64)(src), n, stride)
	}
}

func strided[T uint8 | uint16 | uint32 | uint64](dst, src *T, n, stride int) {
	d := unsafe.Slice(dst, n)
	if stride == 0 {
		v := *src
		for i := range d {
			d[i] = v
		}
		return
	}
	var z T
	for i := range d {
		d[i] = *(*T)(unsafe.Add(unsafe.Pointer(src), i*stride*int(unsafe.Sizeof(z))))
	}
}
