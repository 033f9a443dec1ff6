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
	c.add(n, func(in *instance) func() {
		key, seed := a.Key(0), uint64(0)
		f := func(piece, worker int) {
			from, to := piece*pieceLen, min(total, (piece+1)*pieceLen)
			dst := in.bytes[v.id][from:to]
			if below > math.MaxUint32 {
				for i := range dst {
					dst[i] = 1
				}
				return
			}
			kernel.Bernoulli(in.d.level, unsafe.Pointer(unsafe.SliceData(dst)), from, len(dst), key, uint64(in.now.Step), uint32(below))
		}
		n := (total + pieceLen - 1) / pieceLen
		return func() {
			if in.now.Seed != seed {
				seed = in.now.Seed
				key = a.Key(seed)
			}
			in.split(n, f)
		}
	})
	return true
}
