package cpu

import (
	"math"
	"unsafe"

	"github.com/kun-ml/kun/internal/kernel"
	"github.com/kun-ml/kun/tensor"
)

func ruleBernoulli(c *compiler, n *tensor.Node) bool {
	a := n.Attr.(*tensor.RandomAttr)
	below := a.KeepBelow()
	v := c.values[n.ID()][0]
	total := n.Type(0).Shape.Size()
	bind := func(in *instance) span {
		type stream struct{ seed, key uint64 }
		streams := make([]stream, in.d.threads)
		for i := range streams {
			streams[i].key = a.Key(0)
		}
		return func(from, to, worker int) {
			s := &streams[worker]
			if in.now.Seed != s.seed {
				*s = stream{in.now.Seed, a.Key(in.now.Seed)}
			}
			dst := in.bytes[v.id][from:to]
			if below > math.MaxUint32 {
				for i := range dst {
					dst[i] = 1
				}
				return
			}
			kernel.Bernoulli(in.d.level, unsafe.Pointer(unsafe.SliceData(dst)), from, len(dst), s.key, uint64(in.now.Step), uint32(below))
		}
	}
	s := c.add(n, func(in *instance) func() {
		run := bind(in)
		f := func(piece, worker int) { run(piece*pieceLen, min(total, (piece+1)*pieceLen), worker) }
		n := (total + pieceLen - 1) / pieceLen
		return func() { in.split(n, f) }
	})
	s.setRows(n, total, bind)
	return true
}
