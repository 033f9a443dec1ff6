package tensor

import (
	"fmt"

	"github.com/kun-ml/kun/array"
)

// GraphBuilder makes a graph from data: what a program file holds. Every shape rule runs; a mistake is an error.
type GraphBuilder struct{ g *Graph }

// NewGraphBuilder starts a graph; parent is the enclosing graph of a loop body, nil for a whole program.
func NewGraphBuilder(parent *Graph) *GraphBuilder {
	if parent == nil {
		return &GraphBuilder{NewGraph()}
	}
	return &GraphBuilder{&Graph{parent: parent}}
}

// Graph is the graph under construction.
func (b *GraphBuilder) Graph() *Graph { return b.g }

// arity reports whether an operation takes n operands: as many as one of its test cases has.
func (o *Op) arity(n int) bool {
	switch {
	case o.Class == Source:
		return n == 0
	case o == opConcat:
		return n > 0
	case o == opScan:
		return true
	}
	for _, c := range o.Cases {
		if len(c.In) == n {
			return true
		}
	}
	return false
}

// Node adds an operation. Inputs and variables are noted as such.
func (b *GraphBuilder) Node(op *Op, attr any, body *Graph, label string, in ...*Tensor) (out []*Tensor, err error) {
	defer Catch(&err)
	if !op.arity(len(in)) {
		return nil, fmt.Errorf("tensor: %s does not take %d operands", op.Name, len(in))
	}
	types := make([]Type, len(in))
	for i, t := range in {
		if t.n.g != b.g {
			return nil, fmt.Errorf("tensor: %s: operand %d belongs to another graph", op.Name, i)
		}
		types[i] = t.Type()
	}
	if body != nil && op != opScan {
		return nil, fmt.Errorf("tensor: %s does not take a body", op.Name)
	}
	n := &Node{Op: op, Attr: attr, Body: body, g: b.g, In: in, Label: label}
	ts, err := op.Infer(n, types)
	if err != nil {
		return nil, fmt.Errorf("tensor: %s: %s: %w", label, op.Name, err)
	}
	for _, t := range ts {
		if _, err := t.Shape.CheckedSize(t.DType.Size()); err != nil {
			return nil, fmt.Errorf("tensor: %s: %s: %w", label, op.Name, err)
		}
	}
	if op == opHostScalar && b.g.root == nil {
		return nil, fmt.Errorf("tensor: a number of the host stands inside a loop body")
	}
	if a, ok := attr.(*VarAttr); ok {
		if b.g.root == nil {
			return nil, fmt.Errorf("tensor: variable %s stands inside a loop body", a.Path)
		}
		if b.g.root.byPath[a.Path] != nil {
			return nil, fmt.Errorf("tensor: variable %s appears twice", a.Path)
		}
	}
	out = n.append(ts)
	switch a := attr.(type) {
	case *InputAttr:
		b.g.Inputs = append(b.g.Inputs, out[0])
	case *VarAttr:
		r := b.g.root
		d := &Decl{Path: a.Path, Role: a.Role, Type: Type{a.DType, append(array.Shape{}, a.Shape...)}, read: out[0]}
		r.Decls = append(r.Decls, d)
		r.byPath[a.Path] = d
	}
	return out, nil
}

// AssignTo notes that the variable at path takes value at the end of a run of the root graph g. Each variable is assigned
// at most once.
func (g *Graph) AssignTo(path string, value *Tensor) error {
	d := g.root.byPath[path]
	switch {
	case d == nil:
		return fmt.Errorf("tensor: no variable %q to assign to", path)
	case value.n.g != g || d.Type.DType != value.DType() || !d.Type.Shape.Equal(value.Shape()):
		return fmt.Errorf("tensor: variable %s is %v, the value %v", path, d.Type, value.Type())
	}
	for _, a := range g.root.Assigns {
		if a.Decl == d {
			return fmt.Errorf("tensor: variable %s is assigned twice", path)
		}
	}
	g.root.Assigns = append(g.root.Assigns, Assignment{d, value})
	return nil
}
