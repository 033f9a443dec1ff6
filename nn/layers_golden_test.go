package nn_test

import (
	"encoding/json"
	"fmt"
	"math"
	"path"
	"testing"

	"github.com/kun-ml/kun/array"
	"github.com/kun-ml/kun/device"
	"github.com/kun-ml/kun/nn"
	"github.com/kun-ml/kun/tensor"
)

type goldenLayer struct {
	Case, Class string
	Args        json.RawMessage
	Training    bool
	Inputs      []*goldenTensor
	Weights     []struct {
		Path      string
		Trainable bool
		Value     goldenTensor
	}
	Outputs     []*goldenTensor
	Upstream    []*goldenTensor
	InputGrads  []*goldenTensor `json:"input_grads"`
	WeightGrads []*goldenTensor `json:"weight_grads"`
	Losses      []float64
}

// layerArgs are the constructor arguments of Keras that the cases give.
type layerArgs struct {
	Units             int
	Activation        string
	UseBias           *bool  `json:"use_bias"`
	KernelRegularizer string `json:"kernel_regularizer"`
	BiasRegularizer   string `json:"bias_regularizer"`
	InputDim          int    `json:"input_dim"`
	OutputDim         int    `json:"output_dim"`
	MaskZero          bool   `json:"mask_zero"`
	TargetShape       []int  `json:"target_shape"`
	Rate              float64
}

// kerasLayer is our layer for a case, and our names of its weights; nil for a class of a later release.
func kerasLayer(t *testing.T, c *goldenLayer) (nn.Layer, map[string]string) {
	var a layerArgs
	switch c.Class {
	case "Dense", "Embedding", "Flatten", "Reshape", "Dropout", "Activation":
	default:
		return nil, nil
	}
	strict(t, c.Args, &a)
	switch c.Class {
	case "Dense":
		d := &nn.Dense{Units: a.Units, Activation: nn.Activation(a.Activation), NoBias: a.UseBias != nil && !*a.UseBias}
		var err error
		if a.KernelRegularizer != "" {
			if d.KernelRegularizer, err = nn.Regularizers.Make(a.KernelRegularizer); err != nil {
				t.Fatal(err)
			}
		}
		if a.BiasRegularizer != "" {
			if d.BiasRegularizer, err = nn.Regularizers.Make(a.BiasRegularizer); err != nil {
				t.Fatal(err)
			}
		}
		return d, map[string]string{"kernel": "Kernel", "bias": "Bias"}
	case "Embedding":
		return &nn.Embedding{Size: a.InputDim, Units: a.OutputDim, MaskZero: a.MaskZero}, map[string]string{"embeddings": "Table"}
	case "Reshape":
		return &nn.Reshape{Shape: a.TargetShape}, nil
	case "Dropout":
		return &nn.Dropout{Rate: a.Rate}, nil
	case "Activation":
		act := nn.Activation(a.Activation)
		return &act, nil
	}
	return &nn.Flatten{}, nil
}

func TestLayers_GoldenKeras(t *testing.T) {
	var cases []goldenLayer
	readGolden(t, "layers.json", &cases)
	ran, left := map[string]int{}, map[string]int{}
	for i := range cases {
		c := &cases[i]
		l, names := kerasLayer(t, c)
		if l == nil {
			left[c.Class]++
			continue
		}
		for _, d := range devices() {
			t.Run(fmt.Sprintf("%s/%s", d.Name(), c.Case), func(t *testing.T) { checkLayer(t, d, c, l, names) })
		}
		ran[c.Class]++
	}
	count(t, "layers", ran, left)
}

func checkLayer(t *testing.T, d device.Device, c *goldenLayer, l nn.Layer, names map[string]string) {
	vars := map[string]*array.Array{}
	var weights []string
	for _, w := range c.Weights {
		n, ok := names[path.Base(w.Path)]
		if !ok {
			t.Fatalf("unexpected weight %s", w.Path)
		}
		vars[n] = w.Value.Array(t)
		weights = append(weights, n)
	}
	x := c.Inputs[0].Array(t)
	var losses int
	out := run(t, d, tensor.Options{Model: l, Training: c.Training}, vars, []*array.Array{x, c.Upstream[0].Array(t)}, func(in []*tensor.Tensor) []*tensor.Tensor {
		y := l.Forward(in[0])
		root := in[0].Graph().Trace()
		outs := []*tensor.Tensor{y}
		for _, p := range root.Losses {
			outs = append(outs, p.Value)
			losses++
		}
		var wrt []*tensor.Tensor
		if in[0].DType().IsFloat() {
			wrt = append(wrt, in[0])
		}
		for _, n := range weights {
			if root.Decl(n) == nil {
				t.Fatalf("the layer did not use %s", n)
			}
			wrt = append(wrt, root.Decl(n).Read())
		}
		return append(outs, tensor.Grad(y.Mul(in[1]).Sum(), wrt...)...)
	})
	near(t, "output", out[0], c.Outputs[0].Array(t), goldenValue)
	if losses != len(c.Losses) {
		t.Errorf("%d added losses, want %d", losses, len(c.Losses))
	}
	for i, l := range c.Losses {
		near(t, "loss", out[1+i], array.Scalar(float32(l)), goldenValue)
	}
	out = out[1+losses:]
	if x.DType().IsFloat() {
		near(t, "input gradient", out[0], c.InputGrads[0].Array(t), goldenGrad)
		out = out[1:]
	}
	for i, n := range weights {
		near(t, "gradient of "+n, out[i], c.WeightGrads[i].Array(t), goldenGrad)
	}
}

