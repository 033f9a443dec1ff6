package golden

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/kun-ml/kun/loss"
	"github.com/kun-ml/kun/nn"
	"github.com/kun-ml/kun/optim"
)

// Serialized is an object as Keras writes it; a plain text is a class name alone.
type Serialized struct {
	Class  string          `json:"class_name"`
	Config json.RawMessage `json:"config"`
}

// UnmarshalJSON reads either form.
func (s *Serialized) UnmarshalJSON(b []byte) error {
	if err := json.Unmarshal(b, &s.Class); err == nil {
		s.Config = json.RawMessage("{}")
		return nil
	}
	type plain Serialized
	return json.Unmarshal(b, (*plain)(s))
}

// decode reads a configuration of Keras; keys that are not asked for are skipped.
func decode(t testing.TB, b json.RawMessage, into any) {
	t.Helper()
	if len(b) == 0 {
		return
	}
	if err := json.Unmarshal(b, into); err != nil {
		t.Fatalf("%s: %v", b, err)
	}
}

// zeroed is a number of Keras's for a field where 0 means the default.
func zeroed(v float64) float64 {
	if v == 0 {
		return nn.Zero
	}
	return v
}

// Schedule is our schedule for one of Keras's; nil for a class of a later release.
func Schedule(t testing.TB, s Serialized) optim.Schedule {
	t.Helper()
	var a struct {
		Rate         float64  `json:"initial_learning_rate"`
		Steps        float64  `json:"decay_steps"`
		DecayRate    float64  `json:"decay_rate"`
		Staircase    bool     `json:"staircase"`
		Alpha        float64  `json:"alpha"`
		WarmupTarget *float64 `json:"warmup_target"`
		WarmupSteps  float64  `json:"warmup_steps"`
	}
	decode(t, s.Config, &a)
	switch s.Class {
	case "ExponentialDecay":
		return optim.Exponential{Initial: a.Rate, Steps: int64(a.Steps), Rate: a.DecayRate, Staircase: a.Staircase}
	case "CosineDecay":
		c := optim.Cosine{Peak: a.Rate, Steps: int64(a.Steps), Alpha: a.Alpha}
		if a.WarmupTarget != nil {
			c.Initial, c.Peak, c.Warmup = a.Rate, *a.WarmupTarget, int64(a.WarmupSteps)
		}
		return c
	}
	return nil
}

// Optimizer is our optimizer for one of Keras's, or the reason why there is none. The learning rate may be a number or a
// schedule.
func Optimizer(t testing.TB, s Serialized) (optim.Optimizer, string) {
	t.Helper()
	var a struct {
		LearningRate                json.RawMessage `json:"learning_rate"`
		UseEMA                      bool            `json:"use_ema"`
		Accumulate                  float64         `json:"gradient_accumulation_steps"`
		ClipNorm, ClipValue         float64
		GlobalClipNorm              float64 `json:"global_clipnorm"`
		WeightDecay                 float64 `json:"weight_decay"`
		Momentum                    float64
		Nesterov, Centered, AMSGrad bool
		Rho, Epsilon                *float64
		Beta1                       *float64 `json:"beta_1"`
		Beta2                       *float64 `json:"beta_2"`
	}
	decode(t, s.Config, &a)
	switch {
	case a.UseEMA:
		return nil, "average of weights (use_ema)"
	case a.Accumulate > 1:
		return nil, "accumulation of gradients"
	}
	set := optim.Settings{ClipNorm: a.ClipNorm, GlobalClipNorm: a.GlobalClipNorm, ClipValue: a.ClipValue, WeightDecay: a.WeightDecay}
	switch raw := strings.TrimSpace(string(a.LearningRate)); {
	case strings.HasPrefix(raw, "{"):
		var sch Serialized
		decode(t, a.LearningRate, &sch)
		if set.Schedule = Schedule(t, sch); set.Schedule == nil {
			return nil, "schedule " + sch.Class
		}
	case raw != "":
		decode(t, a.LearningRate, &set.LearningRate)
		set.LearningRate = zeroed(set.LearningRate)
	}
	or := func(v *float64) float64 {
		if v == nil {
			return 0
		}
		return zeroed(*v)
	}
	switch s.Class {
	case "SGD":
		return optim.SGD{LearningRate: set.LearningRate, Schedule: set.Schedule, Momentum: a.Momentum, Nesterov: a.Nesterov,
			ClipNorm: set.ClipNorm, GlobalClipNorm: set.GlobalClipNorm, ClipValue: set.ClipValue, WeightDecay: set.WeightDecay}, ""
	case "RMSprop":
		return optim.RMSprop{LearningRate: set.LearningRate, Schedule: set.Schedule, Rho: or(a.Rho), Momentum: a.Momentum,
			Epsilon: or(a.Epsilon), Centered: a.Centered,
			ClipNorm: set.ClipNorm, GlobalClipNorm: set.GlobalClipNorm, ClipValue: set.ClipValue, WeightDecay: set.WeightDecay}, ""
	case "Adam":
		return optim.Adam{LearningRate: set.LearningRate, Schedule: set.Schedule, Beta1: or(a.Beta1), Beta2: or(a.Beta2), Epsilon: or(a.Epsilon), AMSGrad: a.AMSGrad,
			ClipNorm: set.ClipNorm, GlobalClipNorm: set.GlobalClipNorm, ClipValue: set.ClipValue, WeightDecay: set.WeightDecay}, ""
	case "AdamW":
		return optim.AdamW{LearningRate: set.LearningRate, Schedule: set.Schedule, Beta1: or(a.Beta1), Beta2: or(a.Beta2), Epsilon: or(a.Epsilon), AMSGrad: a.AMSGrad,
			ClipNorm: set.ClipNorm, GlobalClipNorm: set.GlobalClipNorm, ClipValue: set.ClipValue, WeightDecay: zeroed(set.WeightDecay)}, ""
	}
	return nil, "class " + s.Class
}

