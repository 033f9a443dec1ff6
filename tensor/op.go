package tensor

import (
	"fmt"
	"sort"

	"github.com/kun-ml/kun/array"
)

// Class says how an operation relates its output to its operands; devices schedule by it.
type Class int

const (
	// Structural operations have a rule of their own on each device (products, gathers, sorts).
	Structural Class = iota
	// Elementwise operations compute output element i from the elements i of the operands, which broadcast.
	Elementwise
	// Reduction operations take elements together along axes.
	Reduction
	// View operations keep the elements in their order and change the shape.
	View
	// Source operations have no operands: inputs, variables, constants, random numbers.
	Source
)

// Type is the element type and the shape of a value.
type Type struct {
	DType array.DType
	Shape array.Shape
}

// String writes "float32(32, 10)".
func (t Type) String() string { return t.DType.String() + t.Shape.String() }

// Op is one operation: what it means, never how a device runs it.
type Op struct {
	// Name is unique; operations of other modules start with a domain, "example.com/Softplus".
	Name string
	// Version grows when the meaning changes; it is stored with saved programs.
	Version int
	// Doc says in one or two sentences what is computed, with the formula.
	Doc string
	// Class decides how devices schedule the operation.
	Class Class
	// NewAttr makes an empty attribute value (a pointer to a struct of plain exported fields); nil: the operation has none.
	NewAttr func() any
	// Infer gives the types of the outputs from those of the operands. Elementwise operations may leave it nil: broadcast
	// shape, the operands' common element type.
	Infer func(n *Node, in []Type) ([]Type, error)
	// Ref computes one element in float64 (elementwise operations without attributes).
	Ref func(x []float64) float64
	// RefAttr computes one element in float64 (elementwise operations with attributes).
	RefAttr func(attr any, x []float64) float64
	// RefArray computes whole arrays in float64 (all other operations). It writes every element of out.
	RefArray func(n *Node, in, out [][]float64)
	// Grad gives the gradients of the operands from those of the outputs (nil where nothing flows). A nil entry of the
	// result means that no gradient flows to that operand.
	Grad func(n *Node, dy []*Tensor) []*Tensor
	// NoGrad is the reason why an operation has no gradient; exactly one of Grad and NoGrad is set.
	NoGrad string
	// Stops says that the gradient simply ends here (comparisons, indices); asking for it is no error.
	Stops bool
	// Flops is the number of floating-point operations per output element (elementwise) when FlopsOf is nil.
	Flops int
	// FlopsOf is the number of floating-point operations of a node.
	FlopsOf func(n *Node) float64
	// Cases are the inputs with which the operation is tested: forward, gradient, every level and element type.
	Cases []Case
}

// Case is one test of an operation.
type Case struct {
	// In are the operands' types; float operands are tested with every float type.
	In []Type
	// Attr is the attribute value, a pointer as made by NewAttr.
	Attr any
	// Low and High bound the random values of float operands; both 0 mean a standard normal distribution.
	Low, High float64
	// Index bounds integer operands: values 0..Index-1 (0: 0..4).
	Index int
	// Kink is set where the function is not differentiable on a null set that random inputs avoid by this distance.
	Kink float64
}

var table = map[string]*Op{}

// Define adds an operation to the table and returns it. It panics when the definition is incomplete or the name is taken:
// operations are defined in package variables, so this shows at the first start.
func Define(o Op) *Op {
	op := &o
	if op.Version == 0 {
		op.Version = 1
	}
	switch {
	case op.Name == "" || op.Doc == "":
		panic("tensor: Define: an operation needs a name and a doc")
	case table[op.Name] != nil:
		panic("tensor: Define: " + op.Name + " is defined twice")
	case (op.Grad == nil) == (op.NoGrad == ""):
		panic("tensor: Define: " + op.Name + " needs either a gradient or the reason why it has none")
	case op.Class != Source && op.Ref == nil && op.RefAttr == nil && op.RefArray == nil && op.Name != "Scan":
		panic("tensor: Define: " + op.Name + " has no reference")
	}
	if op.Infer == nil {
		if op.Class != Elementwise {
			panic("tensor: Define: " + op.Name + " has no shape rule")
		}
		op.Infer = inferBroadcast
	}
	table[op.Name] = op
	return op
}

// OpNamed finds an operation by its name; nil when there is none.
func OpNamed(name string) *Op { return table[name] }

// Ops lists every operation, sorted by name.
func Ops() []*Op {
	out := make([]*Op, 0, len(table))
	for _, o := range table {
		out = append(out, o)
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Name < out[j].Name })
	return out
}

// Apply records the operation on the operands and returns its first output.
func (o *Op) Apply(attr any, in ...*Tensor) *Tensor { return o.ApplyAll(attr, in...)[0] }

// ApplyAll records the operation and returns all outputs.
func (o *Op) ApplyAll(attr any, in ...*Tensor) []*Tensor {
	return record(inner(in), o, attr, nil, in)
}

// FLOPs is the number of floating-point operations that a node performs once.
func (n *Node) FLOPs() float64 {
	if n.Op.FlopsOf != nil {
		return n.Op.FlopsOf(n)
	}
	if n.Op.Class == Reduction {
		return float64(n.In[0].Shape().Size())
	}
	return float64(n.Op.Flops) * float64(n.types[0].Shape.Size())
}

// Broadcast is the NumPy broadcast of shapes: aligned at the last axis, sizes equal or one of them 1.
func Broadcast(shapes ...array.Shape) (array.Shape, error) {
	rank := 0
	for _, s := range shapes {
		rank = max(rank, len(s))
	}
	out := make(array.Shape, rank)
	for i := range out {
		out[i] = 1
	}
	for _, s := range shapes {
		for i, d := range s {
			j := rank - len(s) + i
			switch {
			case out[j] == d || d == 1:
			case out[j] == 1:
				out[j] = d
			default:
				return nil, fmt.Errorf("shapes %v do not broadcast: %d and %d differ", shapes, out[j], d)
			}
		}
	}
	return out, nil
}

// inferNumbers is inferBroadcast for arithmetic, which truth values do not take part in.
func inferNumbers(n *Node, in []Type) ([]Type, error) {
	if err := numbers(in); err != nil {
		return nil, err
	}
	return inferBroadcast(n, in)
}

func numbers(in []Type) error {
	for _, t := range in {
		if t.DType == array.Bool {
			return fmt.Errorf("no arithmetic on truth values; use Cast")
		}
	}
	return nil
}

func inferBroadcast(_ *Node, in []Type) ([]Type, error) {
	shapes := make([]array.Shape, len(in))
	for i, t := range in {
		if t.DType != in[0].DType {
			return nil, fmt.Errorf("element types %v and %v differ; use Cast", in[0].DType, t.DType)
		}
		shapes[i] = t.Shape
	}
	s, err := Broadcast(shapes...)
	if err != nil {
		return nil, err
	}
	return []Type{{in[0].DType, s}}, nil
}
