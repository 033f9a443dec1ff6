package nn_test

import (
	"testing"

	"github.com/kun-ml/kun/nn"
	"github.com/kun-ml/kun/tensor"
	"github.com/kun-ml/kun/tensortest"
)

func floats(dims ...int) tensor.Case { return tensor.Case{In: []tensor.Type{tensor.F(dims...)}} }

// TestLayers_Conform runs the conformance suite on every layer of the package.
func TestLayers_Conform(t *testing.T) {
	sum := nn.Sequential{&nn.Dense{Units: 5, Activation: nn.GELU}, &nn.Dropout{Rate: 0.4}, &nn.Flatten{}, &nn.Dense{Units: 3, Activation: nn.Softmax}}
	selu := nn.SELU
	ids := tensor.Case{In: []tensor.Type{tensor.I(3, 4)}, Index: 6}
	for name, c := range map[string]struct {
		l     nn.Layer
		cases []tensor.Case
	}{
		"dense":            {&nn.Dense{Units: 7}, []tensor.Case{floats(4, 5), floats(2, 3, 5)}},
		"dense, penalties": {&nn.Dense{Units: 3, Activation: nn.Tanh, KernelRegularizer: nn.L2{}, BiasRegularizer: nn.L1{Factor: 0.1}, ActivityRegularizer: nn.L1L2{L1: 0.2, L2: 0.3}}, []tensor.Case{floats(4, 5), floats(3, 2, 4)}},
		"dense, no bias":   {&nn.Dense{Units: 1, NoBias: true, Activation: nn.SiLU, KernelInit: nn.HeNormal}, []tensor.Case{floats(33, 8)}},
		"flatten":          {&nn.Flatten{}, []tensor.Case{floats(3, 4, 2), floats(2, 5), {In: []tensor.Type{tensor.I(3, 2, 2)}}}},
		"flatten, moved":   {&nn.Flatten{ChannelsFirst: true}, []tensor.Case{floats(3, 4, 2), floats(2, 2, 3, 2)}},
		"reshape":          {&nn.Reshape{Shape: []int{-1, 2}}, []tensor.Case{floats(3, 6), floats(2, 4, 3)}},
		"dropout":          {&nn.Dropout{Rate: 0.3}, []tensor.Case{floats(3, 6), floats(2, 4, 3)}},
		"dropout, shared":  {&nn.Dropout{Rate: 0.5, Shared: []int{1}}, []tensor.Case{floats(3, 6), floats(2, 4, 3)}},
		"activation":       {&selu, []tensor.Case{floats(3, 6), floats(2, 4, 3)}},
		"embedding":        {&nn.Embedding{Size: 6, Units: 4, MaskZero: true, TableRegularizer: nn.L2{}}, []tensor.Case{ids, {In: []tensor.Type{tensor.I(5)}, Index: 6}}},
		"sequential":       {sum, []tensor.Case{floats(3, 6), floats(2, 4, 3)}},
	} {
		t.Run(name, func(t *testing.T) { tensortest.Layer(t, c.l, c.cases...) })
	}
}

func TestActivations_Conform(t *testing.T) {
	for _, name := range nn.Activations() {
		a := nn.Activation(name)
		t.Run(name, func(t *testing.T) { tensortest.Layer(t, &a, floats(3, 8)) })
	}
}
