package tensor

import (
	"fmt"
	"math/rand/v2"
	"sync/atomic"

	"github.com/kun-ml/kun/array"
	"github.com/kun-ml/kun/internal/rng"
)

// Role says what a variable is for, and so which files keep it.
type Role uint8

const (
	// Weight is what an optimizer changes. Kept in models and checkpoints.
	Weight Role = iota
	// State is what a layer keeps beside its weights, such as moving averages. Kept in models and checkpoints.
	State
	// Slot belongs to an optimizer. Kept in checkpoints.
	Slot
	// Total accumulates metrics, losses or gradients. Kept in checkpoints.
	Total
	// Session belongs to one running instance (caches, carried states). Never kept.
	Session
)

var roles = [...]string{"weight", "state", "slot", "total", "session"}

// String is the role's name in lower case.
func (r Role) String() string {
	if int(r) < len(roles) {
		return roles[r]
	}
	return fmt.Sprintf("role(%d)", r)
}

// MarshalText writes the name.
func (r Role) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText reads the name.
func (r *Role) UnmarshalText(b []byte) error {
	for i, s := range roles {
		if s == string(b) {
			*r = Role(i)
			return nil
		}
	}
	return fmt.Errorf("tensor: unknown role %q", b)
}

// Var is a cell that outlives a run: a value with a path, a role and a version that grows with each write.
// Steps write it in place; whoever writes by hand calls Touch afterwards.
type Var struct {
	Path    string
	Role    Role
	Value   *array.Array
	version atomic.Uint64
	home    *Cell
}

// NewVar makes a variable that belongs to no layer.
func NewVar(path string, role Role, value *array.Array) *Var {
	v := &Var{Path: path, Role: role, Value: value}
	v.version.Store(1)
	return v
}

// Version grows with each write; packed and cast copies are keyed by it.
func (v *Var) Version() uint64 { return v.version.Load() }

// Touch tells that the value was written.
func (v *Var) Touch() { v.version.Add(1) }

// Cell is the place of a Var in a layer. nn.Param, nn.State and nn.KVCache each hold one; the zero value is empty and is
// filled after the first trace. A Cell must not be copied once it is filled.
type Cell struct{ v atomic.Pointer[Var] }

// Var is the variable, nil before it is materialised.
func (c *Cell) Var() *Var { return c.v.Load() }

// Holder is what the walk over a model takes for a parameter: a struct, by pointer, that owns a Cell.
type Holder interface{ Cell() *Cell }

// Initializer fills a fresh variable. dst has shape.Size() elements; r is the stream named by the variable's path.
type Initializer interface {
	Init(dst []float64, shape array.Shape, r *rand.Rand)
}

// Decl is a variable that a trace met.
type Decl struct {
	Path string
	Role Role
	Type Type
	Init Initializer // nil: zeros
	// Frozen weights take no part in the training of this trace.
	Frozen bool
	cell   *Cell
	read   *Tensor
}

// Cell is the place in the model that the variable belongs to; nil for variables of optimizers and metrics.
func (d *Decl) Cell() *Cell { return d.cell }

// Read is the variable's value at the start of the step.
func (d *Decl) Read() *Tensor { return d.read }

// Declare gives the variable of a cell as a tensor of x's trace: the current value, after Set the new one.
// It writes nothing to the cell. A cell that is not reachable by exported fields of the model is a *ShapeError.
func (c *Cell) Declare(x *Tensor, role Role, init Initializer, d array.DType, dims ...int) *Tensor {
	r := x.n.g.Root().root
	if v := c.v.Load(); v != nil && v.home != c {
		panic(place(&ShapeError{Op: "Param", Layer: x.label, Why: "the layer was copied after its parameters were made",
			Hint: "keep layers by pointer, or make a fresh one"}, callers(2)))
	}
	path, err := r.names.cell(c)
	if err != nil {
		panic(place(&ShapeError{Op: "Param", Layer: x.label, Why: err.Error()}, callers(2)))
	}
	return r.declare(x.n.g, path, role, init, Type{d, array.Shape(dims).Clone()}, c)
}

// Variable gives a variable that belongs to no layer (an optimizer's slot, a metric's total) as a tensor of the trace.
func (g *Graph) Variable(path string, role Role, init Initializer, d array.DType, dims ...int) *Tensor {
	return g.Root().root.declare(g, path, role, init, Type{d, array.Shape(dims).Clone()}, nil)
}

