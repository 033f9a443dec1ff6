package optim_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"strings"
	"testing"

	"github.com/kun-ml/kun/array"
	"github.com/kun-ml/kun/device/cpu"
	"github.com/kun-ml/kun/internal/golden"
	"github.com/kun-ml/kun/optim"
	"github.com/kun-ml/kun/tensor"
)

type goldenOptimizer struct {
	Case, Class string
	Config      map[string]any
	Args        map[string]any
	Schedule    any
	Initial     []*golden.Tensor
	Grads       [][]*golden.Tensor
	AfterStep   [][]*golden.Tensor `json:"after_step"`
}

// serialized joins the configuration, the arguments that were given and the schedule.
func (c *goldenOptimizer) serialized(t *testing.T) golden.Serialized {
	all := map[string]any{}
	maps.Copy(all, c.Config)
	maps.Copy(all, c.Args)
	if c.Schedule != nil {
		all["learning_rate"] = c.Schedule
	}
	b, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	return golden.Serialized{Class: c.Class, Config: b}
}

// goldenTolerance is relative to 1 + |value|, over 12 steps. Keras computes the bias corrections in float32, where
// 1 - 0.999 has four digits less.
const goldenTolerance = 1e-5

func TestOptimizers_GoldenKeras(t *testing.T) {
	var cases []goldenOptimizer
	golden.Read(t, "optimizers.json", &cases)
	tally, devices := golden.NewTally(), golden.Devices(t)
	for i := range cases {
		c := &cases[i]
		o, why := golden.Optimizer(t, c.serialized(t))
		if o == nil {
			tally.Later[why]++
			continue
		}
		pass := true
		for _, d := range devices {
			pass = t.Run(d.Name()+"/"+c.Case, func(t *testing.T) {
				names := []string{"Kernel", "Bias"}
				values := map[string]*array.Array{}
				var like []*array.Array
				for k, n := range names {
					values[n] = c.Initial[k].Array(t)
					like = append(like, values[n])
				}
				p := golden.Compile(t, d, tensor.Options{}, values, like, func(in []*tensor.Tensor) []*tensor.Tensor {
					var ws []*tensor.Tensor
					for k, n := range names {
						ws = append(ws, in[0].Graph().Variable(n, tensor.Weight, nil, array.Float32, in[k].Shape()...))
					}
					optim.Apply(o, nil, ws, in)
					return nil
				})
				for s := range c.Grads {
					var in []*array.Array
					for _, g := range c.Grads[s] {
						in = append(in, g.Array(t))
					}
					p.Run(t, int64(s), in...)
					for k, n := range names {
						golden.Near(t, fmt.Sprintf("%s after step %d", n, s), p.Vars[n].Value, c.AfterStep[s][k].Array(t), goldenTolerance)
					}
				}
			}) && pass
		}
		tally.Add(c.Class, pass)
	}
	tally.Log(t, "optimizers", "SGD", "RMSprop", "Adam", "AdamW")
}

func TestSchedules_GoldenKeras(t *testing.T) {
	var cases []struct {
		Case, Class string
		Args        json.RawMessage
		Steps       []int64
		Values      []float64
	}
	golden.Read(t, "schedules.json", &cases)
	tally := golden.NewTally()
	for _, c := range cases {
		s := golden.Schedule(t, golden.Serialized{Class: c.Class, Config: c.Args})
		if s == nil {
			tally.Later[c.Class]++
			continue
		}
		pass := true
		for i, step := range c.Steps {
			if got := s.At(step); !(math.Abs(got-c.Values[i]) <= 1e-6*math.Abs(c.Values[i])+1e-9) {
				t.Errorf("%s: step %d: %.9g, want %.9g", c.Case, step, got, c.Values[i])
				pass = false
			}
		}
		tally.Add(c.Class, pass)
	}
	tally.Log(t, "schedules", "ExponentialDecay", "CosineDecay")
}

func TestMatch(t *testing.T) {
	for _, c := range []struct {
		pattern, path string
		want          bool
	}{
		{"Bias", "Bias", true}, {"Bias", "Head.Bias", false}, {"**.Bias", "Bias", true}, {"**.Bias", "Blocks.3.Up.Bias", true},
		{"**.Bias", "Head.BiasOf", false}, {"**.Bias", "NoBias", false}, {"*.Bias", "Head.Bias", true}, {"*.Bias", "A.B.Bias", false},
		{"Backbone.**", "Backbone.Conv.Kernel", true}, {"Backbone.**", "BackboneB.Kernel", false}, {"**", "a.b.c", true},
		{"**.{Bias,Gain}", "Norm.Gain", true}, {"**.{Bias,Gain}", "Norm.Kernel", false}, {"{A.**,B.*}", "A.x.y", true},
		{"{A.**,B.*}", "B.x.y", false}, {"A.**.K", "A.K", true}, {"A.**.K", "A.b.c.K", true}, {"A.**.K", "AK", false},
		{"Block*.K", "Block12.K", true}, {"a+b", "a+b", true}, {"a+b", "aab", false}, {"A.{B.{C,D},E}", "A.B.D", true},
		{"", "", false}, {"{a", "a", false}, {"a}", "a}", false}, {"0.*", "0.Kernel", true}, {"ä.*", "ä.ö", true},
	} {
		if got := optim.Match(c.pattern, c.path); got != c.want {
			t.Errorf("Match(%q, %q) is %v", c.pattern, c.path, got)
		}
	}
	for _, bad := range []string{"", "{a", "a}", "{{a}", strings.Repeat("a", 1001), "\xff"} {
		if optim.CheckPattern(bad) == nil {
			t.Errorf("pattern %q is no error", bad)
		}
	}
}

