package cpu

import (
	"github.com/kun-ml/kun/array"
	"github.com/kun-ml/kun/tensor"
)

type place uint8

const (
	inArena place = iota
	inInput
	inVar
	inConst
	inNothing // fused away
)

// value is one node output: where it lives and when.
type value struct {
	t      tensor.Type
	place  place
	index  int    // input, variable or constant
	alias  *value // another value's memory (views)
	offset int    // in the arena
	first  int    // step that writes it
	last   int    // last step that reads it
	id     int
}

func (v *value) root() *value {
	for v.alias != nil {
		v = v.alias
	}
	return v
}

func (v *value) bytes() int { return v.t.Shape.Size() * v.t.DType.Size() }

// slab is a cut of rows along their width: pieces of block columns.
type slab struct{ width, block int }

// compiler holds what is known while a graph is compiled.
type compiler struct {
	d       *Device
	g       *tensor.Graph
	values  [][]*value // by node and output
	all     []*value
	consts  []*array.Array
	vars    []*tensor.Decl
	varOf   map[string]int
	steps   []step
	slow    map[string]bool
	users   []int
	fusion  *fusion
	pure    []bool            // by node: part of the prologue
	slabs   map[int]slab      // how to cut a group, by its last node
	merged  map[int]bool      // products that run inside of an optimizer's step
	grads   map[int]*gradient // by the node of that step
	err     error             // of a rule
	scratch int               // bytes of scratch of each worker
	shared  int               // bytes of scratch shared by the workers of one step
}

func (c *compiler) at(t *tensor.Tensor) *value { return c.values[t.Node().ID()][t.Index()] }

func (c *compiler) newValue(t tensor.Type) *value {
	v := &value{t: t, first: -1, last: -1, id: len(c.all)}
	c.all = append(c.all, v)
	return v
}

// locate gives every node output its place, before rules run.
func (c *compiler) locate() {
	c.values = make([][]*value, len(c.g.Nodes))
	for _, n := range c.g.Nodes {
		for i := range n.NumOut() {
			c.values[n.ID()] = append(c.values[n.ID()], c.newValue(n.Type(i)))
		}
	}
	for i, t := range c.g.Inputs {
		v := c.at(t)
		v.place, v.index = inInput, i
	}
	c.varOf = map[string]int{}
	for i, d := range c.decls() {
		c.vars = append(c.vars, d)
		c.varOf[d.Path] = i
		if r := d.Read(); r != nil {
			v := c.at(r)
			v.place, v.index = inVar, i
		}
	}
	for _, n := range c.g.Nodes {
		switch a := n.Attr.(type) {
		case *tensor.ConstAttr:
			c.constant(c.values[n.ID()][0], a.Array())
		case *tensor.FillAttr:
			arr := array.New(a.DType, a.Shape...)
			if a.Value != 0 {
				v := make([]float64, arr.Len())
				for i := range v {
					v[i] = a.Value
				}
				arr.SetFloat64s(v)
			}
			c.constant(c.values[n.ID()][0], arr)
		}
	}
}

// decls are the variables of the graph; a loop body has none of its own.
func (c *compiler) decls() []*tensor.Decl {
	if c.g.Parent() != nil {
		return nil
	}
	return c.g.Trace().Decls
}

func (c *compiler) constant(v *value, a *array.Array) {
	v.place, v.index = inConst, len(c.consts)
	c.consts = append(c.consts, a)
}
