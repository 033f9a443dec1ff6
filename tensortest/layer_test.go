package tensortest_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/kun-ml/kun/array"
	"github.com/kun-ml/kun/nn"
	"github.com/kun-ml/kun/tensor"
	"github.com/kun-ml/kun/tensortest"
)

// The broken layers each break one promise.
type (
	lossy    struct{ Gain nn.Param } // its gradient by Gain is not that of its value
	mixing   struct{}                // a row sees the others
	counting struct{}                // its program depends on the batch size
	forgets  struct {                // its configuration does not hold all that shows
		Twice bool `json:"-"`
	}
	coarse struct{ Gain nn.Param } // gives integers in half precision
	short  struct{}                // loses a row
)

func (l *lossy) Forward(x *tensor.Tensor) *tensor.Tensor {
	g := l.Gain.In(x, nn.Ones, x.Dim(-1))
	return x.Mul(g.Mul(g.StopGradient()))
}

func (*mixing) Forward(x *tensor.Tensor) *tensor.Tensor { return x.Sub(x.MeanKeep(0)) }

func (*counting) Forward(x *tensor.Tensor) *tensor.Tensor { return x.Scale(1 / float64(x.Dim(0))) }

func (l *forgets) Forward(x *tensor.Tensor) *tensor.Tensor {
	if l.Twice {
		return x.Add(x).Tanh()
	}
	return x.Tanh()
}

func (l *coarse) Forward(x *tensor.Tensor) *tensor.Tensor {
	y := x.Mul(l.Gain.In(x, nn.Ones, x.Dim(-1)))
	if x.DType() == array.BFloat16 {
		return y.Round()
	}
	return y
}

func (*short) Forward(x *tensor.Tensor) *tensor.Tensor { return x.Slice(0, 1, x.Dim(0)) }

func init() { nn.Register("forgets", func() nn.Layer { return new(forgets) }) }

var broken = map[string]struct {
	l    nn.Layer
	says string
}{
	"lossy":    {&lossy{}, "the gradient along a direction"},
	"mixing":   {&mixing{}, "alone has other bits"},
	"counting": {&counting{}, "depends on the batch size"},
	"forgets":  {&forgets{Twice: true}, "the copy computes"},
	"coarse":   {&coarse{}, "in bfloat16"},
	"short":    {&short{}, "rows in, an output of shape"},
}

// TestLayer_FindsBrokenLayers runs the suite on each broken layer in a process of its own, where it must fail.
func TestLayer_FindsBrokenLayers(t *testing.T) {
	if name := os.Getenv("KUN_TEST_BROKEN"); name != "" {
		tensortest.Layer(t, broken[name].l, tensor.Case{In: []tensor.Type{tensor.F(3, 4)}})
		return
	}
	for name, b := range broken {
		cmd := exec.Command(os.Args[0], "-test.run=^TestLayer_FindsBrokenLayers$")
		cmd.Env = append(os.Environ(), "KUN_TEST_BROKEN="+name)
		out, err := cmd.CombinedOutput()
		if err == nil || !strings.Contains(string(out), b.says) {
			t.Errorf("%s: %v, the suite does not say %q:\n%s", name, err, b.says, out)
		}
	}
}
