package config

import (
	"bytes"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"
)

// The types below stand in for the engine's: interfaces with several implementations, plain fields, and fields that are
// no configuration.

type layer interface{ forward() }

type param struct {
	_ *int // no configuration
}

type activation string

type dense struct {
	Units      int `config:"required,min=1"`
	Activation activation
	NoBias     bool
	Kernel     param
}

type flatten struct{}

type dropout struct {
	Rate float64 `config:"min=0,below=1"`
}

type sequential []layer

type bidirectional struct{ Layer layer }

func (*dense) forward()         {}
func (*flatten) forward()       {}
func (*dropout) forward()       {}
func (sequential) forward()     {}
func (*bidirectional) forward() {}

type optimizer interface{ update() }

type adam struct {
	LearningRate float64 `config:"above=0,default=0.001"`
	Beta1        float64 `default:"0.9"`
	Schedule     schedule
	Penalty      penalty
}

type penalty interface{ of() }

type norm string // a variant without settings is its own name

type weighted struct{ Factor float64 }

func (norm) of()      {}
func (*weighted) of() {}

type sgd struct{ LearningRate, Momentum float64 }

func (adam) update() {}
func (sgd) update()  {}

type schedule interface{ at() }

type cosine struct {
	Peak   float64
	Warmup int64
}

func (cosine) at() {}

type settings struct {
	Data struct {
		Source string `config:"required"`
		Dir    string
	}
	Model     []layer   `config:"required"`
	Optimizer optimizer `config:"default=adam"`
	Train     struct {
		Epochs    int    `config:"min=1,default=1"`
		BatchSize int    `config:"min=1,max=65536,default=32"`
		Seed      uint64 `config:"default=1"`
		Shuffle   bool
		Every     time.Duration
		Split     float64 `config:"min=0,below=1"`
	}
	Names  []string
	Labels map[string]int
	Scale  float32
	Size   [2]int
	Tiny   int8
}

const zero = 5e-324

func testDecoder() *Decoder {
	d := NewDecoder()
	Variants(d, "layer", Registry[layer]{
		"dense": func() layer { return &dense{} }, "flatten": func() layer { return &flatten{} },
		"dropout": func() layer { return &dropout{} }, "sequential": func() layer { return &sequential{} },
		"bidirectional": func() layer { return &bidirectional{} },
	})
	Variants(d, "optimizer", Registry[optimizer]{
		"adam": func() optimizer { return adam{} }, "sgd": func() optimizer { return &sgd{} },
	})
	Variants(d, "schedule", Registry[schedule]{"cosine": func() schedule { return cosine{} }})
	Variants(d, "penalty", Registry[penalty]{
		"l1": func() penalty { return norm("l1") }, "l2": func() penalty { return norm("l2") },
		"weighted": func() penalty { return &weighted{} },
	})
	Enum[activation](d, "activation", "", "relu", "softmax", "tanh")
	d.Skip = func(t reflect.Type) bool { return t == reflect.TypeFor[param]() }
	d.Zero = func(path string, f reflect.StructField) (float64, bool) {
		return zero, f.Name == "Beta1"
	}
	return d
}

const good = `data:      {source: mnist}                 # or a folder
model:
  - flatten
  - dense: {units: 128, activation: relu}
  - dropout: {rate: 1/5}
  - bidirectional: {layer: {dense: {units: 3, no_bias: true}}}
  - sequential:
    - flatten
    - dense:
        units: 10
        activation: softmax
optimizer: {adam: {learning_rate: 3e-4, beta1: 0, schedule: {cosine: {peak: 1, warmup: 1e3}}, penalty: l2}}
train: {epochs: 5, batch_size: 64, seed: 18446744073709551615, shuffle: true, every: 30s}
names: [a, "no", no, 1.10]
labels: {cat: 1, dog: 60_000}
scale: 1/255
size: [28, 28]
`

