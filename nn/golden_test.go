package nn_test

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"path"
	"slices"
	"testing"

	"github.com/kun-ml/kun/array"
	"github.com/kun-ml/kun/device"
	"github.com/kun-ml/kun/internal/golden"
	"github.com/kun-ml/kun/nn"
	"github.com/kun-ml/kun/tensor"
)

type goldenLayer struct {
	Case, Class string
	Args        json.RawMessage
	Training    bool
	Mask        *golden.Tensor
	Inputs      []*golden.Tensor
	Weights     []struct {
		Path      string
		Trainable bool
		Value     golden.Tensor
	}
	Outputs     []*golden.Tensor
	Upstream    []*golden.Tensor
	InputGrads  []*golden.Tensor `json:"input_grads"`
	WeightGrads []*golden.Tensor `json:"weight_grads"`
	Losses      []float64
}

// layerArgs are the constructor arguments of Keras. Initialisers and constraints do not show in these cases.
type layerArgs struct {
	Units                 int
	Activation            string
	UseBias               *bool           `json:"use_bias"`
	KernelRegularizer     json.RawMessage `json:"kernel_regularizer"`
	BiasRegularizer       json.RawMessage `json:"bias_regularizer"`
	ActivityRegularizer   json.RawMessage `json:"activity_regularizer"`
	EmbeddingsRegularizer json.RawMessage `json:"embeddings_regularizer"`
	InputDim              int             `json:"input_dim"`
	OutputDim             int             `json:"output_dim"`
	MaskZero              bool            `json:"mask_zero"`
	TargetShape           []int           `json:"target_shape"`
	DataFormat            string          `json:"data_format"`
	Rate                  float64
	NoiseShape            []*int          `json:"noise_shape"`
	Seed                  *int            // of Dropout
	KernelInitializer     json.RawMessage `json:"kernel_initializer"`
	BiasInitializer       json.RawMessage `json:"bias_initializer"`
	EmbeddingsInitializer json.RawMessage `json:"embeddings_initializer"`
	KernelConstraint      json.RawMessage `json:"kernel_constraint"`
	BiasConstraint        json.RawMessage `json:"bias_constraint"`
	EmbeddingsConstraint  json.RawMessage `json:"embeddings_constraint"`
	Name                  string
	DType                 string
}

// kerasLayer is our layer for a case, and our names of its weights; nil for a class of a later release.
func kerasLayer(t *testing.T, c *goldenLayer) (nn.Layer, map[string]string) {
	var a layerArgs
	switch c.Class {
	case "Dense", "Embedding", "Flatten", "Reshape", "Dropout", "Activation":
	default:
		return nil, nil
	}
	golden.Strict(t, c.Args, &a)
	switch c.Class {
	case "Dense":
		return &nn.Dense{Units: a.Units, Activation: nn.Activation(a.Activation), NoBias: a.UseBias != nil && !*a.UseBias,
			KernelRegularizer: golden.Regularizer(t, a.KernelRegularizer), BiasRegularizer: golden.Regularizer(t, a.BiasRegularizer),
			ActivityRegularizer: golden.Regularizer(t, a.ActivityRegularizer)}, map[string]string{"kernel": "Kernel", "bias": "Bias"}
	case "Embedding":
		return &nn.Embedding{Size: a.InputDim, Units: a.OutputDim, MaskZero: a.MaskZero, TableRegularizer: golden.Regularizer(t, a.EmbeddingsRegularizer),
			ActivityRegularizer: golden.Regularizer(t, a.ActivityRegularizer)}, map[string]string{"embeddings": "Table"}
	case "Reshape":
		return &nn.Reshape{Shape: a.TargetShape}, nil
	case "Dropout":
		d := &nn.Dropout{Rate: a.Rate}
		for axis, n := range a.NoiseShape {
			if n != nil && *n == 1 {
				d.Shared = append(d.Shared, axis)
			}
		}
		return d, nil
	case "Activation":
		act := nn.Activation(a.Activation)
		return &act, nil
	}
	return &nn.Flatten{ChannelsFirst: a.DataFormat == "channels_first"}, nil
}

func TestLayers_GoldenKeras(t *testing.T) {
	var cases []goldenLayer
	golden.Read(t, "layers.json", &cases)
	tally, devices := golden.NewTally(), golden.Devices(t)
	for i := range cases {
		c := &cases[i]
		l, names := kerasLayer(t, c)
		if l == nil {
			tally.Later[c.Class]++
			continue
		}
		pass := true
		for _, d := range devices {
			pass = t.Run(fmt.Sprintf("%s/%s", d.Name(), c.Case), func(t *testing.T) { checkLayer(t, d, c, l, names) }) && pass
		}
		tally.Add(c.Class, pass)
	}
	tally.Log(t, "layers", "Dense", "Embedding", "Flatten", "Reshape", "Dropout", "Activation")
}

