package tensor

import (
	"slices"

	"github.com/kun-ml/kun/array"
)

// Node is one recorded operation.
type Node struct {
	Op    *Op
	Attr  any
	In    []*Tensor // operands, of the node's own graph
	Body  *Graph    // the loop body (Scan only)
	Label string    // path of the layer that it belongs to
	id    int
	g     *Graph
	types []Type
	outs  []*Tensor
	pcs   *stack
}

// ID is the position in the graph's Nodes.
func (n *Node) ID() int { return n.id }

// NumOut is the number of outputs.
func (n *Node) NumOut() int { return len(n.types) }

// Out is the handle of output i.
func (n *Node) Out(i int) *Tensor { return n.outs[i] }

// Type is the type of output i.
func (n *Node) Type(i int) Type { return n.types[i] }

// Graph is the graph that the node stands in.
func (n *Node) Graph() *Graph { return n.g }

// Where is the user's file, line and function that recorded the node; empty for nodes of a loaded program.
func (n *Node) Where() (file string, line int, fn string) {
	if n.pcs == nil {
		return "", 0, ""
	}
	return n.pcs.user()
}

// Tensor is a handle on one output of a node: model code's value. It carries the layer path that follows from it and an
// optional mask. Two handles are the same value when Same says so, never by pointer.
type Tensor struct {
	n     *Node
	i     int
	label string
	mask  *Tensor
}

// Node is the node that computes the value.
func (t *Tensor) Node() *Node { return t.n }

// Index says which output of the node it is.
func (t *Tensor) Index() int { return t.i }

// Same reports whether two handles denote the same value.
func (t *Tensor) Same(u *Tensor) bool { return t.n == u.n && t.i == u.i }

// Type is the element type and shape.
func (t *Tensor) Type() Type { return t.n.types[t.i] }

// DType is the element type.
func (t *Tensor) DType() array.DType { return t.n.types[t.i].DType }

// Shape is the shape; do not write to it.
func (t *Tensor) Shape() array.Shape { return t.n.types[t.i].Shape }

// Rank is the number of axes.
func (t *Tensor) Rank() int { return len(t.Shape()) }

// Dim is the size of an axis; a negative axis counts from the end.
func (t *Tensor) Dim(axis int) int { return t.Shape()[t.axis("Dim", axis)] }

// Dims2 is the shape of a tensor of rank 2.
func (t *Tensor) Dims2() (b, c int) { s := t.rank("Dims2", 2); return s[0], s[1] }

// Dims3 is the shape of a tensor of rank 3.
func (t *Tensor) Dims3() (b, n, c int) { s := t.rank("Dims3", 3); return s[0], s[1], s[2] }

// Dims4 is the shape of a tensor of rank 4.
func (t *Tensor) Dims4() (b, h, w, c int) {
	s := t.rank("Dims4", 4)
	return s[0], s[1], s[2], s[3]
}

func (t *Tensor) rank(op string, r int) array.Shape {
	if t.Rank() != r {
		fail(op, t.label, "want a tensor of rank %d, got shape %v", r, t.Shape())
	}
	return t.Shape()
}

func (t *Tensor) axis(op string, axis int) int {
	a, err := array.Axis(axis, t.Rank())
	if err != nil {
		fail(op, t.label, "%v, shape %v", err, t.Shape())
	}
	return a
}

// Label is the path of the layer that the value belongs to.
func (t *Tensor) Label() string { return t.label }

// Mask is the mask that rides on the handle: bool (B,T), true where a step is valid; nil when there is none.
func (t *Tensor) Mask() *Tensor { return t.mask }

// WithMask is the same value with another mask (nil: none).
func (t *Tensor) WithMask(mask *Tensor) *Tensor {
	u := *t
	u.mask = mask
	return &u
}

// Graph is the graph that the value stands in.
func (t *Tensor) Graph() *Graph { return t.n.g }

// Training reports whether the trace is one of a training step; dropout and batch statistics ask it.
func (t *Tensor) Training() bool { return t.n.g.Root().root.Training }

// Graph is a list of nodes in an order in which each comes after its operands.
type Graph struct {
	Nodes  []*Node
	Inputs []*Tensor // inputs; in a loop body: step inputs, carries, then captures
	Outs   []*Tensor
	parent *Graph
	caps   []*Tensor // captured tensors of the parent, in the order of the last Inputs
	root   *Root     // set in root graphs only
}