// Regularizer is our regulariser for one of Keras's; nil for null.
func Regularizer(t testing.TB, raw json.RawMessage) nn.Regularizer {
	t.Helper()
	if len(raw) == 0 || string(raw) == "null" {
		return nil
	}
	var s Serialized
	decode(t, raw, &s)
	var a struct{ L1, L2 *float64 }
	decode(t, s.Config, &a)
	factor := func(v *float64) float64 {
		if v == nil {
			return 0
		}
		return zeroed(*v)
	}
	switch strings.ReplaceAll(strings.ToLower(s.Class), "_", "") {
	case "l1":
		return nn.L1{Factor: factor(a.L1)}
	case "l2":
		return nn.L2{Factor: factor(a.L2)}
	case "l1l2":
		return nn.L1L2{L1: nn.Value(factor(a.L1), 0), L2: nn.Value(factor(a.L2), 0)}
	}
	t.Fatalf("unknown regulariser %s", raw)
	return nil
}

var losses = map[string]string{"MeanSquaredError": "mean_squared_error", "MeanAbsoluteError": "mean_absolute_error", "Huber": "huber",
	"BinaryCrossentropy": "binary_crossentropy", "CategoricalCrossentropy": "categorical_crossentropy",
	"SparseCategoricalCrossentropy": "sparse_categorical_crossentropy"}

// Loss is our loss for one of Keras's, the reduction, and the axis that Keras counts along; nil for a class of a later
// release.
func Loss(t testing.TB, s Serialized) (l loss.Loss, how string, axis int) {
	t.Helper()
	how, axis = "sum_over_batch_size", -1
	name := losses[s.Class]
	if name == "" {
		l, err := loss.Named(s.Class) // a name such as "mse"
		if err != nil {
			return nil, "", 0
		}
		return l, how, axis
	}
	given, args := map[string]any{}, map[string]any{}
	decode(t, s.Config, &given)
	for k, v := range given {
		switch k {
		case "reduction":
			how, _ = v.(string)
		case "axis":
			axis = int(v.(float64))
		case "ignore_class":
			if v != nil {
				args["ignore_classes"] = []any{v}
			}
		case "name", "dtype":
		default:
			args[k] = v
		}
	}
	if how == "" {
		how = "none"
	}
	b, err := json.Marshal(map[string]any{name: args})
	if err != nil {
		t.Fatal(err)
	}
	if l, err = loss.Unmarshal(b); err != nil {
		t.Fatal(err)
	}
	return l, how, axis
}

// List is one tensor or several.
type List []*Tensor

// UnmarshalJSON reads either form.
func (l *List) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '{' {
		*l = List{new(Tensor)}
		return json.Unmarshal(b, (*l)[0])
	}
	return json.Unmarshal(b, (*[]*Tensor)(l))
}
