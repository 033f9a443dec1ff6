package optim_test

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/kun-ml/kun/array"
	"github.com/kun-ml/kun/device"
	"github.com/kun-ml/kun/device/cpu"
	"github.com/kun-ml/kun/internal/golden"
	"github.com/kun-ml/kun/optim"
	"github.com/kun-ml/kun/program"
	"github.com/kun-ml/kun/tensor"
)

// trace applies o to weights of the given paths, each of shape (2), with gradients that are inputs.
func trace(o optim.Optimizer, paths ...string) (*tensor.Graph, error) {
	var specs []tensor.Spec
	for range paths {
		specs = append(specs, tensor.Spec{DType: array.Float32, Shape: array.Shape{2}})
	}
	return tensor.Trace(tensor.Options{}, func(in []*tensor.Tensor) []*tensor.Tensor {
		var ws []*tensor.Tensor
		for _, p := range paths {
			ws = append(ws, in[0].Graph().Variable(p, tensor.Weight, nil, array.Float32, 2))
		}
		optim.Apply(o, nil, ws, in)
		return nil
	}, specs...)
}

func count(g *tensor.Graph, op string) int {
	n := 0
	for _, x := range g.Nodes {
		if x.Op.Name == op {
			n++
		}
	}
	return n
}

func TestApply_OneScalarAStepAndOnePassAWeight(t *testing.T) {
	for _, c := range []struct {
		o       optim.Optimizer
		scalars []string
		passes  int
	}{
		{optim.Adam{}, []string{"optimizer/alpha"}, 3},
		{optim.AdamW{}, []string{"optimizer/decay", "optimizer/alpha"}, 3},
		{optim.AdamW{WeightDecay: optim.Zero}, []string{"optimizer/alpha"}, 3},
		{optim.SGD{Momentum: 0.9, WeightDecay: 0.1}, []string{"optimizer/decay", "optimizer/rate"}, 0},
		{optim.RMSprop{}, []string{"optimizer/rate"}, 0},
	} {
		g, err := trace(c.o, "A.Kernel", "A.Bias", "B.Kernel")
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, s := range g.Trace().Scalars {
			names = append(names, s.Name)
		}
		if !slices.Equal(names, c.scalars) {
			t.Errorf("%T: scalars %v, want %v", c.o, names, c.scalars)
		}
		if n := count(g, "AdamUpdate"); n != c.passes {
			t.Errorf("%T: %d fused updates, want %d", c.o, n, c.passes)
		}
	}
}

func TestApply_SlotsHaveTheirPaths(t *testing.T) {
	for _, c := range []struct {
		o    optim.Optimizer
		want []string
	}{
		{optim.SGD{}, nil},
		{optim.SGD{Momentum: 0.5}, []string{"momentum"}},
		{optim.RMSprop{}, []string{"velocity"}},
		{optim.RMSprop{Centered: true, Momentum: 0.5}, []string{"average", "momentum", "velocity"}},
		{optim.Adam{}, []string{"m", "v"}},
		{optim.AdamW{AMSGrad: true}, []string{"m", "v", "vmax"}},
	} {
		g, err := trace(c.o, "Head.Kernel")
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, d := range g.Trace().Decls {
			if d.Role == tensor.Slot {
				got = append(got, strings.TrimPrefix(d.Path, "optimizer/Head.Kernel/"))
			}
		}
		slices.Sort(got)
		if !slices.Equal(got, c.want) {
			t.Errorf("%T: slots %v, want %v", c.o, got, c.want)
		}
	}
}