// Root returns the outermost graph.
func (g *Graph) Root() *Graph {
	for g.parent != nil {
		g = g.parent
	}
	return g
}

// Trace is what the root graph knows besides its nodes.
func (g *Graph) Trace() *Root { return g.Root().root }

// Parent is the enclosing graph of a loop body; nil for a root.
func (g *Graph) Parent() *Graph { return g.parent }

// NumCaptures is the number of values that a loop body takes from outside; they are its last Inputs.
func (g *Graph) NumCaptures() int { return len(g.caps) }

func (g *Graph) depth() (d int) {
	for ; g.parent != nil; g = g.parent {
		d++
	}
	return d
}

// inner is the innermost graph among the operands: the loop body when one of them lives there.
func inner(ts []*Tensor) *Graph {
	if len(ts) == 0 {
		panic("tensor: an operation without operands needs a graph")
	}
	g := ts[0].n.g
	for _, t := range ts[1:] {
		if t.n.g != g && t.n.g.depth() > g.depth() {
			g = t.n.g
		}
	}
	return g
}

// lift makes t, a tensor of this graph or of an enclosing one, usable here.
func (g *Graph) lift(t *Tensor) *Tensor {
	if t.n.g == g {
		return t
	}
	if g.parent == nil {
		fail("Trace", t.label, "a tensor belongs to another trace or to a finished loop body")
	}
	pt := g.parent.lift(t)
	for i, c := range g.caps {
		if c.Same(pt) {
			return g.Inputs[len(g.Inputs)-len(g.caps)+i]
		}
	}
	in := g.input(&InputAttr{DType: pt.DType(), Shape: pt.Shape().Clone()})
	in.label = t.label
	g.caps = append(g.caps, pt)
	return in
}

func (g *Graph) input(a *InputAttr) *Tensor {
	t := record(g, opInput, a, nil, nil)[0]
	g.Inputs = append(g.Inputs, t)
	return t
}

// record checks the shapes, labels the node and appends it.
func record(g *Graph, op *Op, attr any, body *Graph, in []*Tensor) []*Tensor {
	n := &Node{Op: op, Attr: attr, Body: body, g: g, pcs: callers(2)}
	n.In = make([]*Tensor, len(in))
	types := make([]Type, len(in))
	for i, t := range in {
		n.wear(t)
		l := g.lift(t)
		n.In[i] = l.n.outs[l.i]
		types[i] = l.Type()
	}
	out, err := op.Infer(n, types)
	if err != nil {
		panic(place(&ShapeError{Op: op.Name, Layer: n.Label, Why: err.Error(), Got: operands(types)}, n.pcs))
	}
	return n.append(out)
}

func (n *Node) append(out []Type) []*Tensor {
	n.types = out
	n.id = len(n.g.Nodes)
	n.g.Nodes = append(n.g.Nodes, n)
	n.outs = make([]*Tensor, len(out))
	for i := range out {
		n.outs[i] = &Tensor{n: n, i: i, label: n.Label}
	}
	return n.outs
}

// wear takes the layer path of an operand: that of a parameter before that of the first operand.
func (n *Node) wear(t *Tensor) {
	if t.label != "" && (n.Label == "" || t.n.Op == opVar) {
		n.Label = t.label
	}
}

func operands(types []Type) string {
	s := ""
	for i, t := range types {
		if i > 0 {
			s += " x "
		}
		s += t.String()
	}
	return s
}

// Users counts, for every node of the graph, how often its outputs are used by nodes and as outputs of the graph.
func (g *Graph) Users() []int {
	u := make([]int, len(g.Nodes))
	for _, n := range g.Nodes {
		for _, t := range n.In {
			u[t.n.id]++
		}
	}
	for _, t := range g.Results() {
		u[t.n.id]++
	}
	return u
}

// Results are all values that must be computed: the outputs and, in a root graph, the assigned values.
func (g *Graph) Results() []*Tensor {
	r := slices.Clone(g.Outs)
	if g.root != nil {
		for _, a := range g.root.Assigns {
			r = append(r, a.Value)
		}
		if g.root.Guard != nil {
			r = append(r, g.root.Guard)
		}
	}
	return r
}
