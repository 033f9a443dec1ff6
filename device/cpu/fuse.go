package cpu

import (
	"slices"

	"github.com/kun-ml/kun/array"
	"github.com/kun-ml/kun/tensor"
)

// group is a set of elementwise nodes of one output shape that run together, tile by tile, at the place of the last.
type group struct {
	shape  array.Shape
	nodes  []*tensor.Node
	closed bool // a node outside has used a member: nothing may join any more
}

// fusion says which nodes run inside of others.
type fusion struct {
	member map[int]bool   // nodes that no longer run on their own
	last   map[int]*group // group by its last node
	epi    map[int]*epilogue
}

// fusable reports whether a node can run as a tile.
func (d *Device) fusable(n *tensor.Node) bool {
	if n.Op.Class != tensor.Elementwise || n.NumOut() != 1 || n.Type(0).Shape.Size() == 0 {
		return false
	}
	if n.Op.Name == "Cast" {
		return d.castTile(n.Type(0).DType, n.In[0].DType()) != nil
	}
	if d.tile(n.Op.Name) == nil || outside[n.Op.Name] != nil && len(n.In) != 1 {
		return false
	}
	for i, t := range n.In {
		want := array.Float32
		if boolOperand(n.Op.Name, i) {
			want = array.Bool
		}
		if t.DType() != want {
			return false
		}
	}
	want := array.Float32
	if givesBool[n.Op.Name] {
		want = array.Bool
	}
	return n.Type(0).DType == want
}

// givesBool are the operations whose tiles write truth values; all other tiles write float32.
var givesBool = map[string]bool{"Equal": true, "NotEqual": true, "Less": true, "LessEqual": true, "Greater": true, "GreaterEqual": true,
	"And": true, "Or": true, "Not": true}

// boolOperand reports whether the tile of an operation reads truth values as operand i; all others are float32.
func boolOperand(op string, i int) bool {
	switch op {
	case "Where":
		return i == 0
	case "MaskScale":
		return i == 1
	case "And", "Or", "Not":
		return true
	}
	return false
}

func (c *compiler) fuse() *fusion {
	f := &fusion{member: map[int]bool{}, last: map[int]*group{}, epi: map[int]*epilogue{}}
	c.fusion = f
	if c.d.check {
		return f
	}
	c.matchEpilogues(f)
	in := map[int]*group{}
	for _, n := range c.g.Nodes {
		if f.member[n.ID()] {
			continue
		}
		var join *group
		if c.d.fusable(n) {
			for _, t := range n.In {
				g := in[t.Node().ID()]
				if g == nil || g.closed || g == join || !g.shape.Equal(n.Type(0).Shape) || c.pure[g.nodes[0].ID()] != c.pure[n.ID()] {
					continue
				}
				if join == nil {
					join = g
					continue
				}
				join.nodes = append(join.nodes, g.nodes...)
				for _, m := range g.nodes {
					in[m.ID()] = join
				}
				g.nodes, g.closed = nil, true
			}
			if join == nil {
				join = &group{shape: n.Type(0).Shape}
			}
			join.nodes = append(join.nodes, n)
			in[n.ID()] = join
		}
		for _, t := range n.In {
			if g := in[t.Node().ID()]; g != nil && g != join {
				g.closed = true
			}
		}
		if e := f.epi[n.ID()]; e != nil && e.bias != nil {
			if g := in[e.bias.Node().ID()]; g != nil {
				g.closed = true
			}
		}
	}
	for id, g := range in {
		if len(g.nodes) == 0 {
			continue
		}
		f.member[id] = true
		slices.SortFunc(g.nodes, func(a, b *tensor.Node) int { return a.ID() - b.ID() })
		f.last[g.nodes[len(g.nodes)-1].ID()] = g
	}
	return f
}
