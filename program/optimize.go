package program

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/kun-ml/kun/array"
	"github.com/kun-ml/kun/tensor"
)

// Optimize returns an equivalent graph without dead code, with equal nodes joined and with simple algebra applied.
// The bits of results may differ from the graph as recorded only where an operation is replaced by one that is
// defined to give the same value (x*1, x+0, scalars for filled tensors).
func Optimize(g *tensor.Graph) *tensor.Graph {
	return g.Rewrite(newSimplifier().node).Rewrite(newSimplifier().node)
}

type simplifier struct{ seen map[string][]*tensor.Tensor }

func newSimplifier() *simplifier { return &simplifier{map[string][]*tensor.Tensor{}} }

func (s *simplifier) node(b *tensor.Builder, n *tensor.Node, in []*tensor.Tensor) []*tensor.Tensor {
	if t := algebra(b, n, in); t != nil {
		return []*tensor.Tensor{t}
	}
	if n.Body != nil {
		return b.Copy(n, in)
	}
	k := key(n, in)
	if out := s.seen[k]; out != nil {
		return out
	}
	out := b.Copy(n, in)
	s.seen[k] = out
	return out
}

func key(n *tensor.Node, in []*tensor.Tensor) string {
	var b strings.Builder
	b.WriteString(n.Op.Name)
	if n.Attr != nil {
		j, err := json.Marshal(n.Attr)
		if err != nil { // numbers that JSON cannot write, such as infinities
			j = []byte(fmt.Sprintf("%#v", n.Attr))
		}
		b.Write(j)
	}
	for _, t := range in {
		fmt.Fprintf(&b, " %d.%d", t.Node().ID(), t.Index())
	}
	return b.String()
}

// filled gives the value of a tensor that is one number repeated, as its element type holds it.
func filled(t *tensor.Tensor) (float64, bool) {
	if a, ok := t.Node().Attr.(*tensor.FillAttr); ok {
		v := array.New(a.DType, 1)
		v.SetFloat64s([]float64{a.Value})
		return v.Float64s()[0], true
	}
	return 0, false
}

// algebra gives a simpler tensor for a node, or nil.
func algebra(b *tensor.Builder, n *tensor.Node, in []*tensor.Tensor) *tensor.Tensor {
	out := n.Type(0)
	same := func(t *tensor.Tensor) bool { return t.Shape().Equal(out.Shape) && t.DType() == out.DType }
	add := func(name string, attr any, in ...*tensor.Tensor) *tensor.Tensor {
		return b.Add(tensor.OpNamed(name), attr, nil, n, in)[0]
	}
	switch n.Op.Name {
	case "Add", "Mul":
		for i, t := range in {
			v, ok := filled(t)
			o := in[1-i]
			if !ok || !same(o) || t.Shape().Size() == 0 {
				continue
			}
			switch {
			case n.Op.Name == "Add" && v == 0 || n.Op.Name == "Mul" && v == 1:
				return o
			case !o.DType().IsFloat(): // a scalar operation computes in floating point
				return nil
			case n.Op.Name == "Add":
				return add("AddScalar", &tensor.ScalarValue{Value: v}, o)
			default:
				return add("Scale", &tensor.ScalarValue{Value: v}, o)
			}
		}
	case "StopGradient": // gradients have been taken
		return in[0]
	case "Sub":
		if v, ok := filled(in[1]); ok && same(in[0]) && v == 0 {
			return in[0]
		}
	case "Scale":
		if n.Attr.(*tensor.ScalarValue).Value == 1 {
			return in[0]
		}
	case "AddScalar":
		if n.Attr.(*tensor.ScalarValue).Value == 0 {
			return in[0]
		}
	case "Reshape":
		p := in[0].Node()
		if p.Op.Name == "Reshape" {
			in = p.In
		}
		if same(in[0]) {
			return in[0]
		}
		if a, ok := in[0].Node().Attr.(*tensor.FillAttr); ok {
			return add("Fill", &tensor.FillAttr{Value: a.Value, DType: a.DType, Shape: out.Shape})
		}
		if p.Op.Name == "Reshape" {
			return add("Reshape", n.Attr, in[0])
		}
	case "Sum", "Mean", "Max", "Min", "Prod", "LogSumExp":
		if len(n.Attr.(*tensor.AxesAttr).Axes) == 0 {
			return in[0]
		}
		return splitReduction(b, n, in[0])
	case "BroadcastTo":
		if a, ok := in[0].Node().Attr.(*tensor.FillAttr); ok {
			return add("Fill", &tensor.FillAttr{Value: a.Value, DType: a.DType, Shape: out.Shape})
		}
	case "MeanGrad":
		if v, ok := filled(in[0]); ok && out.Shape.Size() > 0 {
			from, to := float64(in[0].Shape().Size()), float64(out.Shape.Size())
			mean := v / (to / from)
			if out.DType == array.Float32 { // as the device computes it
				mean = float64(float32(v) * float32(from/to))
			}
			return add("Fill", &tensor.FillAttr{Value: mean, DType: out.DType, Shape: out.Shape})
		}
	}
	return nil
}

// splitReduction takes the axes of a reduction that do not lie side by side in blocks, the last one first. Half precision,
// which would be rounded in between, stays as it is, as do means of integers.
func splitReduction(b *tensor.Builder, n *tensor.Node, x *tensor.Tensor) *tensor.Tensor {
	a := n.Attr.(*tensor.AxesAttr)
	cut := len(a.Axes) - 1
	for ; cut > 0 && a.Axes[cut-1] == a.Axes[cut]-1; cut-- {
	}
	d := x.DType()
	if cut <= 0 || d == array.BFloat16 || d == array.Float16 || !d.IsFloat() && (n.Op.Name == "Mean" || n.Op.Name == "LogSumExp") {
		return nil
	}
	op := tensor.OpNamed(n.Op.Name)
	y := b.Add(op, &tensor.AxesAttr{Axes: a.Axes[cut:], Keep: true}, nil, n, []*tensor.Tensor{x})[0]
	y = b.Add(op, &tensor.AxesAttr{Axes: a.Axes[:cut], Keep: true}, nil, n, []*tensor.Tensor{y})[0]
	if a.Keep {
		return y
	}
	return b.Add(tensor.OpNamed("Reshape"), &tensor.ShapeAttr{Shape: n.Type(0).Shape.Clone()}, nil, n, []*tensor.Tensor{y})[0]
}
