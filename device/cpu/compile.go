package cpu

import (
	"fmt"
	"maps"
	"slices"

	"github.com/kun-ml/kun/array"
	"github.com/kun-ml/kun/device"
	"github.com/kun-ml/kun/tensor"
)

// step is one part of a compiled program; parts run one after the other.
type step struct {
	name    string
	label   string
	reads   []*value
	writes  []*value
	temp    []*value // scratch values that live during the step only
	bind    func(in *instance) func()
	nodes   []*tensor.Node
	rows    *rowwise // set if the step can be run some rows at a time
	inPlace bool     // an output may be a variable that the step reads: each element is read before it is written
}

type executable struct {
	d        *Device
	g        *tensor.Graph
	steps    []step
	all      []*value
	consts   []*array.Array
	vars     []*tensor.Decl
	arena    int
	scratch  int
	shared   int
	outs     []*value
	assigns  []assign // copied into variables at the end of a run
	guard    *value
	scalars  []scalarSlot
	touched  []int
	prologue int   // how many of the steps are
	watched  []int // variables that the prologue reads
	stats    device.Stats
}

type assign struct {
	from *value
	to   int
}

type scalarSlot struct {
	v  *value
	at func(step int64) float64
}

// Compile makes a graph ready to run on the processor.
func (d *Device) Compile(g *tensor.Graph) (device.Executable, error) {
	if s := g.MissingScalar(); s != "" {
		return nil, fmt.Errorf("cpu: nothing computes the number %q of the host", s)
	}
	return d.compile(g)
}

// compile does the same for a whole graph and for the body of a loop.
func (d *Device) compile(g *tensor.Graph) (*executable, error) {
	c := &compiler{d: d, g: g, slow: map[string]bool{}, users: g.Users()}
	c.locate()
	c.findPure()
	e := &executable{d: d, g: g}
	fused := c.fuse()
	c.mergeAdam()
	c.cutSlabs()
	for _, n := range g.Nodes {
		if grp := fused.last[n.ID()]; grp != nil {
			c.emitGroup(grp)
			continue
		}
		if fused.member[n.ID()] || c.merged[n.ID()] || n.IsInput() || n.IsVar() {
			continue
		}
		if err := c.emit(n); err != nil {
			return nil, fmt.Errorf("cpu: %s: %s: %w", n.Label, n.Op.Name, err)
		}
	}
	for _, t := range g.Outs {
		e.outs = append(e.outs, c.at(t))
	}
	c.splitPrologue(e)
	c.chain(e.prologue)
	if g.Parent() == nil {
		c.effects(e, e.prologue)
	}
	c.lifetimes(e)
	e.arena = c.plan()
	e.steps, e.all, e.consts, e.vars, e.scratch, e.shared = c.steps, c.all, c.consts, c.vars, c.scratch, c.shared
	e.stats = device.Stats{Steps: len(e.steps), ArenaBytes: e.arena, SlowOps: slices.Sorted(maps.Keys(c.slow))}
	for _, n := range g.Nodes {
		e.stats.FLOPs += n.FLOPs()
	}
	return e, nil
}

// effects notes the scalars that the host gives, the guard and the assignments.
func (c *compiler) effects(e *executable, prologue int) {
	root := c.g.Trace()
	for _, s := range root.Scalars {
		for _, n := range c.g.Nodes {
			if a, ok := n.Attr.(*tensor.ScalarAttr); ok && a.Name == s.Name {
				e.scalars = append(e.scalars, scalarSlot{c.values[n.ID()][0], s.At})
			}
		}
	}
	if root.Guard != nil {
		e.guard = c.at(root.Guard)
	}
	for _, a := range root.Assigns {
		i := c.varOf[a.Decl.Path]
		e.touched = append(e.touched, i)
		v := c.at(a.Value)
		if v.place == inVar && v.index == i {
			continue
		}
		if e.guard == nil && c.direct(a, v, i, prologue) {
			continue
		}
		e.assigns = append(e.assigns, assign{c.kept(v), i})
	}
}

// kept copies a value that is a variable which the program sets: by the time of the assignments it may be overwritten.
func (c *compiler) kept(v *value) *value {
	r := v.root()
	if r.place != inVar || c.vars[r.index].Read() == nil || r != c.at(c.vars[r.index].Read()) || !c.sets(c.vars[r.index].Path) {
		return v
	}
	k := c.newValue(v.t)
	c.steps = append(c.steps, step{name: "Assign", reads: []*value{v}, writes: []*value{k}, bind: func(in *instance) func() {
		return func() { copy(in.bytes[k.id], in.bytes[v.id]) }
	}})
	return k
}

// sets reports whether the program sets the variable at a path.
func (c *compiler) sets(path string) bool {
	return slices.ContainsFunc(c.g.Trace().Assigns, func(a tensor.Assignment) bool { return a.Decl.Path == path })
}

// Stats describes the program.
func (e *executable) Stats() device.Stats { return e.stats }

// direct lets the step that computes v write straight into variable i: possible when every read of the old value lies
// before that step, or in it element by element.
func (c *compiler) direct(a tensor.Assignment, v *value, i, prologue int) bool {
	if v.place != inArena || v.alias != nil || c.d.check { // a check may end the run before the variables change
		return false
	}
	writer := -1
	for s := range c.steps {
		if slices.Contains(c.steps[s].writes, v) {
			writer = s
		}
	}
	if writer < prologue {
		return false
	}
	for s := range c.steps {
		for _, r := range c.steps[s].reads {
			q := r.root()
			if q.place != inVar || q.index != i {
				continue
			}
			if s > writer || s == writer && !c.steps[s].inPlace {
				return false
			}
		}
	}
	for _, o := range c.g.Results() { // an old value that leaves the program must be read before
		if q := c.at(o).root(); q != v && q.place == inVar && q.index == i {
			return false
		}
	}
	v.place, v.index = inVar, i
	return true
}

// lifetimes finds for every arena value the steps between which it must keep its memory.
func (c *compiler) lifetimes(e *executable) {
	end := len(c.steps)
	touch := func(v *value, s int) {
		r := v.root()
		if r.first < 0 {
			r.first = s
		}
		r.last = max(r.last, s)
	}
	for _, s := range e.scalars {
		touch(s.v, 0)
	}
	for i := range c.steps {
		for _, v := range c.steps[i].reads {
			touch(v, i)
		}
		for _, v := range c.steps[i].writes {
			touch(v, i)
		}
		for _, v := range c.steps[i].temp {
			touch(v, i)
		}
	}
	for _, s := range c.steps[:e.prologue] {
		for _, v := range s.writes {
			touch(v, 0)
			touch(v, end)
		}
	}
	for _, v := range e.outs {
		touch(v, end)
	}
	for _, a := range e.assigns {
		touch(a.from, end)
	}
	if e.guard != nil {
		touch(e.guard, end)
	}
}