func decode(t *testing.T, text string, sets ...string) (*settings, Origins, error) {
	t.Helper()
	n, err := Parse("config.yaml", []byte(text))
	if err != nil {
		return nil, nil, err
	}
	for _, s := range sets {
		if err := n.Set(s); err != nil {
			return nil, nil, err
		}
	}
	var c settings
	o, err := testDecoder().Decode(n, &c)
	return &c, o, err
}

func TestDecode_FillsEveryKindOfField(t *testing.T) {
	c, _, err := decode(t, good)
	if err != nil {
		t.Fatal(err)
	}
	wantModel := []layer{
		&flatten{}, &dense{Units: 128, Activation: "relu"}, &dropout{0.2},
		&bidirectional{&dense{Units: 3, NoBias: true}},
		sequential{&flatten{}, &dense{Units: 10, Activation: "softmax"}},
	}
	if !reflect.DeepEqual(c.Model, wantModel) {
		t.Errorf("model: %#v", c.Model)
	}
	if want := (adam{LearningRate: 3e-4, Beta1: zero, Schedule: cosine{1, 1000}, Penalty: norm("l2")}); c.Optimizer != optimizer(want) {
		t.Errorf("optimizer: %#v", c.Optimizer)
	}
	tr := c.Train
	if tr.Epochs != 5 || tr.BatchSize != 64 || tr.Seed != math.MaxUint64 || !tr.Shuffle || tr.Every != 30*time.Second {
		t.Errorf("train: %+v", tr)
	}
	if !reflect.DeepEqual(c.Names, []string{"a", "no", "no", "1.10"}) || c.Labels["dog"] != 60000 ||
		c.Scale != float32(1)/255 || c.Size != [2]int{28, 28} {
		t.Errorf("names %q labels %v scale %v size %v", c.Names, c.Labels, c.Scale, c.Size)
	}
}

func TestDecode_Defaults(t *testing.T) {
	c, o, err := decode(t, "data: {source: x}\nmodel: [flatten]\noptimizer: adam\n")
	if err != nil {
		t.Fatal(err)
	}
	if c.Train.Epochs != 1 || c.Train.BatchSize != 32 || c.Optimizer != optimizer(adam{LearningRate: 0.001}) {
		t.Errorf("%+v", c)
	}
	if _, ok := o["train.epochs"]; ok {
		t.Error("a default has an origin")
	}
	if got := o["data.source"].Where; got != "config.yaml:1" {
		t.Errorf("origin of data.source: %q", got)
	}
}

func TestSet_OverridesFileAndEnvironment(t *testing.T) {
	n, err := Parse("c.yaml", []byte(good))
	if err != nil {
		t.Fatal(err)
	}
	env := []string{"KUN_TRAIN__EPOCHS=7", "KUN_TRAIN__BATCH_SIZE=16", "KUN_CPU=go", "KUN_DATA=/x", "KUN_SCALE=2", "PATH=/bin", "KUN_SIZE="}
	if err := n.SetEnv(env, "scale", "size"); err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{
		"train.batch_size=8", "optimizer.learning_rate=1e-2", "model.1.dense.units=256", "model.2.rate=0.5",
		"model.0=dropout", "names=[x, y]", "train.seed=", "labels.bird=3",
	} {
		if err := n.Set(s); err != nil {
			t.Fatalf("--set %s: %v", s, err)
		}
	}
	var c settings
	o, err := testDecoder().Decode(n, &c)
	if err != nil {
		t.Fatal(err)
	}
	if c.Train.Epochs != 7 || c.Train.BatchSize != 8 || c.Scale != 2 || c.Train.Seed != 1 || c.Labels["bird"] != 3 {
		t.Errorf("%+v", c)
	}
	if c.Optimizer.(adam).LearningRate != 0.01 || c.Optimizer.(adam).Beta1 != zero {
		t.Errorf("%+v", c.Optimizer)
	}
	if c.Model[1].(*dense).Units != 256 || c.Model[2].(*dropout).Rate != 0.5 || !reflect.DeepEqual(c.Model[0], &dropout{}) {
		t.Errorf("%+v", c.Model)
	}
	if o["train.epochs"].Where != "KUN_TRAIN__EPOCHS" || o["train.batch_size"] != (Origin{Flag, "--set"}) {
		t.Errorf("%v", o)
	}
}