func TestActivations_GoldenKeras(t *testing.T) {
	var cases []struct {
		Name                 string
		Args                 map[string]any
		X, Y, Upstream, Grad goldenTensor
	}
	readGolden(t, "activations.json", &cases)
	ran, left := map[string]int{}, map[string]int{}
	for _, c := range cases {
		a := nn.Activation(c.Name)
		if c.Args["approximate"] == true {
			a = nn.GELUTanh
		}
		if a.UnmarshalText([]byte(a)) != nil {
			left[c.Name]++
			continue
		}
		for _, d := range devices() {
			t.Run(d.Name()+"/"+string(a), func(t *testing.T) {
				out := run(t, d, tensor.Options{}, nil, []*array.Array{c.X.Array(t), c.Upstream.Array(t)}, func(in []*tensor.Tensor) []*tensor.Tensor {
					y := a.Apply(in[0])
					return []*tensor.Tensor{y, tensor.Grad(y.Mul(in[1]).Sum(), in[0])[0]}
				})
				near(t, "value", out[0], c.Y.Array(t), goldenValue)
				near(t, "gradient", out[1], c.Grad.Array(t), goldenGrad)
			})
		}
		ran[string(a)]++
	}
	for _, n := range []nn.Activation{nn.ReLU, nn.Sigmoid, nn.Tanh, nn.Softmax, nn.Linear, nn.GELU, nn.GELUTanh, nn.SiLU, nn.ELU, nn.SELU, nn.LeakyReLU, nn.Softplus} {
		if ran[string(n)] == 0 {
			t.Errorf("no case of %s", n)
		}
	}
	count(t, "activations", ran, left)
}

func TestRegularizers_GoldenKeras(t *testing.T) {
	var cases []struct {
		Class string
		Args  struct{ L1, L2 float64 }
		X, Y  goldenTensor
	}
	readGolden(t, "constraints_regularizers.json", &cases)
	ran, left := map[string]int{}, map[string]int{}
	for _, c := range cases {
		var r nn.Regularizer
		switch c.Class {
		case "L1":
			r = nn.L1{Factor: c.Args.L1}
		case "L2":
			r = nn.L2{Factor: c.Args.L2}
		case "L1L2":
			r = nn.L1L2{L1: c.Args.L1, L2: c.Args.L2}
		default:
			left[c.Class]++
			continue
		}
		for _, d := range devices() {
			out := run(t, d, tensor.Options{}, nil, []*array.Array{c.X.Array(t)}, func(in []*tensor.Tensor) []*tensor.Tensor {
				return []*tensor.Tensor{r.Penalty(in[0])}
			})
			near(t, c.Class, out[0].Reshape(-1), c.Y.Array(t).Reshape(-1), goldenValue)
		}
		ran[c.Class]++
	}
	count(t, "regularizers", ran, left)
}

// TestInitializers_GoldenKeras compares the moments and bounds of a draw with those of Keras's draw of the same size:
// both lie around the formula's, the tolerances are five standard errors of the difference.
func TestInitializers_GoldenKeras(t *testing.T) {
	var cases []struct {
		Class               string
		Args                json.RawMessage
		Shape               array.Shape
		Mean, Std, Min, Max float64
	}
	readGolden(t, "initializers.json", &cases)
	ran := map[string]int{}
	for i, c := range cases {
		init := kerasInit(t, c.Class, c.Args)
		x := make([]float64, c.Shape.Size())
		init.Init(x, c.Shape, random(uint64(i)))
		n := float64(len(x))
		var sum, square float64
		low, high := math.Inf(1), math.Inf(-1)
		for _, v := range x {
			sum += v
			low, high = min(low, v), max(high, v)
		}
		mean := sum / n
		for _, v := range x {
			square += (v - mean) * (v - mean)
		}
		std := math.Sqrt(square / n)
		t.Run(fmt.Sprintf("%s_%v", c.Class, c.Shape), func(t *testing.T) {
			if d := math.Abs(mean - c.Mean); d > 7.1*c.Std/math.Sqrt(n)+1e-7 {
				t.Errorf("mean %v, Keras's %v", mean, c.Mean)
			}
			if d := math.Abs(std - c.Std); d > 7.1*c.Std/math.Sqrt(n)+1e-7 {
				t.Errorf("standard deviation %v, Keras's %v", std, c.Std)
			}
			// The extremes of a bounded draw lie near the bounds; those of a normal one wander with the sample.
			slack := 1e-3 * c.Max
			if c.Class == "RandomNormal" || c.Class == "Orthogonal" {
				slack = 1.5 * c.Std
			}
			if math.Abs(low-c.Min) > slack+1e-7 || math.Abs(high-c.Max) > slack+1e-7 {
				t.Errorf("bounds %v, %v; Keras's %v, %v", low, high, c.Min, c.Max)
			}
		})
		ran[c.Class]++
	}
	count(t, "initializers", ran, nil)
}

func kerasInit(t *testing.T, class string, args json.RawMessage) tensor.Initializer {
	simple := map[string]nn.Init{"Zeros": nn.Zeros, "Ones": nn.Ones, "GlorotUniform": nn.GlorotUniform, "GlorotNormal": nn.GlorotNormal,
		"HeUniform": nn.HeUniform, "HeNormal": nn.HeNormal, "LecunUniform": nn.LecunUniform, "LecunNormal": nn.LecunNormal}
	if i, ok := simple[class]; ok {
		return i
	}
	name := map[string]string{"Constant": "constant", "Identity": "identity", "RandomNormal": "random_normal", "RandomUniform": "random_uniform",
		"TruncatedNormal": "truncated_normal", "VarianceScaling": "variance_scaling", "Orthogonal": "orthogonal"}[class]
	init, err := nn.Initializers.Unmarshal([]byte(fmt.Sprintf(`{%q: %s}`, name, args)))
	if err != nil {
		t.Fatalf("%s: %v", class, err)
	}
	return init
}