func checkLayer(t *testing.T, d device.Device, c *goldenLayer, l nn.Layer, names map[string]string) {
	vars := map[string]*array.Array{}
	var weights []string
	for _, w := range c.Weights {
		n, ok := names[path.Base(w.Path)]
		if !ok {
			if !w.Trainable { // the seed of a random layer
				continue
			}
			t.Fatalf("unexpected weight %s", w.Path)
		}
		vars[n] = w.Value.Array(t)
		weights = append(weights, n)
	}
	x := c.Inputs[0].Array(t)
	in := []*array.Array{x, c.Upstream[0].Array(t)}
	if c.Mask != nil {
		in = append(in, c.Mask.Array(t))
	}
	var losses int
	p := golden.Compile(t, d, tensor.Options{Model: l, Training: c.Training}, vars, in, func(in []*tensor.Tensor) []*tensor.Tensor {
		x := in[0]
		if len(in) > 2 {
			x = x.WithMask(in[2].Cast(array.Bool))
		}
		y := l.Forward(x)
		root := x.Graph().Trace()
		outs := []*tensor.Tensor{y}
		losses = len(root.Losses)
		for _, p := range root.Losses {
			outs = append(outs, p.Value)
		}
		var wrt []*tensor.Tensor
		if x.DType().IsFloat() {
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
	out := p.Run(t, 0, in...)
	golden.Near(t, "output", out[0], c.Outputs[0].Array(t), golden.Value)
	if losses != len(c.Losses) {
		t.Errorf("%d added losses, want %d", losses, len(c.Losses))
	}
	// Keras lists the penalty on the output before those on weights, and we as they come.
	ours, keras := make([]float64, losses), slices.Sorted(slices.Values(c.Losses))
	for i := range ours {
		ours[i] = out[1+i].Float64s()[0]
	}
	slices.Sort(ours)
	if losses == len(keras) && losses > 0 {
		golden.Near(t, "losses", array.From(ours, losses), array.From(keras, losses), golden.Value)
	}
	out = out[1+losses:]
	if x.DType().IsFloat() {
		if g := c.InputGrads[0]; g != nil {
			golden.Near(t, "input gradient", out[0], g.Array(t), golden.Grad)
		}
		out = out[1:]
	}
	for i, n := range weights {
		golden.Near(t, "gradient of "+n, out[i], c.WeightGrads[i].Array(t), golden.Grad)
	}
}

func TestActivations_GoldenKeras(t *testing.T) {
	var cases []struct {
		Name                 string
		Args                 map[string]any
		X, Y, Upstream, Grad golden.Tensor
	}
	golden.Read(t, "activations.json", &cases)
	tally, devices := golden.NewTally(), golden.Devices(t)
	for i, c := range cases {
		a := nn.Activation(c.Name)
		if c.Args["approximate"] == true {
			a = nn.GELUTanh
		}
		if err := a.UnmarshalText([]byte(a)); err != nil {
			tally.Later[c.Name]++
			continue
		}
		pass := true
		for _, d := range devices {
			pass = t.Run(fmt.Sprintf("%s/%d_%s", d.Name(), i, a), func(t *testing.T) {
				in := []*array.Array{c.X.Array(t), c.Upstream.Array(t)}
				out := golden.Compile(t, d, tensor.Options{}, nil, in, func(in []*tensor.Tensor) []*tensor.Tensor {
					y := a.Apply(in[0])
					return []*tensor.Tensor{y, tensor.Grad(y.Mul(in[1]).Sum(), in[0])[0]}
				}).Run(t, 0, in...)
				golden.Near(t, "value", out[0], c.Y.Array(t), golden.Value)
				golden.Near(t, "gradient", out[1], c.Grad.Array(t), golden.Grad)
			}) && pass
		}
		tally.Add(string(a), pass)
	}
	tally.Log(t, "activations", "relu", "sigmoid", "tanh", "softmax", "linear", "gelu", "gelu_tanh", "silu", "elu", "selu", "leaky_relu", "softplus")
}

func TestRegularizers_GoldenKeras(t *testing.T) {
	var cases []struct {
		Class string
		Args  struct{ L1, L2 float64 }
		X, Y  golden.Tensor
	}
	golden.Read(t, "constraints_regularizers.json", &cases)
	tally, devices := golden.NewTally(), golden.Devices(t)
	for i, c := range cases {
		var r nn.Regularizer
		switch c.Class {
		case "L1":
			r = nn.L1{Factor: c.Args.L1}
		case "L2":
			r = nn.L2{Factor: c.Args.L2}
		case "L1L2":
			r = nn.L1L2{L1: c.Args.L1, L2: c.Args.L2}
		default:
			tally.Later[c.Class]++
			continue
		}
		pass := true
		for _, d := range devices {
			pass = t.Run(fmt.Sprintf("%s/%d_%s", d.Name(), i, c.Class), func(t *testing.T) {
				x := c.X.Array(t)
				out := golden.Compile(t, d, tensor.Options{}, nil, []*array.Array{x}, func(in []*tensor.Tensor) []*tensor.Tensor {
					return []*tensor.Tensor{r.Penalty(in[0])}
				}).Run(t, 0, x)
				golden.Near(t, c.Class, out[0].Reshape(-1), c.Y.Array(t).Reshape(-1), golden.Value)
			}) && pass
		}
		tally.Add(c.Class, pass)
	}
	tally.Log(t, "regularizers", "L1", "L2", "L1L2")
}

// TestInitializers_GoldenKeras compares the moments and bounds of a draw with those of Keras's draw of the same size:
// both lie around the formula's, the tolerances are five standard errors of the difference.
func TestInitializers_GoldenKeras(t *testing.T) {
	var cases []struct {
		Class               string
		Args                map[string]any
		Shape               array.Shape
		Mean, Std, Min, Max float64
	}
	golden.Read(t, "initializers.json", &cases)
	tally := golden.NewTally()
	for i, c := range cases {
		init := kerasInit(t, c.Class, c.Args)
		x := make([]float64, c.Shape.Size())
		init.Init(x, c.Shape, rand.New(rand.NewPCG(uint64(i), 3)))
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
		tally.Add(c.Class, t.Run(fmt.Sprintf("%d_%s_%v", i, c.Class, c.Shape), func(t *testing.T) {
			if d := math.Abs(mean - c.Mean); d > 7.1*c.Std/math.Sqrt(n)+1e-7 {
				t.Errorf("mean %v, Keras's %v", mean, c.Mean)
			}
			if d := math.Abs(std - c.Std); d > 7.1*c.Std/math.Sqrt(n)+1e-7 {
				t.Errorf("standard deviation %v, Keras's %v", std, c.Std)
			}
			// The extremes of a draw from a bounded density, here at least 0.05 per standard deviation at its ends, lie within
			// 16/(0.05 n) of the bounds but for one draw in e^16; those of a normal one wander with the sample.
			slack := 2 * 16 / (0.05 * n) * c.Std
			if c.Class == "RandomNormal" || c.Class == "Orthogonal" || c.Args["distribution"] == "untruncated_normal" {
				slack = 1.5 * c.Std
			}
			if math.Abs(low-c.Min) > slack+1e-7 || math.Abs(high-c.Max) > slack+1e-7 {
				t.Errorf("bounds %v, %v; Keras's %v, %v", low, high, c.Min, c.Max)
			}
		}))
	}
	tally.Log(t, "initializers")
}

func kerasInit(t *testing.T, class string, args map[string]any) tensor.Initializer {
	simple := map[string]nn.Init{"Zeros": nn.Zeros, "Ones": nn.Ones, "GlorotUniform": nn.GlorotUniform, "GlorotNormal": nn.GlorotNormal,
		"HeUniform": nn.HeUniform, "HeNormal": nn.HeNormal, "LecunUniform": nn.LecunUniform, "LecunNormal": nn.LecunNormal}
	if i, ok := simple[class]; ok {
		return i
	}
	name := map[string]string{"Constant": "constant", "Identity": "identity", "RandomNormal": "random_normal", "RandomUniform": "random_uniform",
		"TruncatedNormal": "truncated_normal", "VarianceScaling": "variance_scaling", "Orthogonal": "orthogonal", "OrthogonalInitializer": "orthogonal"}[class]
	own := map[string]any{}
	for k, v := range args {
		switch k {
		case "minval":
			k = "low"
		case "maxval":
			k = "high"
		case "seed":
			continue
		}
		own[k] = v
	}
	b, err := json.Marshal(map[string]any{name: own})
	if err != nil {
		t.Fatal(err)
	}
	init, err := nn.Initializers.Unmarshal(b)
	if err != nil {
		t.Fatalf("%s: %v", class, err)
	}
	return init
}