// train fits w (3,1) and bias (1) to y = x w by the given optimizer and gives the loss of every step and the variables.
func train(t testing.TB, o optim.Optimizer, c *optim.Control, steps int) ([]float64, map[string]*tensor.Var) {
	t.Helper()
	d := cpu.New(cpu.Options{Threads: 1})
	defer d.Close()
	x := array.From([]float32{1, 2, 3, 0, 1, -1, 2, -1, 0.5, -1, 0, 1, 1, 1, 1, -2, 1, 0.3}, 6, 3)
	y := array.New(array.Float32, 6, 1)
	for i := range 6 {
		r := array.Data[float32](x)[3*i:]
		array.Data[float32](y)[i] = 2*r[0] - r[1] + 0.5*r[2] + 0.25
	}
	p := golden.Compile(t, d, tensor.Options{}, nil, []*array.Array{x, y}, func(in []*tensor.Tensor) []*tensor.Tensor {
		w := in[0].Graph().Variable("Kernel", tensor.Weight, nil, array.Float32, 3, 1)
		b := in[0].Graph().Variable("Bias", tensor.Weight, nil, array.Float32, 1)
		loss := in[0].MatMul(w).Add(b).Sub(in[1]).Square().Mean()
		optim.Apply(o, c, []*tensor.Tensor{w, b}, tensor.Grad(loss, w, b))
		return []*tensor.Tensor{loss}
	})
	var losses []float64
	for s := range steps {
		losses = append(losses, p.Run(t, int64(s), x, y)[0].Float64s()[0])
	}
	return losses, p.Vars
}

var converging = map[string]optim.Optimizer{
	"sgd":            optim.SGD{LearningRate: 0.1},
	"momentum":       optim.SGD{LearningRate: 0.05, Momentum: 0.9},
	"nesterov":       optim.SGD{LearningRate: 0.05, Momentum: 0.9, Nesterov: true},
	"rmsprop":        optim.RMSprop{Schedule: optim.Exponential{Initial: 0.05, Steps: 50, Rate: 0.5}},
	"rmsprop plus":   optim.RMSprop{Schedule: optim.Cosine{Peak: 0.01, Steps: 400}, Momentum: 0.5, Centered: true},
	"adam":           optim.Adam{LearningRate: 0.1},
	"adam, clipped":  optim.Adam{LearningRate: 0.1, GlobalClipNorm: 1},
	"amsgrad":        optim.Adam{LearningRate: 0.2, AMSGrad: true},
	"adamw, decay 0": optim.AdamW{LearningRate: 0.1, WeightDecay: optim.Zero},
}

func TestOptimizers_Converge(t *testing.T) {
	for name, o := range converging {
		losses, vars := train(t, o, nil, 400)
		if last := losses[len(losses)-1]; !(last < 1e-3) || losses[0] < 1 {
			t.Errorf("%s: loss goes from %v to %v", name, losses[0], last)
		}
		for i, want := range []float64{2, -1, 0.5} {
			if got := vars["Kernel"].Value.Float64s()[i]; math.Abs(got-want) > 0.05 {
				t.Errorf("%s: weight %d is %v, want %v", name, i, got, want)
			}
		}
	}
}

func TestOptimizers_Deterministic(t *testing.T) {
	for name, o := range converging {
		_, a := train(t, o, nil, 20)
		_, b := train(t, o, nil, 20)
		for path, v := range a {
			if string(v.Value.Bytes()) != string(b[path].Value.Bytes()) {
				t.Errorf("%s: %s differs between two runs", name, path)
			}
		}
	}
}

func TestControl_MultipliesTheRate(t *testing.T) {
	var c optim.Control
	if c.Factor() != 1 || (*optim.Control)(nil).Factor() != 1 {
		t.Errorf("a fresh factor is %v", c.Factor())
	}
	for _, f := range []float64{0.5, 1, 0} {
		c.SetFactor(f)
		if c.Factor() != f {
			t.Errorf("factor %v, want %v", c.Factor(), f)
		}
	}
	c.SetFactor(0.5)
	for _, pair := range [][2]optim.Optimizer{
		{optim.SGD{LearningRate: 0.1, WeightDecay: 0.1}, optim.SGD{LearningRate: 0.05, WeightDecay: 0.1}},
		{optim.AdamW{LearningRate: 0.1}, optim.AdamW{LearningRate: 0.05}},
		{optim.RMSprop{Schedule: optim.Constant{Rate: 0.1}}, optim.RMSprop{LearningRate: 0.05}},
	} {
		_, half := train(t, pair[0], &c, 5)
		_, want := train(t, pair[1], nil, 5)
		golden.Near(t, fmt.Sprintf("%T", pair[0]), half["Kernel"].Value, want["Kernel"].Value, 1e-7)
	}
}

func TestLearningRate(t *testing.T) {
	for _, c := range []struct {
		o    optim.Optimizer
		want float64
	}{
		{optim.SGD{}, 0.01}, {optim.Adam{}, 0.001}, {optim.AdamW{LearningRate: optim.Zero}, 0}, {optim.RMSprop{LearningRate: 3}, 3},
		{optim.Adam{LearningRate: 3, Schedule: optim.Exponential{Initial: 8, Steps: 1, Rate: 0.5}}, 2},
	} {
		if got := optim.LearningRate(c.o, 2); got != c.want {
			t.Errorf("%#v: %v, want %v", c.o, got, c.want)
		}
	}
}