func (r *Root) declare(g *Graph, path string, role Role, init Initializer, t Type, c *Cell) *Tensor {
	if d := r.byPath[path]; d != nil {
		if d.Type.DType != t.DType || !d.Type.Shape.Equal(t.Shape) {
			fail("Param", path, "declared as %v before and as %v now", d.Type, t)
		}
		if cur := r.current[path]; cur != nil {
			return cur
		}
		return d.read
	}
	if c != nil {
		if v := c.v.Load(); v != nil && (v.Value.DType() != t.DType || !v.Value.Shape().Equal(t.Shape)) {
			e := &ShapeError{Op: "Param", Layer: path, Why: fmt.Sprintf("holds %v%v, this model wants %v", v.Value.DType(), v.Value.Shape(), t),
				Hint: "the input or a size of the layer changed since the parameter was made; a fresh layer starts anew"}
			panic(place(e, callers(3)))
		}
	}
	if n := t.Shape.Size(); n < 0 || hasNegative(t.Shape) {
		fail("Param", path, "shape %v", t.Shape)
	}
	d := &Decl{Path: path, Role: role, Type: t, Init: init, cell: c}
	d.Frozen = role == Weight && r.Frozen != nil && r.Frozen(path)
	d.read = record(g.Root(), opVar, &VarAttr{Path: path, Role: role, DType: t.DType, Shape: t.Shape}, nil, nil)[0]
	d.read.label, d.read.n.Label = path, path
	r.byPath[path] = d
	r.Decls = append(r.Decls, d)
	return d.read
}

func hasNegative(s array.Shape) bool {
	for _, d := range s {
		if d < 0 {
			return true
		}
	}
	return false
}

// Assign sets the variable that v reads to value at the end of the step; later reads in the same trace see the new value.
// v is what a variable gave before the step or, when only one variable has it, the new value of a variable.
func Assign(v, value *Tensor) {
	g := v.n.g.Root()
	if a, ok := v.n.Attr.(*VarAttr); ok {
		g.SetVariable(a.Path, value)
		return
	}
	path := ""
	for _, a := range g.root.Assigns {
		switch {
		case !a.Value.Same(v):
		case path != "":
			fail("Assign", v.label, "the first operand is the new value of both %s and %s: name the variable", path, a.Decl.Path)
		default:
			path = a.Decl.Path
		}
	}
	if path == "" {
		fail("Assign", v.label, "the first operand is not a variable")
	}
	g.SetVariable(path, value)
}

// Set is Assign for the variable of a cell, which must be declared before.
func (c *Cell) Set(x, value *Tensor) {
	path, err := x.n.g.Root().root.names.cell(c)
	if err != nil {
		panic(place(&ShapeError{Op: "Param", Layer: x.label, Why: err.Error()}, callers(2)))
	}
	x.n.g.SetVariable(path, value)
}

// SetVariable is Assign for the variable at a path, which must be declared before.
func (g *Graph) SetVariable(path string, value *Tensor) {
	g = g.Root()
	r := g.root
	if r.byPath[path] == nil {
		fail("Assign", value.label, "there is no variable %q", path)
	}
	if value.n.g != g {
		fail("Assign", path, "a variable cannot be set inside a loop body; carry it instead")
	}
	if d := r.byPath[path]; d.Type.DType != value.DType() || !d.Type.Shape.Equal(value.Shape()) {
		fail("Assign", path, "the variable is %v, the value %v", d.Type, value.Type())
	}
	r.current[path] = value
	for i := range r.Assigns {
		if r.Assigns[i].Decl.Path == path {
			r.Assigns[i].Value = value
			return
		}
	}
	r.Assigns = append(r.Assigns, Assignment{r.byPath[path], value})
}

// Assignment is a variable and the value that it takes at the end of the step.
type Assignment struct {
	Decl  *Decl
	Value *Tensor
}

// Take makes the variable of a declaration with a given value, whose type must be the declaration's, or sets the one that
// the model already has. It is how a model file enters a model.
func (d *Decl) Take(value *array.Array) (*Var, error) {
	if value.DType() != d.Type.DType || !value.Shape().Equal(d.Type.Shape) {
		return nil, fmt.Errorf("tensor: %s is %v%v, the model wants %v", d.Path, value.DType(), value.Shape(), d.Type)
	}
	v := NewVar(d.Path, d.Role, value)
	v.home = d.cell
	if d.cell != nil && !d.cell.v.CompareAndSwap(nil, v) {
		v = d.cell.v.Load()
		v.Value.CopyFrom(value)
		v.Touch()
	}
	return v, nil
}

// Materialise makes the variable of a declaration, or returns the one that the model already has. The values come from
// the stream (seed, path), so that neither order nor goroutines matter. Variables without a cell are made fresh.
func (d *Decl) Materialise(seed uint64) *Var {
	if d.cell != nil {
		if v := d.cell.v.Load(); v != nil {
			return v
		}
	}
	v := NewVar(d.Path, d.Role, array.New(d.Type.DType, d.Type.Shape...))
	v.home = d.cell
	if d.Init != nil {
		dst := make([]float64, v.Value.Len())
		d.Init.Init(dst, d.Type.Shape, rand.New(rng.New(seed, d.Path)))
		v.Value.SetFloat64s(dst)
	}
	if d.cell != nil && !d.cell.v.CompareAndSwap(nil, v) {
		return d.cell.v.Load()
	}
	return v
}