// TestApply_TwoOptimizersInOneTrace keeps their learning rates apart.
func TestApply_TwoOptimizersInOneTrace(t *testing.T) {
	one := array.From([]float32{1, 1}, 2)
	p := golden.Compile(t, golden.Devices(t)[0], tensor.Options{}, nil, []*array.Array{one}, func(in []*tensor.Tensor) []*tensor.Tensor {
		g := in[0].Graph()
		a, b := g.Variable("A", tensor.Weight, nil, array.Float32, 2), g.Variable("B", tensor.Weight, nil, array.Float32, 2)
		optim.Apply(optim.SGD{LearningRate: 0.5}, nil, []*tensor.Tensor{a}, in)
		optim.Apply(optim.SGD{LearningRate: 0.25}, nil, []*tensor.Tensor{b}, in)
		return nil
	})
	p.Run(t, 0, one)
	if a, b := p.Vars["A"].Value.Float64s()[0], p.Vars["B"].Value.Float64s()[0]; a != -0.5 || b != -0.25 {
		t.Errorf("steps of %v and %v, want -0.5 and -0.25", a, b)
	}
}

func TestNoDecay_LeavesMatchingWeightsAlone(t *testing.T) {
	for _, o := range []optim.Optimizer{
		optim.AdamW{LearningRate: 0.1, WeightDecay: 0.5, NoDecay: "**.{Bias,Gain}"},
		optim.AdamW{LearningRate: 0.1, WeightDecay: 0.5, NoDecay: "**.{Bias,Gain}", AMSGrad: true},
		optim.SGD{LearningRate: 0.1, WeightDecay: 0.5, NoDecay: "**.{Bias,Gain}"},
		optim.RMSprop{LearningRate: 0.1, WeightDecay: 0.5, NoDecay: "**.Bias"},
	} {
		zero, one := array.New(array.Float32, 2), array.From([]float32{1, 1}, 2)
		for _, d := range golden.Devices(t) {
			p := golden.Compile(t, d, tensor.Options{}, map[string]*array.Array{"A.Kernel": one, "A.Bias": one}, []*array.Array{zero, zero},
				func(in []*tensor.Tensor) []*tensor.Tensor {
					g := in[0].Graph()
					k, b := g.Variable("A.Kernel", tensor.Weight, nil, array.Float32, 2), g.Variable("A.Bias", tensor.Weight, nil, array.Float32, 2)
					optim.Apply(o, nil, []*tensor.Tensor{k, b}, in)
					return nil
				})
			p.Run(t, 0, zero, zero)
			golden.Near(t, "kernel", p.Vars["A.Kernel"].Value, array.From([]float32{0.95, 0.95}, 2), 1e-7)
			golden.Near(t, "bias", p.Vars["A.Bias"].Value, one, 0)
		}
	}
}

// TestClip_Precedence gives the gradient (3,4) and (6,8) to plain descent of rate 1.
func TestClip_Precedence(t *testing.T) {
	for _, c := range []struct {
		o    optim.SGD
		want [4]float64
	}{
		{optim.SGD{}, [4]float64{3, 4, 6, 8}},
		{optim.SGD{ClipNorm: 5}, [4]float64{3, 4, 3, 4}},
		{optim.SGD{ClipNorm: 5, GlobalClipNorm: 1, ClipValue: 1}, [4]float64{3, 4, 3, 4}},
		{optim.SGD{GlobalClipNorm: 11.180339887498949 / 2, ClipValue: 1}, [4]float64{1.5, 2, 3, 4}},
		{optim.SGD{GlobalClipNorm: 100}, [4]float64{3, 4, 6, 8}},
		{optim.SGD{ClipValue: 3.5}, [4]float64{3, 3.5, 3.5, 3.5}},
	} {
		c.o.LearningRate = 1
		in := []*array.Array{array.From([]float32{3, 4}, 2), array.From([]float32{6, 8}, 2)}
		for _, d := range golden.Devices(t) {
			p := golden.Compile(t, d, tensor.Options{}, nil, in, func(in []*tensor.Tensor) []*tensor.Tensor {
				g := in[0].Graph()
				optim.Apply(c.o, nil, []*tensor.Tensor{g.Variable("A", tensor.Weight, nil, array.Float32, 2), g.Variable("B", tensor.Weight, nil, array.Float32, 2)}, in)
				return nil
			})
			p.Run(t, 0, in...)
			got := append(p.Vars["A"].Value.Float64s(), p.Vars["B"].Value.Float64s()...)
			for i, w := range c.want {
				if d := got[i] + w; d > 1e-6 || d < -1e-6 {
					t.Errorf("%+v: %v, want minus %v", c.o, got, c.want)
					break
				}
			}
		}
	}
}

