package cpu

import (
	"slices"

	"github.com/kun-ml/kun/tensor"
)

// span computes rows from..to-1 of what a step writes.
type span func(from, to, worker int)

// rowwise says that a step can be run some rows at a time. Its values have the batch as first axis and lie batch by batch;
// row i of what it writes needs row i of what it reads, but for the operands that are read whole.
type rowwise struct {
	lead  int // the first axis
	count int // the rows that bind counts, a multiple of lead
	whole []*value
	bind  func(in *instance) span
}

// Steps join a chain when they are so small that waiting for each other costs as much as they do.
const (
	chainElements = 1 << 16 // most elements of a result
	chainFLOPs    = 4 << 20 // most work of a step
	chainWindow   = 64      // steps to look ahead
)

// chainPieces is the number of pieces that a chain over a first axis is cut into.
func (c *compiler) chainPieces(lead int) int { return min(c.d.threads, lead/4) }

// chain joins small steps that go row by row: each core takes its own rows through all of them without waiting for the others.
// Steps in between that have nothing to do with them, or come before them, are moved out of the way.
func (c *compiler) chain(first int) {
	if c.d.threads == 1 || c.d.check {
		return
	}
	assigned := map[*value]bool{}
	if c.g.Parent() == nil {
		for _, a := range c.g.Trace().Assigns {
			assigned[c.at(a.Value).root()] = true
		}
	}
	for i := range c.steps[first:] {
		s := &c.steps[first+i]
		if s.rows != nil && slices.ContainsFunc(s.writes, func(v *value) bool { return assigned[v.root()] }) {
			s.rows = nil // it may write into a variable
		}
	}
	out, rest := slices.Clone(c.steps[:first]), c.steps[first:]
	for len(rest) > 0 {
		if !c.chainable(&rest[0]) {
			out, rest = append(out, rest[0]), rest[1:]
			continue
		}
		l := newLinks(rest[0])
		n := min(len(rest), chainWindow)
		for _, s := range rest[1:n] {
			l.add(s, c.chainable(&s))
		}
		out = append(out, l.before...)
		out = append(out, c.joined(l.chain))
		rest = append(l.after, rest[n:]...)
	}
	c.steps = out
}

func (c *compiler) chainable(s *step) bool {
	if s.rows == nil || c.chainPieces(s.rows.lead) < 2 {
		return false
	}
	flops := 0.
	for _, n := range s.nodes {
		flops += n.FLOPs()
	}
	return flops <= chainFLOPs && !slices.ContainsFunc(s.writes, func(v *value) bool { return v.t.Shape.Size() > chainElements })
}

// links sorts steps into those of a chain, those that have to come before and those that come after.
type links struct {
	chain, before, after []step
	made                 map[*value]bool // by the chain
	late                 []bool          // steps of after that need the chain
}

func newLinks(s step) *links {
	l := &links{chain: []step{s}, made: map[*value]bool{}}
	for _, v := range s.writes {
		l.made[v.root()] = true
	}
	return l
}

func (l *links) add(s step, chainable bool) {
	if chainable && s.rows.lead == l.chain[0].rows.lead && !slices.ContainsFunc(s.rows.whole, func(v *value) bool { return l.made[v.root()] }) {
		if need := l.needs(s); !slices.ContainsFunc(need, func(i int) bool { return l.late[i] }) {
			l.moveUp(need)
			l.chain = append(l.chain, s)
			for _, v := range s.writes {
				l.made[v.root()] = true
			}
			return
		}
	}
	late := slices.ContainsFunc(s.reads, func(v *value) bool { return l.made[v.root()] }) ||
		slices.ContainsFunc(l.needs(s), func(i int) bool { return l.late[i] })
	l.after, l.late = append(l.after, s), append(l.late, late)
}

// needs lists the steps of after that s depends on, in order.
func (l *links) needs(s step) []int {
	var list []int
	wanted := slices.Clone(s.reads)
	for i := len(l.after) - 1; i >= 0; i-- {
		if slices.ContainsFunc(l.after[i].writes, func(v *value) bool {
			return slices.ContainsFunc(wanted, func(w *value) bool { return w.root() == v.root() })
		}) {
			list = append(list, i)
			wanted = append(wanted, l.after[i].reads...)
		}
	}
	slices.Reverse(list)
	return list
}

func (l *links) moveUp(list []int) {
	for k, i := range list {
		l.before = append(l.before, l.after[i-k])
		l.after, l.late = slices.Delete(l.after, i-k, i-k+1), slices.Delete(l.late, i-k, i-k+1)
	}
}

// joined is the step that runs a chain.
func (c *compiler) joined(chain []step) step {
	if len(chain) == 1 {
		return chain[0]
	}
	s := step{name: "rows", label: chain[len(chain)-1].label}
	for _, t := range chain {
		s.nodes = append(s.nodes, t.nodes...)
		s.reads = append(s.reads, t.reads...)
		s.writes = append(s.writes, t.writes...)
		s.temp = append(s.temp, t.temp...)
	}
	lead := chain[0].rows.lead
	pieces := c.chainPieces(lead)
	s.bind = func(in *instance) func() {
		spans, per := make([]span, len(chain)), make([]int, len(chain))
		for i, t := range chain {
			spans[i], per[i] = t.rows.bind(in), t.rows.count/lead
		}
		f := func(piece, worker int) {
			from, to := piece*lead/pieces, (piece+1)*lead/pieces
			for i, run := range spans {
				run(from*per[i], to*per[i], worker)
			}
		}
		return func() { in.split(pieces, f) }
	}
	return s
}

// addRows appends a step that goes row by row, count rows in all; whole are the operands that every row may read whole.
func (c *compiler) addRows(n *tensor.Node, count int, bind func(in *instance) span, whole ...*value) *step {
	s := c.add(n, func(in *instance) func() {
		run := bind(in)
		f := func(piece, worker int) {
			run(piece*count/pieces(count), (piece+1)*count/pieces(count), worker)
		}
		return func() { in.split(pieces(count), f) }
	})
	s.setRows(n, count, bind, whole...)
	return s
}

// setRows notes that a step can be run by rows, if its first axis allows it.
func (s *step) setRows(n *tensor.Node, count int, bind func(in *instance) span, whole ...*value) {
	shape := n.Type(0).Shape
	if len(shape) == 0 || shape[0] == 0 || count%shape[0] != 0 {
		return
	}
	s.rows = &rowwise{shape[0], count, whole, bind}
}
