package tensor_test

import (
	"strings"
	"testing"

	"github.com/kun-ml/kun/array"
	"github.com/kun-ml/kun/tensor"
)

// TestOps_RefuseArithmeticOnTruthValues: a sum of truth values is no truth value; Cast says which number is meant.
func TestOps_RefuseArithmeticOnTruthValues(t *testing.T) {
	try := func(f func(x *tensor.Tensor) *tensor.Tensor) error {
		_, err := tensor.Trace(tensor.Options{}, func(in []*tensor.Tensor) []*tensor.Tensor { return []*tensor.Tensor{f(in[0])} },
			tensor.Spec{DType: array.Bool, Shape: array.Shape{3, 4}})
		return err
	}
	for name, f := range map[string]func(x *tensor.Tensor) *tensor.Tensor{
		"Sum":       func(x *tensor.Tensor) *tensor.Tensor { return x.Sum() },
		"Mean":      func(x *tensor.Tensor) *tensor.Tensor { return x.Mean(1) },
		"Prod":      func(x *tensor.Tensor) *tensor.Tensor { return x.Prod() },
		"LogSumExp": func(x *tensor.Tensor) *tensor.Tensor { return x.LogSumExp() },
		"CumSum":    func(x *tensor.Tensor) *tensor.Tensor { return x.CumSum(0) },
		"Add":       func(x *tensor.Tensor) *tensor.Tensor { return x.Add(x) },
		"Neg":       func(x *tensor.Tensor) *tensor.Tensor { return x.Neg() },
		"Scale":     func(x *tensor.Tensor) *tensor.Tensor { return x.Scale(3) },
		"MaskScale": func(x *tensor.Tensor) *tensor.Tensor { return x.MaskScale(x, 3) },
		"Softmax":   func(x *tensor.Tensor) *tensor.Tensor { return x.Softmax(-1) },
	} {
		if err := try(f); err == nil || !strings.Contains(err.Error(), "Cast") {
			t.Errorf("%s of truth values: error is %v", name, err)
		}
	}
	for name, f := range map[string]func(x *tensor.Tensor) *tensor.Tensor{
		"Max":     func(x *tensor.Tensor) *tensor.Tensor { return x.Max(1) },
		"Maximum": func(x *tensor.Tensor) *tensor.Tensor { return x.Maximum(x) },
		"Equal":   func(x *tensor.Tensor) *tensor.Tensor { return x.Equal(x) },
		"Stop":    func(x *tensor.Tensor) *tensor.Tensor { return x.StopGradient() },
		"Sort":    func(x *tensor.Tensor) *tensor.Tensor { return x.Sort() },
	} {
		if err := try(f); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