func TestApply_Errors(t *testing.T) {
	for _, c := range []struct {
		o    optim.Optimizer
		want []string
	}{
		{optim.AdamW{NoDecay: "**.Gain"}, []string{"NoDecay", `no weight matches "**.Gain"`, "A.Kernel A.Bias"}},
		{optim.AdamW{NoDecay: "{A"}, []string{"NoDecay", "{ has no }"}},
		{optim.Adam{LearningRate: -1}, []string{"optim.Adam", "LearningRate is -1"}},
		{optim.Adam{Beta1: 1}, []string{"below 1"}},
		{optim.AdamW{Beta2: 2}, []string{"AdamW", "Beta2 is 2"}},
		{optim.SGD{Momentum: 1.5}, []string{"Momentum is 1.5"}},
		{optim.RMSprop{Rho: -0.5}, []string{"Rho is -0.5"}},
		{optim.SGD{ClipNorm: -1}, []string{"ClipNorm is -1"}},
		{optim.SGD{Schedule: optim.Cosine{Peak: 1}}, []string{"Schedule", "Steps is 0"}},
		{optim.SGD{Schedule: optim.Exponential{Initial: 1, Rate: 0.5}}, []string{"Schedule", "Steps is 0"}},
		{optim.SGD{Schedule: optim.Constant{Rate: -1}}, []string{"Schedule", "Rate is -1"}},
	} {
		_, err := trace(c.o, "A.Kernel", "A.Bias")
		var shape *tensor.ShapeError
		if !errors.As(err, &shape) {
			t.Errorf("%+v: %v", c.o, err)
			continue
		}
		for _, w := range c.want {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%+v: %q lacks %q", c.o, err, w)
			}
		}
	}
}

// mine is an optimizer of a user's own, without settings.
type mine struct{}

func (mine) Update(s *optim.Slots, w, g *tensor.Tensor) *tensor.Tensor {
	n := s.Get("count").AddScalar(1)
	s.Set("count", n)
	return w.Sub(g.Mul(s.Scalar("rate", func(step int64) float64 { return float64(step) })).Mul(n))
}

func TestOptimizer_OfOnesOwn(t *testing.T) {
	one := array.From([]float32{1}, 1)
	for _, d := range golden.Devices(t) {
		p := golden.Compile(t, d, tensor.Options{}, nil, []*array.Array{one}, func(in []*tensor.Tensor) []*tensor.Tensor {
			optim.Apply(mine{}, nil, []*tensor.Tensor{in[0].Graph().Variable("W", tensor.Weight, nil, array.Float32, 1)}, in)
			return nil
		})
		for s := range 4 {
			p.Run(t, int64(s), one)
		}
		if got := p.Vars["W"].Value.Float64s()[0]; got != -(1*2 + 2*3 + 3*4) {
			t.Errorf("%s: %v", d.Name(), got)
		}
	}
	if optim.LearningRate(mine{}, 3) != 0 {
		t.Error("an optimizer without settings has a learning rate")
	}
}

func TestStep_AllocatesNothing(t *testing.T) {
	for _, o := range []optim.Optimizer{
		optim.AdamW{Schedule: optim.Cosine{Peak: 1, Steps: 100, Warmup: 3}, GlobalClipNorm: 1},
		optim.RMSprop{Schedule: optim.Exponential{Initial: 1, Steps: 3, Rate: 0.5}, Centered: true, Momentum: 0.5, ClipNorm: 1},
		optim.SGD{Momentum: 0.9, Nesterov: true, ClipValue: 1, WeightDecay: 0.1},
	} {
		g, err := trace(o, "A.Kernel", "A.Bias")
		if err != nil {
			t.Fatal(err)
		}
		d := cpu.New(cpu.Options{Threads: 1})
		exe, err := d.Compile(program.Optimize(g))
		if err != nil {
			t.Fatal(err)
		}
		if slow := exe.Stats().SlowOps; len(slow) > 0 {
			t.Errorf("%T: operations without a kernel: %v", o, slow)
		}
		vars := map[string]*tensor.Var{}
		for _, d := range g.Trace().Decls {
			vars[d.Path] = d.Materialise(1)
		}
		in, err := exe.Instance(vars)
		if err != nil {
			t.Fatal(err)
		}
		r := device.Run{Inputs: []*array.Array{array.New(array.Float32, 2), array.New(array.Float32, 2)}}
		if n := testing.AllocsPerRun(5, func() {
			if err := in.Run(&r); err != nil {
				t.Fatal(err)
			}
			r.Step++
		}); n > 0 {
			t.Errorf("%T: %v allocations a step", o, n)
		}
		d.Close()
	}
}

