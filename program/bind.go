package program

import (
	"errors"
	"fmt"
	"math"
	"reflect"

	"github.com/kun-ml/kun/array"
	"github.com/kun-ml/kun/tensor"
)

// maxBytes bounds the values of one program together, so that a hostile file cannot claim more than a machine has.
const maxBytes = min(1<<36, math.MaxInt/2)

// maxDepth bounds how deep loops are nested.
const maxDepth = 8

var errForm = errors.New("program: the file does not have the form of a program")

// Bind builds the graph for one batch size. Operations must be known at the stored version, every link must lead
// backwards, and all shape rules run again.
func (p *Poly) Bind(batch int) (*tensor.Graph, error) {
	if batch < 0 {
		return nil, fmt.Errorf("program: batch size %d", batch)
	}
	d := &decoder{}
	return d.graph(bind(p.data, batch), nil, 0)
}

type decoder struct{ bytes int }

func (d *decoder) graph(v any, parent *tensor.Graph, depth int) (*tensor.Graph, error) {
	m, _ := v.(map[string]any)
	nodes, ok := m["nodes"].([]any)
	outs, ok2 := m["outputs"].([]any)
	if !ok || !ok2 || depth > maxDepth {
		return nil, errForm
	}
	b := tensor.NewGraphBuilder(parent)
	var made [][]*tensor.Tensor
	link := func(v any) (*tensor.Tensor, error) {
		l, _ := v.([]any)
		if len(l) != 2 {
			return nil, errForm
		}
		n, ok := l[0].(float64)
		o, ok2 := l[1].(float64)
		if !ok || !ok2 || n != float64(int(n)) || o != float64(int(o)) || n < 0 || int(n) >= len(made) || o < 0 || int(o) >= len(made[int(n)]) {
			return nil, fmt.Errorf("program: link %v leads nowhere", v)
		}
		return made[int(n)][int(o)], nil
	}
	for i, e := range nodes {
		f, ok := e.(map[string]any)
		if !ok {
			return nil, errForm
		}
		out, err := d.node(b, f, link, depth)
		if err != nil {
			return nil, fmt.Errorf("node %d: %w", i, err)
		}
		made = append(made, out)
	}
	g := b.Graph()
	for _, o := range outs {
		t, err := link(o)
		if err != nil {
			return nil, err
		}
		g.Outs = append(g.Outs, t)
	}
	return g, effects(g, m, link)
}

// effects adds what a whole program does besides its outputs: assignments and their guard.
func effects(g *tensor.Graph, m map[string]any, link func(any) (*tensor.Tensor, error)) error {
	for k := range m {
		if k != "nodes" && k != "outputs" && (g.Parent() != nil || k != "assigns" && k != "guard") {
			return errForm
		}
	}
	assigns, _ := m["assigns"].([]any)
	for _, e := range assigns {
		a, _ := e.([]any)
		if len(a) != 2 {
			return errForm
		}
		path, _ := a[0].(string)
		value, err := link(a[1])
		if err != nil {
			return err
		}
		if err := g.AssignTo(path, value); err != nil {
			return err
		}
	}
	if m["guard"] == nil {
		return nil
	}
	t, err := link(m["guard"])
	if err != nil {
		return err
	}
	if t.Rank() != 0 || t.DType() != array.Bool {
		return fmt.Errorf("program: the guard is %v, not a truth value", t.Type())
	}
	g.Trace().Guard = t
	return nil
}

func (d *decoder) node(b *tensor.GraphBuilder, f map[string]any, link func(any) (*tensor.Tensor, error), depth int) ([]*tensor.Tensor, error) {
	name, _ := f["op"].(string)
	op := tensor.OpNamed(name)
	if op == nil {
		return nil, fmt.Errorf("program: unknown operation %q", name)
	}
	if v, _ := f["version"].(float64); v != float64(op.Version) {
		return nil, fmt.Errorf("program: %s has version %v, this program knows %d", name, f["version"], op.Version)
	}
	var attr any
	if op.NewAttr != nil {
		attr = op.NewAttr()
		if err := unplain(reflect.ValueOf(attr).Elem(), f["attr"]); err != nil {
			return nil, fmt.Errorf("program: %s: %w", name, err)
		}
	}
	var in []*tensor.Tensor
	links, _ := f["in"].([]any)
	for _, l := range links {
		t, err := link(l)
		if err != nil {
			return nil, err
		}
		in = append(in, t)
	}
	var body *tensor.Graph
	if f["body"] != nil {
		var err error
		if body, err = d.graph(f["body"], b.Graph(), depth+1); err != nil {
			return nil, err
		}
	}
	label, _ := f["layer"].(string)
	out, err := b.Node(op, attr, body, label, in...)
	if err != nil {
		return nil, err
	}
	for _, t := range out {
		n, err := t.Shape().CheckedSize(t.DType().Size())
		if !sane(t.Shape()) {
			return nil, fmt.Errorf("program: shape %v is too large", t.Shape())
		}
		if d.bytes += n; err != nil || n > maxBytes || d.bytes > maxBytes {
			return nil, fmt.Errorf("program: its values need more than %d GiB", maxBytes>>30)
		}
	}
	return out, nil
}

// sane refuses axes that are huge beside one of size 0: an operation may still make a line of such an axis.
func sane(s array.Shape) bool {
	n := 1
	for _, d := range s {
		if d > maxBytes/n {
			return false
		}
		n *= max(d, 1)
	}
	return true
}
