package tensor

import (
	"slices"

	"github.com/kun-ml/kun/array"
)

// Spec names and types an input of a trace.
type Spec struct {
	Name  string
	DType array.DType
	Shape array.Shape
}

// Options says how a trace is made.
type Options struct {
	// Model is walked for the paths of its layers and parameters; nil when there are none.
	Model any
	// Training makes dropout drop and batch statistics be taken from the batch.
	Training bool
	// Compute is the element type in which weights enter the computation; zero: float32, as they are kept.
	Compute array.DType
	// Frozen says which weights, by path, take no part in the training of this trace; nil: none. Layers with statistics of
	// their own act as at inference where their weights are frozen.
	Frozen func(path string) bool
}

// Root is what a trace collects besides nodes.
type Root struct {
	Options
	// Decls are the variables that the trace met, in order of first use.
	Decls []*Decl
	// Assigns are the values that variables take at the end of a run.
	Assigns []Assignment
	// Guard is a bool scalar: when it is false at run time, no assignment happens. Nil: always.
	Guard *Tensor
	// Losses are what layers added by AddLoss; scalars.
	Losses []Named
	// Reports are what layers added by Report; scalars.
	Reports []Named
	// Scalars are the numbers that the host computes before each step.
	Scalars []HostScalar

	names   *Names
	byPath  map[string]*Decl
	current map[string]*Tensor
	draws   map[string]int
}

// Named is a tensor with a name.
type Named struct {
	Name  string
	Value *Tensor
}

// HostScalar is a number that follows the step counter, computed on the host in float64.
type HostScalar struct {
	Name string
	At   func(step int64) float64
}

// Names are the paths of the model.
func (r *Root) Names() *Names { return r.names }

// Decl finds a variable by its path; nil when the trace did not meet it.
func (r *Root) Decl(path string) *Decl { return r.byPath[path] }

// Trace records f over inputs of the given types. Only a *ShapeError becomes the error; other panics pass.
// A trace writes nothing to the model: any number of traces may run at once.
func Trace(o Options, f func(in []*Tensor) []*Tensor, inputs ...Spec) (g *Graph, err error) {
	defer Catch(&err)
	names, err := Walk(o.Model)
	if err != nil {
		return nil, err
	}
	g = NewGraph()
	g.root.Options, g.root.names = o, names
	for _, s := range inputs {
		g.input(&InputAttr{Name: s.Name, DType: s.DType, Shape: s.Shape.Clone()})
	}
	g.Outs = f(append([]*Tensor(nil), g.Inputs...))
	for i, t := range g.Outs {
		g.Outs[i] = g.lift(t).n.outs[t.i]
	}
	return g, nil
}

// NewGraph is an empty root graph, for passes that build a graph from another one.
func NewGraph() *Graph {
	return &Graph{root: &Root{names: &Names{cells: map[*Cell]string{}}, byPath: map[string]*Decl{}, current: map[string]*Tensor{}, draws: map[string]int{}}}
}

// AddLoss adds a scalar to the loss of the training step under a name of its own: regularisation, balance terms.
func (x *Tensor) AddLoss(name string, loss *Tensor) {
	r := x.n.g.Root().root
	r.Losses = append(r.Losses, Named{join(x.label, name), x.scalarOf("AddLoss", loss)})
}

// Report adds a scalar to the log under a name of its own.
func (x *Tensor) Report(name string, v *Tensor) {
	r := x.n.g.Root().root
	r.Reports = append(r.Reports, Named{join(x.label, name), x.scalarOf("Report", v)})
}

func (x *Tensor) scalarOf(op string, t *Tensor) *Tensor {
	if t.Rank() != 0 {
		fail(op, x.label, "want a scalar, got shape %v", t.Shape())
	}
	return t
}

// HostScalar is a float32 scalar that the host computes from the step counter before each run; a name already declared
// in this trace is shared.
func (g *Graph) HostScalar(name string, at func(step int64) float64) *Tensor {
	root := g.Root()
	for _, n := range root.Nodes {
		if n.Op == opHostScalar && n.Attr.(*ScalarAttr).Name == name {
			return n.outs[0]
		}
	}
	root.root.Scalars = append(root.root.Scalars, HostScalar{name, at})
	return record(root, opHostScalar, &ScalarAttr{Name: name}, nil, nil)[0]
}

// MissingScalar names a host scalar of the root graph g that nothing computes, as in a program from a file; "" when there
// is none. Devices refuse such a graph.
func (g *Graph) MissingScalar() string {
	for _, n := range g.Nodes {
		if a, ok := n.Attr.(*ScalarAttr); ok && !slices.ContainsFunc(g.root.Scalars, func(s HostScalar) bool { return s.Name == a.Name && s.At != nil }) {
			return a.Name
		}
	}
	return ""
}

// Stream names the next random stream of x's layer: the path and how many were drawn there before.
func (x *Tensor) stream() (string, int) {
	r := x.n.g.Root().root
	n := r.draws[x.label]
	r.draws[x.label]++
	return x.label, n
}
