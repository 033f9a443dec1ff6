package prep_test

import (
	"encoding/json"
	"math"
	"testing"

	"github.com/kun-ml/kun/internal/golden"
	"github.com/kun-ml/kun/prep"
)

// goldenTolerance is relative to 1 + |value|: Keras computed mean and variance in float32.
const goldenTolerance = 1e-6

type goldenCase struct {
	Case, Class string
	Args        json.RawMessage
	Adapt, X, Y *golden.Tensor
}

func TestKeras_Golden(t *testing.T) {
	var all []json.RawMessage
	golden.Read(t, "preprocessing.json", &all)
	ran, left := map[string]int{}, map[string]int{}
	for _, raw := range all {
		var name struct{ Class string }
		if err := json.Unmarshal(raw, &name); err != nil {
			t.Fatal(err)
		}
		if name.Class != "Normalization" && name.Class != "Rescaling" && name.Class != "CategoryEncoding" {
			left[name.Class]++
			continue
		}
		var c goldenCase
		if err := json.Unmarshal(raw, &c); err != nil {
			t.Fatal(err)
		}
		f := goldenTransform(t, c)
		if f == nil {
			left[c.Case]++
			continue
		}
		ran[c.Class]++
		t.Run(c.Case, func(t *testing.T) { goldenRun(t, c, f) })
	}
	t.Logf("pass: %v; not in this release: %v", ran, left)
	if ran["Normalization"] < 4 || ran["Rescaling"] < 1 || ran["CategoryEncoding"] < 1 {
		t.Errorf("too few cases ran: %v", ran)
	}
}

func goldenTransform(t *testing.T, c goldenCase) prep.Transform {
	t.Helper()
	var args struct {
		Axis           *int
		Mean, Variance *float64
		Invert         bool
		Scale, Offset  float64
		Tokens         int    `json:"num_tokens"`
		Mode           string `json:"output_mode"`
	}
	minusOne := -1
	args.Axis = &minusOne
	if err := json.Unmarshal(c.Args, &args); err != nil {
		t.Fatal(err)
	}
	switch c.Class {
	case "Rescaling":
		return &prep.Rescale{Scale: args.Scale, Offset: args.Offset}
	case "CategoryEncoding":
		if args.Mode == "one_hot" {
			return &prep.OneHot{Classes: args.Tokens}
		}
		return nil
	}
	n := &prep.Normalize{Whole: args.Axis == nil, Invert: args.Invert}
	if args.Axis != nil {
		n.Axes = []int{*args.Axis}
	}
	if args.Mean != nil {
		n.Mean, n.Var = []float64{*args.Mean}, []float64{*args.Variance}
	}
	return n
}

func goldenRun(t *testing.T, c goldenCase, f prep.Transform) {
	p := prep.Pipeline{f}
	if c.Adapt != nil {
		if err := p.Fit(ctx, setOf(t, c.Adapt.Array(t))); err != nil {
			t.Fatal(err)
		}
	}
	x, want := c.X.Array(t), c.Y.Array(t)
	for _, p := range []prep.Pipeline{p, again(t, p)} {
		got := apply(t, p, x)
		if len(got) != want.Len() {
			t.Fatalf("%d values, want %v", len(got), want.Shape())
		}
		for i, w := range want.Float64s() {
			if math.Abs(got[i]-w) > goldenTolerance*(1+math.Abs(w)) {
				t.Errorf("element %d is %v, want %v", i, got[i], w)
			}
		}
	}
}
