package tensor

// CumSumAttr is the axis of a running sum; Exclusive leaves the element itself out, Reverse runs from the end.
type CumSumAttr struct {
	Axis               int
	Exclusive, Reverse bool
}

var opCumSum *Op

func init() {
	opCumSum = Define(Op{Name: "CumSum", Doc: "The running sum along an axis.", NewAttr: func() any { return &CumSumAttr{} },
		Infer: func(n *Node, in []Type) ([]Type, error) {
			_, err := reducedShape(in[0].Shape, []int{n.Attr.(*CumSumAttr).Axis}, false)
			if err == nil {
				err = numbers(in)
			}
			return []Type{in[0]}, err
		},
		RefArray: func(n *Node, in, out [][]float64) {
			a := n.Attr.(*CumSumAttr)
			eachGroup(n.In[0].Shape(), []int{a.Axis}, func(_ int, at []int) {
				s := 0.0
				for i := range at {
					p := at[i]
					if a.Reverse {
						p = at[len(at)-1-i]
					}
					v := in[0][p]
					if a.Exclusive {
						out[0][p] = s
					}
					s += v
					if !a.Exclusive {
						out[0][p] = s
					}
				}
			})
		},
		Grad: func(n *Node, dy []*Tensor) []*Tensor {
			a := *n.Attr.(*CumSumAttr)
			a.Reverse = !a.Reverse
			return []*Tensor{opCumSum.Apply(&a, dy[0])}
		},
		FlopsOf: func(n *Node) float64 { return float64(n.types[0].Shape.Size()) },
		Cases: []Case{{In: []Type{F(3, 7)}, Attr: &CumSumAttr{Axis: 1}}, {In: []Type{F(3, 7)}, Attr: &CumSumAttr{Axis: 0, Exclusive: true}},
			{In: []Type{F(2, 5, 3)}, Attr: &CumSumAttr{Axis: 1, Reverse: true}}}})
}

// CumSum is the running sum along an axis.
func (x *Tensor) CumSum(axis int) *Tensor {
	return opCumSum.Apply(&CumSumAttr{Axis: x.axis("CumSum", axis)}, x)
}
