package cpu

import (
	"slices"

	"github.com/kun-ml/kun/tensor"
)

// findPure marks the nodes that depend on constants and on variables which this program does not set: their steps form
// the prologue, which runs again only when one of those variables has another version.
func (c *compiler) findPure() {
	c.pure = make([]bool, len(c.g.Nodes))
	if c.g.Parent() != nil || c.d.check {
		return
	}
	set := map[string]bool{}
	for _, a := range c.g.Trace().Assigns {
		set[a.Decl.Path] = true
	}
	for _, n := range c.g.Nodes {
		switch a := n.Attr.(type) {
		case *tensor.ConstAttr, *tensor.FillAttr:
			c.pure[n.ID()] = true
			continue
		case *tensor.VarAttr:
			c.pure[n.ID()] = !set[a.Path] && a.Role != tensor.Session
			continue
		}
		c.pure[n.ID()] = len(n.In) > 0 && !draws(n.Body) && !slices.ContainsFunc(n.In, func(t *tensor.Tensor) bool { return !c.pure[t.Node().ID()] })
	}
}

// draws reports whether a loop body draws random numbers, itself or in a loop inside of it.
func draws(body *tensor.Graph) bool {
	return body != nil && slices.ContainsFunc(body.Nodes, func(n *tensor.Node) bool { return n.IsRandom() || draws(n.Body) })
}

// splitPrologue puts the steps of pure nodes first and notes the variables that they read.
func (c *compiler) splitPrologue(e *executable) {
	pure := func(s step) bool {
		return len(s.nodes) > 0 && !slices.ContainsFunc(s.nodes, func(n *tensor.Node) bool { return !c.pure[n.ID()] })
	}
	var first, rest []step
	for _, s := range c.steps {
		if pure(s) {
			first = append(first, s)
		} else {
			rest = append(rest, s)
		}
	}
	e.prologue = len(first)
	c.steps = append(first, rest...)
	seen := map[int]bool{}
	for _, s := range first {
		for _, v := range s.reads {
			if r := v.root(); r.place == inVar && !seen[r.index] {
				seen[r.index] = true
				e.watched = append(e.watched, r.index)
			}
		}
	}
}

// stale reports whether the prologue has to run, and notes the versions that it sees.
func (in *instance) stale() bool {
	if in.e.prologue == 0 {
		return false
	}
	old := in.versions == nil
	if old {
		in.versions = make([]uint64, len(in.e.watched))
	}
	for i, w := range in.e.watched {
		if v := in.vars[w].Version(); v != in.versions[i] {
			in.versions[i], old = v, true
		}
	}
	return old
}
