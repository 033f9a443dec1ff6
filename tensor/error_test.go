package tensor_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/kun-ml/kun/array"
	"github.com/kun-ml/kun/tensor"
)

type weight struct{ cell tensor.Cell }

func (w *weight) Cell() *tensor.Cell { return &w.cell }

type layer struct {
	Kernel weight
	Units  int
}

func (l *layer) Forward(x *tensor.Tensor) *tensor.Tensor {
	return x.MatMul(l.Kernel.cell.Declare(x, tensor.Weight, nil, array.Float32, 6, l.Units))
}

type net struct {
	Up, Down layer
	Many     []*layer
	hidden   layer
	Any      any
}

func traceNet(m *net, f func(x *tensor.Tensor) *tensor.Tensor) error {
	_, err := tensor.Trace(tensor.Options{Model: m}, func(in []*tensor.Tensor) []*tensor.Tensor { return []*tensor.Tensor{f(in[0])} },
		tensor.Spec{DType: array.Float32, Shape: array.Shape{4, 6}})
	return err
}

func TestMistakes_AreErrorsThatNameThePlace(t *testing.T) {
	shared := &net{Up: layer{Units: 6}, Down: layer{Units: 3}, hidden: layer{Units: 2}, Many: []*layer{{Units: 6}}}
	for _, c := range []struct {
		name string
		m    *net
		f    func(x *tensor.Tensor) *tensor.Tensor
		want []string
	}{
		{"inner dimensions", shared, func(x *tensor.Tensor) *tensor.Tensor { return shared.Down.Forward(shared.Down.Forward(x)) },
			[]string{"MatMul", "inner dimensions 3 and 6 differ", "Down", "error_test.go", "(4, 3)"}},
		{"unexported", shared, func(x *tensor.Tensor) *tensor.Tensor { return shared.hidden.Forward(x) },
			[]string{"hidden.Kernel is unexported", "export it"}},
		{"local", shared, func(x *tensor.Tensor) *tensor.Tensor { return (&layer{Units: 2}).Forward(x) },
			[]string{"not part of the model"}},
		{"by value in an interface", &net{Any: layer{Units: 2}}, func(x *tensor.Tensor) *tensor.Tensor { return x },
			[]string{"Any holds a tensor_test.layer by value"}},
		{"two shapes", shared, func(x *tensor.Tensor) *tensor.Tensor {
			y := shared.Up.Forward(x)
			shared.Up.Units = 5
			defer func() { shared.Up.Units = 6 }()
			return shared.Up.Forward(y)
		}, []string{"Up.Kernel", "(6, 6) before", "(6, 5) now"}},
		{"broadcast", shared, func(x *tensor.Tensor) *tensor.Tensor { return x.Add(x.Slice(1, 0, 4)) }, []string{"Add", "do not broadcast"}},
		{"axis", shared, func(x *tensor.Tensor) *tensor.Tensor { return x.Sum(2) }, []string{"Sum", "axis 2 is out of range"}},
		{"gradient of an integer", shared, func(x *tensor.Tensor) *tensor.Tensor {
			i := x.Cast(array.Int32)
			return tensor.Grad(x.Sum(), i)[0]
		}, []string{"Grad", "int32 has no gradient"}},
	} {
		err := traceNet(c.m, c.f)
		if err == nil {
			t.Errorf("%s: no error", c.name)
			continue
		}
		for _, w := range c.want {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%s: the error lacks %q:\n%v", c.name, w, err)
			}
		}
	}
}

func TestTrace_LetsOtherPanicsPass(t *testing.T) {
	defer func() {
		if r := recover(); r != "mine" {
			t.Errorf("recovered %v", r)
		}
	}()
	_ = traceNet(&net{}, func(x *tensor.Tensor) *tensor.Tensor { panic("mine") })
}

func TestPaths_FollowTheWalk(t *testing.T) {
	m := &net{Up: layer{Units: 6}, Down: layer{Units: 3}, Many: []*layer{{Units: 6}}}
	m.Any = m.Many[0]
	var got []string
	g, err := tensor.Trace(tensor.Options{Model: m}, func(in []*tensor.Tensor) []*tensor.Tensor {
		return []*tensor.Tensor{m.Down.Forward(m.Many[0].Forward(m.Up.Forward(in[0])))}
	}, tensor.Spec{DType: array.Float32, Shape: array.Shape{4, 6}})
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range g.Trace().Decls {
		got = append(got, d.Path)
	}
	if s := strings.Join(got, " "); s != "Up.Kernel Many.0.Kernel Down.Kernel" {
		t.Errorf("paths are %s", s)
	}
	if a := g.Trace().Names().Aliases["Any.Kernel"]; a != "Many.0.Kernel" {
		t.Errorf("alias of the shared layer is %q", a)
	}
}

func TestCopiedLayer_IsAnError(t *testing.T) {
	m := &net{Up: layer{Units: 6}}
	use := func(m *net) error {
		return traceNet(m, func(x *tensor.Tensor) *tensor.Tensor { return m.Up.Forward(x) })
	}
	g, err := tensor.Trace(tensor.Options{Model: m}, func(in []*tensor.Tensor) []*tensor.Tensor {
		return []*tensor.Tensor{m.Up.Forward(in[0])}
	}, tensor.Spec{DType: array.Float32, Shape: array.Shape{4, 6}})
	if err != nil {
		t.Fatal(err)
	}
	g.Trace().Decls[0].Materialise(1)
	if err := use(m); err != nil {
		t.Error(err)
	}
	var c net
	reflect.ValueOf(&c).Elem().Set(reflect.ValueOf(m).Elem()) // go vet would find c = *m
	if err := use(&c); err == nil || !strings.Contains(err.Error(), "copied") {
		t.Errorf("error is %v", err)
	}
}
