package tensor_test

import (
	"strings"
	"testing"

	"github.com/kun-ml/kun/array"
	"github.com/kun-ml/kun/tensor"
)

// twoCells holds the value of a step and that of the step before.
type twoCells struct{ Cur, Prev cell }

type cell struct{ c tensor.Cell }

func (c *cell) Cell() *tensor.Cell { return &c.c }

// assigned traces f and lists what it assigns, as "path=path" where the value is a read of a variable.
func assigned(t *testing.T, m any, f func(x *tensor.Tensor)) (all []string, err error) {
	t.Helper()
	g, err := tensor.Trace(tensor.Options{Model: m}, func(in []*tensor.Tensor) []*tensor.Tensor {
		f(in[0])
		return in
	}, tensor.Spec{DType: array.Float32, Shape: array.Shape{2}})
	if err != nil {
		return nil, err
	}
	for _, a := range g.Trace().Assigns {
		v := a.Value.Node().Op.Name
		if r, ok := a.Value.Node().Attr.(*tensor.VarAttr); ok {
			v = r.Path
		}
		all = append(all, a.Decl.Path+"="+v)
	}
	return all, nil
}

// TestAssign_KnowsTheVariable: a variable that takes the old value of another one must not be taken for it.
func TestAssign_KnowsTheVariable(t *testing.T) {
	want := "Prev=Cur Cur=Exp"
	for range 50 { // an order that a map gave would differ now and then
		m := &twoCells{}
		got, err := assigned(t, m, func(x *tensor.Tensor) {
			cur := m.Cur.c.Declare(x, tensor.State, nil, array.Float32, 2)
			m.Prev.c.Declare(x, tensor.State, nil, array.Float32, 2)
			m.Prev.c.Set(x, cur)
			m.Cur.c.Set(x, x.Exp())
		})
		if err != nil || strings.Join(got, " ") != want {
			t.Fatalf("%v, %v; want %s", got, err, want)
		}
		got, err = assigned(t, nil, func(x *tensor.Tensor) {
			cur, prev := x.Graph().Variable("Cur", tensor.State, nil, array.Float32, 2), x.Graph().Variable("Prev", tensor.State, nil, array.Float32, 2)
			tensor.Assign(prev, cur)
			tensor.Assign(cur, x.Exp())
		})
		if err != nil || strings.Join(got, " ") != want {
			t.Fatalf("%v, %v; want %s", got, err, want)
		}
	}
}

// TestAssign_RefusesWhatItCannotKnow: two variables have the value that should be set.
func TestAssign_RefusesWhatItCannotKnow(t *testing.T) {
	_, err := assigned(t, nil, func(x *tensor.Tensor) {
		y := x.Exp()
		tensor.Assign(x.Graph().Variable("a", tensor.State, nil, array.Float32, 2), y)
		tensor.Assign(x.Graph().Variable("b", tensor.State, nil, array.Float32, 2), y)
		tensor.Assign(y, x)
	})
	if err == nil || !strings.Contains(err.Error(), "both a and b") {
		t.Errorf("error is %v", err)
	}
	_, err = assigned(t, nil, func(x *tensor.Tensor) { x.Graph().SetVariable("none", x) })
	if err == nil || !strings.Contains(err.Error(), "none") {
		t.Errorf("error is %v", err)
	}
}