func TestSet_NamesTheVariantOfABareName(t *testing.T) {
	base := "data: {source: x}\nmodel: [flatten]\noptimizer: "
	for _, x := range []struct {
		file, set string
		want      optimizer
	}{
		{"adam", "optimizer.adam.learning_rate=2", adam{LearningRate: 2}},
		{"adam", "optimizer.learning_rate=2", adam{LearningRate: 2}},
		{"{adam: {beta1: 0.5}}", "optimizer=sgd", &sgd{}},
		{"adam", "optimizer.sgd.momentum=0.9", &sgd{Momentum: 0.9}},
		{"{adam: }", "optimizer={sgd: {momentum: 1/2}}", &sgd{Momentum: 0.5}},
	} {
		c, _, err := decode(t, base+x.file+"\n", x.set)
		if err != nil {
			t.Errorf("%s, %s: %v", x.file, x.set, err)
		} else if !reflect.DeepEqual(c.Optimizer, x.want) {
			t.Errorf("%s, %s: %#v", x.file, x.set, c.Optimizer)
		}
	}
}

func TestSet_WithoutTheNameKeepsTheOtherSettings(t *testing.T) {
	base := "data: {source: x}\nmodel: [flatten]\noptimizer: {adam: {learning_rate: 3, beta1: 0.5, schedule: {cosine: {peak: 4, warmup: 7}}}}\n"
	for _, x := range []struct {
		sets []string
		want adam
	}{
		{[]string{"optimizer.schedule.cosine.warmup=9"}, adam{LearningRate: 3, Beta1: 0.5, Schedule: cosine{Peak: 4, Warmup: 9}}},
		{[]string{"optimizer.schedule.warmup=9"}, adam{LearningRate: 3, Beta1: 0.5, Schedule: cosine{Peak: 4, Warmup: 9}}},
		{[]string{"optimizer.schedule={cosine: {warmup: 9}}"}, adam{LearningRate: 3, Beta1: 0.5, Schedule: cosine{Warmup: 9}}},
		{[]string{"optimizer.schedule="}, adam{LearningRate: 3, Beta1: 0.5}},
	} {
		if c, _, err := decode(t, base, x.sets...); err != nil || !reflect.DeepEqual(c.Optimizer, x.want) {
			t.Errorf("%v: %#v %v", x.sets, c.Optimizer, err)
		}
	}
}

func TestSet_AFlagBeatsTheEnvironmentWhateverTheForm(t *testing.T) {
	for _, x := range []struct {
		env, set string
		want     optimizer
	}{
		{"KUN_OPTIMIZER__LEARNING_RATE=1", "optimizer.adam.learning_rate=2", adam{LearningRate: 2}},
		{"KUN_OPTIMIZER__ADAM__LEARNING_RATE=1", "optimizer.learning_rate=2", adam{LearningRate: 2}},
		{"KUN_OPTIMIZER__LEARNING_RATE=1", "optimizer.learning_rate=2", adam{LearningRate: 2}},
		{"KUN_OPTIMIZER__SGD__MOMENTUM=1", "optimizer.adam.learning_rate=2", adam{LearningRate: 2}},
		{"KUN_OPTIMIZER__LEARNING_RATE=1", "optimizer.adam.beta1=0.5", adam{LearningRate: 1, Beta1: 0.5}},
	} {
		n, err := Parse("c.yaml", []byte("data: {source: x}\nmodel: [flatten]\noptimizer: {adam: {learning_rate: 3}}\n"))
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(n.SetEnv([]string{x.env}), n.Set(x.set)); err != nil {
			t.Fatal(err)
		}
		var c settings
		if _, err := testDecoder().Decode(n, &c); err != nil || !reflect.DeepEqual(c.Optimizer, x.want) {
			t.Errorf("%s, %s: %#v %v", x.env, x.set, c.Optimizer, err)
		}
	}
}

