package cpu

import (
	"unsafe"

	"github.com/kun-ml/kun/internal/kernel"
	"github.com/kun-ml/kun/tensor"
)

// ruleAdam runs one step of Adam in one pass. The outputs take the memory of the operands when these are variables that
// the same values are assigned to; otherwise the operands are copied first.
func ruleAdam(c *compiler, n *tensor.Node) bool {
	if !allFloat32(n) {
		return false
	}
	a := n.Attr.(*tensor.AdamAttr)
	var in3, out3 [3]*value
	for i := range in3 {
		in3[i], out3[i] = c.at(n.In[i]), c.values[n.ID()][i]
	}
	g, alpha, decay := c.at(n.In[3]), c.at(n.In[4]), c.at(n.In[5])
	total := n.Type(0).Shape.Size()
	rows := c.d.rows
	s := c.add(n, func(in *instance) func() {
		hs := make([]kernel.AdamScalars, in.d.threads)
		f := func(piece, worker int) {
			from, to := piece*pieceLen, min(total, (piece+1)*pieceLen)
			h := &hs[worker]
			*h = kernel.AdamScalars{OneMinusBeta1: float32(1 - a.Beta1), OneMinusBeta2: float32(1 - a.Beta2), Eps: float32(a.Eps),
				Alpha: *(*float32)(in.ptr[alpha.id]), Decay: *(*float32)(in.ptr[decay.id])}
			var p [3]unsafe.Pointer
			for i := range p {
				p[i] = unsafe.Add(in.ptr[out3[i].id], 4*from)
				if src := unsafe.Add(in.ptr[in3[i].id], 4*from); src != p[i] {
					copyElems(p[i], src, to-from, 1, 4)
				}
			}
			rows.Adam(p[0], p[1], p[2], unsafe.Add(in.ptr[g.id], 4*from), to-from, h)
		}
		n := (total + pieceLen - 1) / pieceLen
		return func() { in.split(n, f) }
	})
	s.inPlace = true
	return true
}
