package tensortest

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/kun-ml/kun/array"
	"github.com/kun-ml/kun/device"
	"github.com/kun-ml/kun/device/cpu"
	"github.com/kun-ml/kun/device/ref"
	"github.com/kun-ml/kun/internal/rng"
	"github.com/kun-ml/kun/nn"
	"github.com/kun-ml/kun/program"
	"github.com/kun-ml/kun/tensor"
)

// Layer checks what a layer must keep, for each of the given inputs. A case holds the type of one input whose first axis is
// the batch, of at least two rows, and the range of its values: tensor.Case{In: []tensor.Type{tensor.F(3, 5)}}.
//
//   - It traces in training and at inference, and its output has as many rows as its input.
//   - Its gradient by the input and by every weight is that of finite differences in float64, in training and at inference.
//   - At inference a row alone gives the bits that it gives among others, on the CPU and by the reference.
//   - The CPU agrees with the reference, and gives the same bits twice and with any number of threads.
//   - The trace holds for any batch size: bound to another one, the general form computes what a trace at that size does.
//   - Its configuration goes through JSON, where its type is registered, and the copy computes the same.
//   - With weights in bfloat16 it gives floats near those of float32, and gradients of the float32 weights.
//
// The layer's own parameters are not touched.
func Layer(t *testing.T, l nn.Layer, cases ...tensor.Case) {
	t.Helper()
	if len(cases) == 0 {
		t.Fatal("tensortest: Layer: no case")
	}
	for _, c := range cases {
		if len(c.In) != 1 || len(c.In[0].Shape) == 0 || c.In[0].Shape[0] < 2 {
			t.Fatalf("tensortest: Layer: a case has one input of at least two rows, not %v", c.In)
		}
		s := &layerSuite{l: l, c: c, x: Values(c, 1)[0]}
		t.Run(fmt.Sprint(c.In[0]), func(t *testing.T) {
			for _, training := range []bool{false, true} {
				name := map[bool]string{false: "inference", true: "training"}[training]
				t.Run("gradient at "+name, func(t *testing.T) { s.gradient(t, training) })
				t.Run("devices at "+name, func(t *testing.T) { s.devices(t, training) })
			}
			t.Run("row", s.rows)
			t.Run("batch size", s.general)
			t.Run("configuration", s.configuration)
			t.Run("bfloat16", s.half)
		})
	}
}

// layerSuite is a layer with one input.
type layerSuite struct {
	l nn.Layer
	c tensor.Case
	x *array.Array
}

// trace records the layer at a batch size: its output, then the losses that it added.
func (s *layerSuite) trace(l nn.Layer, batch int, o tensor.Options, more func(x, y *tensor.Tensor) []*tensor.Tensor) (*tensor.Graph, error) {
	shape := s.c.In[0].Shape.Clone()
	shape[0] = batch
	d := s.c.In[0].DType
	if o.Compute != array.Invalid && d.IsFloat() {
		d = o.Compute
	}
	o.Model = l
	return tensor.Trace(o, func(in []*tensor.Tensor) []*tensor.Tensor {
		y := l.Forward(in[0])
		out := []*tensor.Tensor{y}
		for _, p := range in[0].Graph().Trace().Losses {
			out = append(out, p.Value)
		}
		if more != nil {
			out = append(out, more(in[0], y)...)
		}
		return out
	}, tensor.Spec{Name: "x", DType: d, Shape: shape})
}

func (s *layerSuite) mustTrace(t *testing.T, batch int, o tensor.Options) *tensor.Graph {
	t.Helper()
	g, err := s.trace(s.l, batch, o, nil)
	if err != nil {
		t.Fatal(err)
	}
	if y := g.Outs[0]; y.Rank() == 0 || y.Dim(0) != batch {
		t.Fatalf("%d rows in, an output of shape %v", batch, y.Shape())
	}
	return g
}

// values makes variables of their own for a graph: what their initialiser draws, moved a little so that none stays 0.
func values(g *tensor.Graph, d array.DType) map[string]*tensor.Var {
	vars := map[string]*tensor.Var{}
	for _, v := range g.Trace().Decls {
		x := make([]float64, v.Type.Shape.Size())
		r := rand.New(rng.New(1, v.Path))
		if v.Init != nil {
			v.Init.Init(x, v.Type.Shape, r)
		}
		if v.Role == tensor.Weight {
			for i := range x {
				x[i] = float64(float32(x[i] + 0.1*r.NormFloat64()))
			}
		}
		to := v.Type.DType
		if d != array.Invalid && to.IsFloat() {
			to = d
		}
		a := array.New(to, v.Type.Shape...)
		a.SetFloat64s(x)
		vars[v.Path] = tensor.NewVar(v.Path, v.Role, a)
	}
	return vars
}