func TestSet_APathThatEndsBesideAListIsRefused(t *testing.T) {
	_, _, err := decode(t, "data: {source: x}\nmodel: [flatten, sequential: [{dense: {units: 3}}]]\n", "model.1.units=5")
	if err == nil || !strings.Contains(err.Error(), `sequential holds a list, which has no "units"`) {
		t.Errorf("%v", err)
	}
	c, _, err := decode(t, "data: {source: x}\nmodel: [flatten, sequential: [{dense: {units: 3}}]]\n", "model.1.sequential.0.units=5")
	if err != nil || c.Model[1].(sequential)[0].(*dense).Units != 5 {
		t.Errorf("%+v %v", c, err)
	}
}

func TestDecode_LeavesTheTreeAlone(t *testing.T) {
	n, _ := Parse("c.yaml", []byte("data: {source: x}\nmodel: [flatten]\noptimizer: adam\n"))
	if err := n.Set("optimizer.learning_rate=2"); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		var c settings
		if _, err := testDecoder().Decode(n, &c); err != nil || c.Optimizer.(adam).LearningRate != 2 {
			t.Fatalf("%+v %v", c.Optimizer, err)
		}
	}
}

func TestPrint_ReadsBackToTheSame(t *testing.T) {
	for _, text := range []string{good, "data: {source: 'a: \"b\" # é\t'}\nmodel: [flatten, sequential]\n"} {
		c, o, err := decode(t, text)
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if err := testDecoder().Print(&b, c, o); err != nil {
			t.Fatal(err)
		}
		again, _, err := decode(t, b.String())
		if err != nil {
			t.Fatalf("%v\n%s", err, b.String())
		}
		if diff := normal(c) != normal(again); diff {
			t.Errorf("not the same after:\n%s\n%s\n%s", b.String(), normal(c), normal(again))
		}
	}
}

// normal writes settings as text.
func normal(c *settings) string {
	var b bytes.Buffer
	_ = testDecoder().Print(&b, c, nil)
	return b.String()
}

func TestPrint_ShowsWhereEachValueCameFrom(t *testing.T) {
	c, o, err := decode(t, "data: {source: mnist}\nmodel:\n  - flatten\n  - dense: {units: 10}\n", "train.epochs=3")
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	_ = testDecoder().Print(&b, c, o)
	want := strings.TrimLeft(`
data:
  source: mnist         # config.yaml:1
  dir: ""               # default
model:
  - flatten             # config.yaml:3
  - dense:
      units: 10         # config.yaml:4
      activation: ""    # default
      no_bias: false    # default
optimizer:
  adam:
    learning_rate: 0.001  # default
    beta1: 0.9          # default
    schedule: null      # default
    penalty: null       # default
train:
  epochs: 3             # --set
`, "\n")
	got := b.String()
	want = strings.ReplaceAll(want, "  # ", "# ")
	if squeezed := squeeze(got); !strings.HasPrefix(squeezed, squeeze(want)) {
		t.Errorf("got\n%s\nwant the beginning\n%s", got, want)
	}
}

// squeeze takes out the padding before comments.
func squeeze(s string) string {
	lines := strings.Split(s, "\n")
	for i, l := range lines {
		if k := strings.Index(l, "#"); k >= 0 {
			lines[i] = strings.TrimRight(l[:k], " ") + " " + l[k:]
		}
	}
	return strings.Join(lines, "\n")
}

func TestErrors_AreTyped(t *testing.T) {
	_, _, err := decode(t, "modle: [flatten]\n")
	var e *Error
	if !errors.As(err, &e) || e.Line != 1 || e.Col != 1 {
		t.Fatalf("%#v", err)
	}
	if es, ok := err.(Errors); !ok || len(es) != 3 { // unknown key, and two keys missing
		t.Errorf("%v", err)
	}
}
