package cpu

import "github.com/kun-ml/kun/tensor"

// ruleScan compiles the body once; an iteration moves the base pointers of the sequences and copies the carries.
func ruleScan(c *compiler, n *tensor.Node) bool {
	a := n.Attr.(*tensor.ScanAttr)
	body, err := c.d.compile(n.Body)
	if err != nil {
		c.err = err
		return true
	}
	for _, o := range body.stats.SlowOps {
		c.slow[o] = true
	}
	var ins []*value
	for _, t := range n.In {
		ins = append(ins, c.at(t))
	}
	outs := c.values[n.ID()]
	c.add(n, func(in *instance) func() {
		sub, err := body.instance(nil)
		if err != nil {
			panic("cpu: a loop body without variables cannot fail to bind: " + err.Error())
		}
		step := func(v *value, t int) []byte {
			b := in.bytes[v.id]
			w := len(b) / max(1, a.Len)
			return b[t*w : (t+1)*w]
		}
		return func() {
			sub.now = in.now
			for i := range a.NC {
				copy(in.bytes[outs[i].id], in.bytes[ins[a.NX+i].id])
				sub.input(a.NX+i, in.bytes[outs[i].id])
			}
			for i := a.NX + a.NC; i < len(ins); i++ {
				sub.input(i, in.bytes[ins[i].id])
			}
			for s := range a.Len {
				t := s
				if a.Reverse {
					t = a.Len - 1 - s
				}
				for i := range a.NX {
					sub.input(i, step(ins[i], t))
				}
				if err := sub.steps(); err != nil {
					in.failed = err
					return
				}
				for i := a.NC; i < len(outs); i++ {
					copy(step(outs[i], t), sub.bytes[body.outs[i].id])
				}
				sub.carry(a.NC, func(i int) []byte { return in.bytes[outs[i].id] })
			}
		}
	})
	return true
}

// carry copies the first n outputs to where the next iteration reads them. An output that is itself a carry of the body
// (a carry handed on, or two that change places) is kept aside first.
func (in *instance) carry(n int, to func(i int) []byte) {
	for i, v := range in.e.outs[:n] {
		if v.root().place == inInput {
			in.aside[i] = append(in.aside[i][:0], in.bytes[v.id]...)
		}
	}
	for i, v := range in.e.outs[:n] {
		if v.root().place == inInput {
			copy(to(i), in.aside[i])
			continue
		}
		copy(to(i), in.bytes[v.id])
	}
}
