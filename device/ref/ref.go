package ref

import (
	"fmt"

	"github.com/kun-ml/kun/array"
	"github.com/kun-ml/kun/device"
	"github.com/kun-ml/kun/tensor"
)

// Device interprets graphs in float64.
type Device struct{}

// New makes the reference device.
func New() Device { return Device{} }

// Name is "ref".
func (Device) Name() string { return "ref" }

// Supports is true for every operation.
func (Device) Supports(*tensor.Op) bool { return true }

// Close does nothing.
func (Device) Close() {}

// Compile keeps the graph as it is.
func (Device) Compile(g *tensor.Graph) (device.Executable, error) {
	if s := g.MissingScalar(); s != "" {
		return nil, fmt.Errorf("ref: nothing computes the number %q of the host", s)
	}
	return &executable{g}, nil
}

type executable struct{ g *tensor.Graph }

// Stats counts nodes and their floating-point operations.
func (e *executable) Stats() device.Stats {
	s := device.Stats{Steps: len(e.g.Nodes)}
	for _, n := range e.g.Nodes {
		s.FLOPs += n.FLOPs()
	}
	return s
}

// Instance binds the variables.
func (e *executable) Instance(vars map[string]*tensor.Var) (device.Instance, error) {
	in := &instance{g: e.g, vars: map[string]*tensor.Var{}}
	for _, d := range e.g.Trace().Decls {
		v := vars[d.Path]
		if v == nil && d.Role == tensor.Session {
			v = tensor.NewVar(d.Path, d.Role, array.New(d.Type.DType, d.Type.Shape...))
		}
		if v == nil {
			return nil, fmt.Errorf("ref: no variable for %s", d.Path)
		}
		in.vars[d.Path] = v
	}
	return in, nil
}

type instance struct {
	g    *tensor.Graph
	vars map[string]*tensor.Var
}

// Run interprets the graph.
func (in *instance) Run(r *device.Run) error {
	root := in.g.Trace()
	if len(r.Inputs) != len(in.g.Inputs) {
		return fmt.Errorf("ref: %d inputs for a graph of %d", len(r.Inputs), len(in.g.Inputs))
	}
	e := &Eval{Run: r, Vars: in.vars, Scalars: map[string]float64{}}
	for _, s := range root.Scalars {
		e.Scalars[s.Name] = float64(float32(s.At(r.Step)))
	}
	inputs := make([][]float64, len(r.Inputs))
	for i, a := range r.Inputs {
		inputs[i] = a.Float64s()
	}
	value := e.Graph(in.g, inputs)
	for i, t := range in.g.Outs {
		if i < len(r.Outputs) && r.Outputs[i] != nil {
			r.Outputs[i].SetFloat64s(value(t))
		}
	}
	if root.Guard != nil && value(root.Guard)[0] == 0 {
		return nil
	}
	for _, a := range root.Assigns {
		v := in.vars[a.Decl.Path]
		v.Value.SetFloat64s(value(a.Value))
		v.Touch()
	}
	return nil
}

// Eval interprets graphs in float64.
type Eval struct {
	Run     *device.Run
	Vars    map[string]*tensor.Var
	Scalars map[string]float64
}

// Graph computes every node of g and returns the values by tensor.
func (e *Eval) Graph(g *tensor.Graph, inputs [][]float64) func(*tensor.Tensor) []float64 {
	val := make([][][]float64, len(g.Nodes))
	at := func(t *tensor.Tensor) []float64 { return val[t.Node().ID()][t.Index()] }
	for i, t := range g.Inputs {
		val[t.Node().ID()] = [][]float64{inputs[i]}
	}
	for _, n := range g.Nodes {
		if val[n.ID()] != nil {
			continue
		}
		in := make([][]float64, len(n.In))
		for i, t := range n.In {
			in[i] = at(t)
		}
		out := make([][]float64, n.NumOut())
		for i := range out {
			out[i] = make([]float64, n.Type(i).Shape.Size())
		}
		val[n.ID()] = out
		e.node(n, in, out)
	}
	return at
}

func (e *Eval) node(n *tensor.Node, in, out [][]float64) {
	switch a := n.Attr.(type) {
	case *tensor.VarAttr:
		copy(out[0], e.Vars[a.Path].Value.Float64s())
		return
	case *tensor.ScalarAttr:
		out[0][0] = e.Scalars[a.Name]
		return
	case *tensor.RandomAttr:
		a.Fill(n.Op.Name, e.Run.Seed, e.Run.Step, out[0])
		return
	case *tensor.ScanAttr:
		e.scan(n, a, in, out)
		return
	}
	Node(n, in, out)
}

func (e *Eval) scan(n *tensor.Node, a *tensor.ScanAttr, in, out [][]float64) {
	step := append([][]float64(nil), in...)
	for s := range a.Len {
		t := s
		if a.Reverse {
			t = a.Len - 1 - s
		}
		for i := range a.NX {
			w := len(in[i]) / a.Len
			step[i] = in[i][t*w : (t+1)*w]
		}
		value := e.Graph(n.Body, step)
		next := make([][]float64, a.NC)
		for i, o := range n.Body.Outs {
			v := value(o)
			if i < a.NC {
				next[i] = v
				continue
			}
			copy(out[i][t*len(v):], v)
		}
		copy(step[a.NX:], next)
	}
	for i := range a.NC {
		copy(out[i], step[a.NX+i])
	}
}

// Node computes one node from its reference; sources other than constants are the caller's.
func Node(n *tensor.Node, in, out [][]float64) {
	o := n.Op
	if o.RefArray != nil {
		o.RefArray(n, in, out)
		return
	}
	shape := n.Type(0).Shape
	strides := make([][]int, len(in))
	for i, t := range n.In {
		strides[i] = tensor.BroadcastStrides(t.Shape(), shape)
	}
	x := make([]float64, len(in))
	for p := range out[0] {
		for i := range in {
			q := 0
			for a, r := len(shape)-1, p; a >= 0; a-- {
				q += r % shape[a] * strides[i][a]
				r /= shape[a]
			}
			x[i] = in[i][q]
		}
		if o.Ref != nil {
			out[0][p] = o.Ref(x)
		} else {
			out[0][p] = o.RefAttr(n.Attr, x)
		}
	}
}