func TestRegistry_RoundTrip(t *testing.T) {
	for _, c := range []struct {
		o    optim.Optimizer
		want string
	}{
		{optim.Adam{}, `{"adam":{}}`},
		{optim.Adam{LearningRate: 0.01, Beta1: optim.Zero, AMSGrad: true}, `{"adam":{"learning_rate":0.01,"beta1":0,"amsgrad":true}}`},
		{optim.AdamW{WeightDecay: optim.Zero, NoDecay: "**.Bias", GlobalClipNorm: 1}, `{"adamw":{"weight_decay":0,"no_decay":"**.Bias","global_clip_norm":1}}`},
		{optim.SGD{Schedule: optim.Cosine{Peak: 0.1, Steps: 100, Warmup: 10}, Momentum: 0.9, Nesterov: true},
			`{"sgd":{"schedule":{"cosine":{"peak":0.1,"steps":100,"warmup":10}},"momentum":0.9,"nesterov":true}}`},
		{optim.SGD{Schedule: optim.Exponential{Initial: 0.1, Steps: 7, Rate: 0.5, Staircase: true}, ClipValue: 0.5},
			`{"sgd":{"schedule":{"exponential":{"initial":0.1,"steps":7,"rate":0.5,"staircase":true}},"clip_value":0.5}}`},
		{optim.RMSprop{Schedule: optim.Constant{Rate: 0.1}, Rho: 0.8, Epsilon: 1e-3, Centered: true, ClipNorm: 2},
			`{"rmsprop":{"schedule":{"constant":{"rate":0.1}},"rho":0.8,"epsilon":0.001,"centered":true,"clip_norm":2}}`},
	} {
		b, err := optim.Marshal(c.o)
		if err != nil || string(b) != c.want {
			t.Errorf("%+v: %s, %v; want %s", c.o, b, err, c.want)
			continue
		}
		back, err := optim.Unmarshal(b)
		if err != nil || !reflect.DeepEqual(back, c.o) {
			t.Errorf("%s: %+v, %v", b, back, err)
		}
	}
	if o, err := optim.Named("sgd"); err != nil || o != (optim.SGD{}) {
		t.Errorf("%v, %v", o, err)
	}
	for text, want := range map[string]string{
		`"adamax"`:                               `unknown optimizer "adamax"; did you mean "adam"?`,
		`{"adam":{"lr":1}}`:                      `adam: unknown key "lr"`,
		`{"sgd":{"schedule":{"cosin":{}}}}`:      `did you mean "cosine"?`,
		`{"sgd":{"momentum":"much"}}`:            `sgd.momentum: want a number`,
		`{"sgd":{"schedule":{"constant":null}}}`: `sgd.schedule.constant: want an object of settings`,
	} {
		if _, err := optim.Unmarshal([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}

func TestEveryRegisteredOptimizer_HasSettingsAndTakesAStep(t *testing.T) {
	for _, name := range optim.Optimizers.Names() {
		o, err := optim.Named(name)
		if err != nil {
			t.Fatal(err)
		}
		if c, ok := o.(optim.Configured); !ok || !(c.Settings().LearningRate > 0) {
			t.Errorf("%s: no learning rate", name)
		}
		if _, err := trace(o, "W"); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
