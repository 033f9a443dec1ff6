package program

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"reflect"

	"github.com/kun-ml/kun/tensor"
)

// Poly is a program as data that holds for any batch size: operations by name and version, attributes, layer paths;
// numbers that depend on the batch size B are stored as {"b": [c0, c1]}, meaning c0 + c1*B. Immutable.
type Poly struct{ data any }

// samples are the batch sizes at which a program is recorded; the third checks what the first two suggest.
var samples = [3]int{3, 5, 11}

// Generalise records a program at three batch sizes and keeps what is the same or grows evenly with the batch.
// Anything else that depends on the batch size is an error that names the layer.
func Generalise(trace func(batch int) (*tensor.Graph, error)) (*Poly, error) {
	var data [3]any
	for i, b := range samples {
		g, err := trace(b)
		if err != nil {
			return nil, err
		}
		if data[i], err = encode(g); err != nil {
			return nil, err
		}
	}
	p, err := unify(data[0], data[1], "program")
	if err != nil {
		return nil, err
	}
	if !reflect.DeepEqual(bind(p, samples[2]), data[2]) {
		return nil, fmt.Errorf("program: it does not grow evenly with the batch size: batch %d is not what batches %d and %d suggest", samples[2], samples[0], samples[1])
	}
	return &Poly{p}, nil
}

func encode(g *tensor.Graph) (any, error) {
	nodes := make([]any, 0, len(g.Nodes))
	link := func(t *tensor.Tensor) any {
		return []any{float64(t.Node().ID()), float64(t.Index())}
	}
	for _, n := range g.Nodes {
		e := map[string]any{"op": n.Op.Name, "version": float64(n.Op.Version)}
		if n.Label != "" {
			e["layer"] = n.Label
		}
		if len(n.In) > 0 {
			in := make([]any, len(n.In))
			for i, t := range n.In {
				in[i] = link(t)
			}
			e["in"] = in
		}
		if n.Attr != nil {
			a, err := plain(reflect.ValueOf(n.Attr))
			if err != nil {
				return nil, fmt.Errorf("program: %s: %s: %w", n.Label, n.Op.Name, err)
			}
			e["attr"] = a
		}
		if n.Body != nil {
			b, err := encode(n.Body)
			if err != nil {
				return nil, err
			}
			e["body"] = b
		}
		nodes = append(nodes, e)
	}
	outs := make([]any, len(g.Outs))
	for i, t := range g.Outs {
		outs[i] = link(t)
	}
	p := map[string]any{"nodes": nodes, "outputs": outs}
	if g.Parent() != nil {
		return p, nil
	}
	r := g.Trace()
	if len(r.Assigns) > 0 {
		assigns := make([]any, len(r.Assigns))
		for i, a := range r.Assigns {
			assigns[i] = []any{a.Decl.Path, link(a.Value)}
		}
		p["assigns"] = assigns
	}
	if r.Guard != nil {
		p["guard"] = link(r.Guard)
	}
	return p, nil
}

func unify(a, b any, at string) (any, error) {
	switch x := a.(type) {
	case map[string]any:
		y, ok := b.(map[string]any)
		if !ok || len(x) != len(y) {
			return nil, fmt.Errorf("program: %s depends on the batch size", at)
		}
		if o, _ := x["op"].(string); o != "" {
			l, _ := x["layer"].(string)
			at = l + ": " + o
		}
		out := make(map[string]any, len(x))
		for k, v := range x {
			u, err := unify(v, y[k], at)
			if err != nil {
				return nil, err
			}
			out[k] = u
		}
		return out, nil
	case []any:
		y, ok := b.([]any)
		if !ok || len(x) != len(y) {
			return nil, fmt.Errorf("program: %s: the number of its parts depends on the batch size (%d for batch %d, %d for %d)", at, len(x), samples[0], len(y), samples[1])
		}
		out := make([]any, len(x))
		for i := range x {
			u, err := unify(x[i], y[i], at)
			if err != nil {
				return nil, err
			}
			out[i] = u
		}
		return out, nil
	case float64:
		y, ok := b.(float64)
		if ok && x == y {
			return x, nil
		}
		na, nb := float64(samples[0]), float64(samples[1])
		if c := (y - x) / (nb - na); ok && c == math.Trunc(c) && x-c*na == math.Trunc(x-c*na) {
			return map[string]any{"b": []any{x - c*na, c}}, nil
		}
		return nil, fmt.Errorf("program: %s: a number (%v for batch %d, %v for %d) depends on the batch size", at, a, samples[0], b, samples[1])
	default:
		if a != b {
			return nil, fmt.Errorf("program: %s: %v for batch %d, %v for %d", at, a, samples[0], b, samples[1])
		}
		return a, nil
	}
}

func bind(v any, batch int) any {
	switch x := v.(type) {
	case map[string]any:
		if c, ok := x["b"].([]any); ok && len(x) == 1 && len(c) == 2 {
			c0, ok0 := c[0].(float64)
			c1, ok1 := c[1].(float64)
			if ok0 && ok1 {
				return c0 + c1*float64(batch)
			}
		}
		out := make(map[string]any, len(x))
		for k, e := range x {
			out[k] = bind(e, batch)
		}
		return out
	case []any:
		out := make([]any, len(x))
		for i, e := range x {
			out[i] = bind(e, batch)
		}
		return out
	}
	return v
}

// MarshalJSON writes the program.
func (p *Poly) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string]any{"format": format, "program": p.data})
}

const format = "kun-program-1"

// UnmarshalJSON reads a program written by MarshalJSON. Its parts are checked by Bind.
func (p *Poly) UnmarshalJSON(b []byte) error {
	var f struct {
		Format  string `json:"format"`
		Program any    `json:"program"`
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&f); err != nil {
		return fmt.Errorf("program: %w", err)
	}
	if f.Format != format {
		return fmt.Errorf("program: format %q is not %q", f.Format, format)
	}
	p.data = f.Program
	return nil
}
