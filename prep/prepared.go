package prep

import (
	"fmt"

	"github.com/kun-ml/kun/array"
	"github.com/kun-ml/kun/data"
	"github.com/kun-ml/kun/tensor"
)

// view is a source of which one field has gone through transforms.
type view struct {
	data.Source
	at     int
	fields []data.Field
	before []Transform
	table  *array.Array // what each of the 256 bytes becomes; nil when that does not depend on the byte alone
}

// prepared is src with the transforms applied to a field; src itself when there are none.
func prepared(src data.Source, field string, before []Transform) (data.Source, error) {
	if len(before) == 0 {
		return src, nil
	}
	v := &view{Source: src, before: before, fields: append([]data.Field(nil), src.Fields()...)}
	for i, f := range v.fields {
		if f.Name != field {
			continue
		}
		g, err := v.trace(f.DType, append(array.Shape{2}, f.Shape...))
		if err != nil {
			return nil, err
		}
		t := g.Outs[0].Type()
		if len(t.Shape) == 0 || t.Shape[0] != 2 {
			return nil, fmt.Errorf("the transforms before it turn samples %v into %v; they must keep the batch axis", f, t)
		}
		v.at, v.fields[i].DType, v.fields[i].Shape = i, t.DType, t.Shape[1:].Clone()
		if f.DType.Size() == 1 && f.Shape.Size() > 0 && pointwise(g) {
			return v, v.tabulate(f)
		}
	}
	return v, nil
}

// pointwise reports whether each element of the output follows from that element of the input alone.
func pointwise(g *tensor.Graph) bool {
	size := g.Inputs[0].Shape().Size()
	for _, n := range g.Nodes {
		moves := n.Op.Name == "Reshape"
		for _, t := range n.In {
			k := t.Shape().Size()
			if k != 1 && (k != size || !moves && (n.Op.Class != tensor.Elementwise || !t.Shape().Equal(n.Type(0).Shape))) {
				return false
			}
		}
	}
	return size > 1 && g.Outs[0].Shape().Size() == size
}

// tabulate computes the transforms for every byte.
func (v *view) tabulate(f data.Field) error {
	w := f.Shape.Size()
	raw := array.New(f.DType, append(array.Shape{(256 + w - 1) / w}, f.Shape...)...)
	for i := range raw.Bytes() {
		raw.Bytes()[i] = byte(i)
	}
	g, err := v.trace(f.DType, raw.Shape())
	if err == nil {
		v.table = array.New(g.Outs[0].DType(), 256)
		v.table.SetFloat64s(evaluate(g, raw.Float64s())[:256])
	}
	return err
}

func (v *view) trace(d array.DType, shape array.Shape) (*tensor.Graph, error) {
	g, err := tensor.Trace(tensor.Options{}, func(in []*tensor.Tensor) []*tensor.Tensor {
		x := in[0]
		for _, t := range v.before {
			x = t.Forward(x)
		}
		return []*tensor.Tensor{x}
	}, tensor.Spec{Name: "field", DType: d, Shape: shape})
	if err != nil {
		return nil, err
	}
	for _, n := range g.Nodes {
		switch n.Attr.(type) {
		case *tensor.VarAttr, *tensor.ScalarAttr, *tensor.RandomAttr, *tensor.ScanAttr:
			return nil, fmt.Errorf("a transform before it uses %s, which needs a running program; put it after what is fitted", n.Op.Name)
		}
	}
	return g, nil
}

// Fields describes the parts of a sample after the transforms.
func (v *view) Fields() []data.Field { return v.fields }

// Unwrap is the source as it was.
func (v *view) Unwrap() data.Source { return v.Source }

// Gather reads rows and applies the transforms.
func (v *view) Gather(dst []*array.Array, rows []int) error {
	if dst[v.at] == nil {
		return v.Source.Gather(dst, rows)
	}
	f := v.Source.Fields()[v.at]
	raw := array.New(f.DType, append(array.Shape{len(rows)}, f.Shape...)...)
	below := append([]*array.Array(nil), dst...)
	below[v.at] = raw
	if err := v.Source.Gather(below, rows); err != nil {
		return err
	}
	if v.table != nil {
		look(dst[v.at], raw.Bytes(), v.table)
		return nil
	}
	g, err := v.trace(f.DType, raw.Shape())
	if err != nil {
		return err
	}
	dst[v.at].Rows(0, len(rows)).SetFloat64s(evaluate(g, raw.Float64s()))
	return nil
}

// look writes what each byte becomes.
func look(dst *array.Array, raw []byte, table *array.Array) {
	if dst.DType() == array.Float32 {
		to, from := array.Data[float32](dst)[:len(raw)], (*[256]float32)(array.Data[float32](table))
		for i, b := range raw {
			to[i] = from[b]
		}
		return
	}
	w := table.DType().Size()
	for i, b := range raw {
		copy(dst.Bytes()[i*w:i*w+w], table.Bytes()[int(b)*w:])
	}
}

// evaluate computes the output of a graph of one input from the references of its operations, in float64.
func evaluate(g *tensor.Graph, input []float64) []float64 {
	values := make([][][]float64, len(g.Nodes))
	values[g.Inputs[0].Node().ID()] = [][]float64{input}
	for _, n := range g.Nodes {
		if values[n.ID()] != nil {
			continue
		}
		in, out := make([][]float64, len(n.In)), make([][]float64, n.NumOut())
		for i, t := range n.In {
			in[i] = values[t.Node().ID()][t.Index()]
		}
		for i := range out {
			out[i] = make([]float64, n.Type(i).Shape.Size())
		}
		values[n.ID()] = out
		if n.Op.RefArray != nil {
			n.Op.RefArray(n, in, out)
			continue
		}
		elementwise(n, in, out[0])
	}
	o := g.Outs[0]
	return values[o.Node().ID()][o.Index()]
}

// elementwise computes an operation that is one function of the elements, its operands broadcast.
func elementwise(n *tensor.Node, in [][]float64, out []float64) {
	shape := n.Type(0).Shape
	x := make([]float64, len(in))
	index := make([]func(p int) int, len(in)) // nil: the element itself, or a single number
	for i, t := range n.In {
		k := len(in[i])
		switch {
		case k == 0:
			return
		case k == 1:
			x[i] = in[i][0]
		case k == len(out):
		case suffix(t.Shape(), shape):
			index[i] = func(p int) int { return p % k }
		default:
			strides := tensor.BroadcastStrides(t.Shape(), shape)
			index[i] = func(p int) (q int) {
				for a := len(shape) - 1; a >= 0; a-- {
					q += p % shape[a] * strides[a]
					p /= shape[a]
				}
				return q
			}
		}
	}
	f := n.Op.Ref
	if f == nil {
		f = func(x []float64) float64 { return n.Op.RefAttr(n.Attr, x) }
	}
	for p := range out {
		for i, v := range in {
			switch {
			case index[i] != nil:
				x[i] = v[index[i](p)]
			case len(v) > 1:
				x[i] = v[p]
			}
		}
		out[p] = f(x)
	}
}

// suffix reports whether s, without leading ones, is the end of t: then s repeats all through t.
func suffix(s, t array.Shape) bool {
	for len(s) > 0 && s[0] == 1 {
		s = s[1:]
	}
	return len(s) <= len(t) && s.Equal(t[len(t)-len(s):])
}