// compute runs a graph once. Outputs are float64 by the reference and of their own type elsewhere.
func compute(t *testing.T, d device.Device, g *tensor.Graph, vars map[string]*tensor.Var, in ...*array.Array) []*array.Array {
	t.Helper()
	exe, err := d.Compile(g)
	if err != nil {
		t.Fatal(err)
	}
	inst, err := exe.Instance(vars)
	if err != nil {
		t.Fatal(err)
	}
	out := make([]*array.Array, len(g.Outs))
	for i, o := range g.Outs {
		out[i] = array.New(o.DType(), o.Shape()...)
		if _, exact := d.(ref.Device); exact && o.DType().IsFloat() {
			out[i] = array.New(array.Float64, o.Shape()...)
		}
	}
	if err := inst.Run(&device.Run{Inputs: in, Outputs: out, Seed: 1, Step: 3}); err != nil {
		t.Fatal(err)
	}
	return out
}

// input is some rows of x in the element type that a graph wants.
func (s *layerSuite) input(g *tensor.Graph, from, to int) *array.Array {
	return s.x.Rows(from, to).Clone().To(g.Inputs[0].DType())
}

// gradient compares with a central difference in one random direction. The reference computes in float64 whatever the
// declared types are.
func (s *layerSuite) gradient(t *testing.T, training bool) {
	var wrt []*tensor.Tensor
	var paths []string
	g, err := s.trace(s.l, s.x.Dim(0), tensor.Options{Training: training}, func(x, y *tensor.Tensor) []*tensor.Tensor {
		if !y.DType().IsFloat() {
			return nil
		}
		sum := y.Mul(tensor.Const(y, normal(y.Shape(), 5).To(y.DType()))).Sum()
		for _, p := range x.Graph().Trace().Losses {
			sum = sum.Add(p.Value.Cast(sum.DType()))
		}
		if x.DType().IsFloat() {
			wrt, paths = append(wrt, x), append(paths, "")
		}
		for _, d := range x.Graph().Trace().Decls {
			if d.Role == tensor.Weight {
				wrt, paths = append(wrt, d.Read()), append(paths, d.Path)
			}
		}
		if len(wrt) == 0 {
			return nil
		}
		return append([]*tensor.Tensor{sum}, tensor.Grad(sum, wrt...)...)
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(wrt) == 0 {
		return
	}
	at := len(g.Outs) - len(wrt) - 1 // of the sum
	vars, x := values(g, array.Float64), s.x
	if x.DType().IsFloat() {
		x = x.To(array.Float64)
	}
	r := rand.New(rand.NewPCG(3, 17))
	dirs := make([][]float64, len(wrt))
	for i, w := range wrt {
		dirs[i] = make([]float64, w.Shape().Size())
		for j := range dirs[i] {
			dirs[i][j] = r.NormFloat64()
		}
	}
	eval := func(h float64) []*array.Array {
		in, moved := x.Clone(), map[string]*tensor.Var{}
		for p, v := range vars {
			moved[p] = tensor.NewVar(p, v.Role, v.Value.Clone())
		}
		for i, p := range paths {
			a := in
			if p != "" {
				a = moved[p].Value
			}
			for j, d := range dirs[i] {
				array.Data[float64](a)[j] += h * d
			}
		}
		return compute(t, ref.New(), g, moved, in)
	}
	const h = 1e-5
	want := (eval(h)[at].Float64s()[0] - eval(-h)[at].Float64s()[0]) / (2 * h)
	got, scale := 0.0, 1.0
	for i, a := range eval(0)[at+1:] {
		for j, d := range a.Float64s() {
			got += d * dirs[i][j]
			scale += math.Abs(d * dirs[i][j])
		}
	}
	if !(math.Abs(got-want) <= layerTolerance*scale) {
		t.Errorf("the gradient along a direction is %v, by differences %v", got, want)
	}
}

// layerTolerance is wider than gradTolerance: a layer is a chain of operations, and its rounding errors over h = 1e-5 add up.
const layerTolerance = 1e-5

// nearTolerance is how far float32 on the CPU may lie from the reference, relative to 1 + |value|.
const nearTolerance = 2e-5

// devices compares the CPU with the reference and with itself.
func (s *layerSuite) devices(t *testing.T, training bool) {
	g := s.mustTrace(t, s.x.Dim(0), tensor.Options{Training: training})
	x := s.input(g, 0, s.x.Dim(0))
	want := compute(t, ref.New(), g, values(g, array.Invalid), x)
	var first []*array.Array
	for _, threads := range []int{1, 2, 2, 3} {
		d := cpu.New(cpu.Options{Threads: threads})
		got := compute(t, d, program.Optimize(g), values(g, array.Invalid), x)
		d.Close()
		for i := range got {
			near(t, fmt.Sprintf("output %d on the CPU", i), got[i], want[i], nearTolerance)
			if first != nil && !bytes.Equal(got[i].Bytes(), first[i].Bytes()) {
				t.Errorf("output %d has other bits in another run, on %d threads", i, threads)
			}
		}
		first = got
	}
}

func near(t *testing.T, what string, got, want *array.Array, tol float64) {
	t.Helper()
	g, w := got.Float64s(), want.Float64s()
	for i := range w {
		if !(math.Abs(g[i]-w[i]) <= tol*(1+math.Abs(w[i]))) && !(g[i] != g[i] && w[i] != w[i]) && g[i] != w[i] {
			t.Errorf("%s: element %d is %v, want %v", what, i, g[i], w[i])
			return
		}
	}
}

// rows compares each row alone with the same row in the batch.
func (s *layerSuite) rows(t *testing.T) {
	n := s.x.Dim(0)
	all, one := s.mustTrace(t, n, tensor.Options{}), s.mustTrace(t, 1, tensor.Options{})
	vars := values(all, array.Invalid)
	c := cpu.New(cpu.Options{Threads: 2})
	defer c.Close()
	for _, d := range []device.Device{ref.New(), c} {
		batch := compute(t, d, program.Optimize(all), vars, s.input(all, 0, n))[0]
		for i := range n {
			row := compute(t, d, program.Optimize(one), vars, s.input(one, i, i+1))[0]
			if !bytes.Equal(row.Bytes(), batch.Rows(i, i+1).Bytes()) {
				t.Errorf("%s: row %d alone has other bits than among %d", d.Name(), i, n)
			}
		}
	}
}

// general derives the program for any batch size and compares it at one that was not sampled.
func (s *layerSuite) general(t *testing.T) {
	for _, training := range []bool{false, true} {
		o := tensor.Options{Training: training}
		p, err := program.Generalise(func(batch int) (*tensor.Graph, error) { return s.trace(s.l, batch, o, nil) })
		if err != nil {
			t.Fatal(err)
		}
		n := s.x.Dim(0)
		bound, err := p.Bind(n)
		if err != nil {
			t.Fatal(err)
		}
		g := s.mustTrace(t, n, o)
		vars, x := values(g, array.Invalid), s.input(g, 0, n)
		want, got := compute(t, ref.New(), g, vars, x), compute(t, ref.New(), bound, vars, x)
		for i := range want {
			near(t, fmt.Sprintf("output %d of the general program", i), got[i], want[i], 0)
		}
	}
}

// configuration writes the layer as JSON and reads it.
func (s *layerSuite) configuration(t *testing.T) {
	if nn.Layers.NameOf(s.l) == "" {
		t.Skipf("the type %T is not registered", s.l)
	}
	b, err := nn.Marshal(s.l)
	if err != nil {
		t.Fatal(err)
	}
	back, err := nn.Unmarshal(b)
	if err != nil {
		t.Fatalf("%s: %v", b, err)
	}
	if again, err := nn.Marshal(back); err != nil || !bytes.Equal(again, b) {
		t.Fatalf("%s becomes %s, %v", b, again, err)
	}
	n := s.x.Dim(0)
	g := s.mustTrace(t, n, tensor.Options{})
	h, err := s.trace(back, n, tensor.Options{}, nil)
	if err != nil {
		t.Fatalf("%s: %v", b, err)
	}
	if program.Dump(g) != program.Dump(h) {
		t.Errorf("%s: the copy computes\n%swant\n%s", b, program.Dump(h), program.Dump(g))
	}
}

// halfTolerance is how far an output may lie from that of float32, relative to the largest output: bfloat16 has 8 bits.
const halfTolerance = 0.05

// half runs the layer on the CPU with weights and inputs in bfloat16.
func (s *layerSuite) half(t *testing.T) {
	n := s.x.Dim(0)
	full := s.mustTrace(t, n, tensor.Options{})
	if !full.Outs[0].DType().IsFloat() {
		t.Skip("the output is not floating-point")
	}
	g, err := s.trace(s.l, n, tensor.Options{Compute: array.BFloat16}, func(x, y *tensor.Tensor) []*tensor.Tensor {
		var out []*tensor.Tensor
		for _, d := range x.Graph().Trace().Decls {
			if d.Role == tensor.Weight {
				out = append(out, tensor.Grad(y.Cast(array.Float32).Sum(), d.Read())[0])
			}
		}
		return out
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range g.Outs[1:] {
		if o.DType() != array.Float32 {
			t.Errorf("a loss or the gradient of a weight is %v, want float32", o.Type())
		}
	}
	if d := g.Outs[0].DType(); d != array.BFloat16 && d != array.Float32 {
		t.Errorf("the output is %v", d)
	}
	c := cpu.New(cpu.Options{Threads: 1})
	defer c.Close()
	want := compute(t, ref.New(), full, values(full, array.Invalid), s.input(full, 0, n))[0].Float64s()
	most := 1e-3
	for _, v := range want {
		most = max(most, math.Abs(v))
	}
	for i, v := range compute(t, c, program.Optimize(g), values(g, array.Invalid), s.input(g, 0, n))[0].Float64s() {
		if !(math.Abs(v-want[i]) <= halfTolerance*most) {
			t.Errorf("element %d is %v in bfloat16, %v in float32", i, v, want[i])
			break
		}
	}
}
