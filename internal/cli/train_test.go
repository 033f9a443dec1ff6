package cli

import (
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/kun-ml/kun/array"
	"github.com/kun-ml/kun/internal/testdata"
	"github.com/kun-ml/kun/store"
)

// example is the quick-start's configuration.
func example(t *testing.T) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("..", "..", "examples", "mnist.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func TestTrain_ExampleOnSomeOfMNIST(t *testing.T) {
	dir := testdata.Dir(t, "mnist")
	model := filepath.Join(t.TempDir(), "mnist")
	got := object(t, "train", example(t), "--data", dir, "--out", model, "--epochs", "2", "--threads", "2",
		"--set", "data.train_samples=6000", "--set", "data.test_samples=1000")
	for name, want := range map[string]any{"dataset": "mnist", "train_samples": 6000., "test_samples": 1000., "epochs": 2., "parameters": 101770.,
		"threads": 2., "model": model, "seed": 1., "command": "train", "version": 1.} {
		if got[name] != want {
			t.Errorf("%s is %v, want %v", name, got[name], want)
		}
	}
	if a := got["accuracy"].(float64); a < 0.88 {
		t.Errorf("accuracy %v", a)
	}
	if s := got["seconds_per_epoch"].([]any); len(s) != 2 || s[0].(float64) <= 0 {
		t.Errorf("seconds_per_epoch %v", s)
	}
	for _, name := range []string{"loss", "seconds_total", "peak_rss_bytes"} {
		if v, ok := got[name].(float64); !ok || v <= 0 {
			t.Errorf("%s is %v", name, got[name])
		}
	}
	if h, _ := got["weights_sha256"].(string); len(h) != 64 {
		t.Errorf("weights_sha256 %q", h)
	}
	if l, _ := got["cpu_level"].(string); l == "" {
		t.Error("no cpu_level")
	}
	again := object(t, "eval", model)
	for _, name := range []string{"accuracy", "loss", "weights_sha256", "parameters", "dataset", "train_samples", "test_samples", "epochs"} {
		if got[name] != again[name] {
			t.Errorf("eval tells another %s than train: %v, %v", name, again[name], got[name])
		}
	}
}

func TestTrain_SameSeedSameWeightsOnAnyThreads(t *testing.T) {
	hash := map[any]bool{}
	for _, threads := range []string{"1", "2", "3"} {
		hash[object(t, "train", small(t), "--out", filepath.Join(t.TempDir(), "m"), "--threads", threads)["weights_sha256"]] = true
	}
	if len(hash) != 1 {
		t.Errorf("threads show in the weights: %v", hash)
	}
	if hash[object(t, "train", small(t), "--out", filepath.Join(t.TempDir(), "m"), "--seed", "2")["weights_sha256"]] {
		t.Error("the seed does not show in the weights")
	}
}

func TestTrain_ShowsWhatAPersonNeeds(t *testing.T) {
	model := filepath.Join(t.TempDir(), "m")
	out, log := must(t, "train", small(t), "--out", model)
	for _, w := range []string{"test      100 samples: loss ", "accuracy 0.", "saved     " + model, "12,730 parameters"} {
		if !strings.Contains(out, w) {
			t.Errorf("standard output lacks %q:\n%s", w, out)
		}
	}
	if !strings.Contains(log, "Epoch 1/2 ") || !strings.Contains(log, "Epoch 2/2 ") {
		t.Errorf("standard error: %s", log)
	}
	out, log = must(t, "train", small(t), "--out", model, "-q")
	if log != "" || !strings.HasPrefix(out, "test ") {
		t.Errorf("-q: %q, %q", out, log)
	}
}

func TestTrain_DefaultsToRunsAndTheNameOfTheConfiguration(t *testing.T) {
	path := small(t)
	t.Chdir(filepath.Dir(path))
	must(t, "train", "small.yaml", "-q")
	if _, err := os.Stat(filepath.Join("runs", "small", "manifest.json")); err != nil {
		t.Error(err)
	}
	must(t, "eval", filepath.Join("runs", "small"))
}

func TestTrain_PrecedenceIsFlagEnvironmentFileDefault(t *testing.T) {
	path := small(t)
	out, log, code := invokeIn(t, t.Context(), []string{"KUN_TRAIN__EPOCHS=7", "KUN_TRAIN__BATCH_SIZE=16", "KUN_SEED=5", "KUN_DATA=/nowhere"},
		"train", path, "--print-config", "--epochs", "9", "--set", "optimizer.learning_rate=1e-4")
	if code != OK {
		t.Fatalf("code %d: %s", code, log)
	}
	for _, want := range []string{"epochs: 9 ", "# --epochs", "batch_size: 16 ", "# KUN_TRAIN__BATCH_SIZE", "seed: 5 ", "# KUN_SEED",
		"learning_rate: 0.0001 ", "# --set", "beta1: 0.9 ", "# default", "units: 16 ", "small.yaml:5"} {
		if !strings.Contains(out, want) {
			t.Errorf("lacks %q:\n%s", want, out)
		}
	}
}

func TestTrain_PrintedConfigurationTrainsTheSame(t *testing.T) {
	path := small(t)
	out, _ := must(t, "train", path, "--print-config")
	again := write(t, "again.yaml", []byte(out))
	a := object(t, "train", path, "--out", filepath.Join(t.TempDir(), "a"))
	dir := filepath.Join(t.TempDir(), "b")
	b := object(t, "train", again, "--out", dir)
	if a["weights_sha256"] != b["weights_sha256"] {
		t.Error("the printed configuration trains other weights")
	}
	kept, _ := must(t, "inspect", dir, "--config")
	c := object(t, "train", write(t, "kept.yaml", []byte(kept)), "--out", filepath.Join(t.TempDir(), "c"))
	if a["weights_sha256"] != c["weights_sha256"] {
		t.Error("the configuration in the model trains other weights")
	}
}

func TestTrain_DryRunKeepsNothing(t *testing.T) {
	path := small(t, "metrics: [accuracy] => metrics: [accuracy]\ncallbacks: [csv_log, checkpoint]")
	t.Chdir(filepath.Dir(path))
	out, _ := must(t, "train", path, "--dry-run")
	if !strings.Contains(out, "dry run") || !strings.Contains(out, "2 epochs of 10 steps") {
		t.Errorf("%s", out)
	}
	if entries, err := os.ReadDir("."); err != nil || len(entries) != 1 {
		t.Errorf("it left %v (%v)", entries, err)
	}
	if got := object(t, "train", path, "--dry-run"); got["dry_run"] != true || got["train_samples"] != 64. {
		t.Errorf("%v", got)
	}
	refused(t, Config, []string{"layer 1"}, "train", small(t, "units: 16 => units: 0"), "--dry-run")
}

func TestTrain_CallbacksOfTheConfiguration(t *testing.T) {
	dir := t.TempDir()
	log := filepath.Join(dir, "log.csv")
	path := small(t, "epochs: 2 => epochs: 40, validation_split: 0.2", "metrics: [accuracy] => "+`metrics: [accuracy]
callbacks:
  - early_stopping: {monitor: val_loss, patience: 2, min_delta: 10}
  - csv_log: {path: `+log+`}
  - checkpoint: {best: true}
  - reduce_lr_on_plateau: {patience: 1, factor: 0.5, min_delta: 10}
  - terminate_on_nan`)
	model := filepath.Join(dir, "m")
	out, text := must(t, "train", path, "--out", model)
	if !strings.Contains(out, "stopped   early stopping: val_loss") {
		t.Errorf("%s", out)
	}
	if !strings.Contains(text, "the learning rate is now 0.0050") {
		t.Errorf("%s", text)
	}
	raw, err := os.ReadFile(log)
	if err != nil || !strings.HasPrefix(string(raw), "epoch,loss,accuracy,val_loss,val_accuracy,learning_rate,seconds\n0,") || strings.Count(string(raw), "\n") != 4 {
		t.Errorf("%v\n%s", err, raw)
	}
	must(t, "eval", model+".checkpoint")
	if got := object(t, "train", path, "--out", model); got["epochs"] != 3. || !strings.HasPrefix(got["stopped"].(string), "early stopping") || got["train_samples"] != 240. {
		t.Errorf("%v", got)
	}
}

func TestTrain_ClassWeights(t *testing.T) {
	weights := func(train string) any {
		return object(t, "train", small(t, "seed: 1 => seed: 1"+train), "--out", filepath.Join(t.TempDir(), "m"))["weights_sha256"]
	}
	plain := weights("")
	if weights(`, class_weight: {"3": 5}`) == plain {
		t.Error("class_weight changes nothing")
	}
	if weights(`, class_weight: {"3": 1}`) != plain {
		t.Error("a weight of 1 changes something")
	}
	if uneven := ", validation_split: 0.017, keras_split: true"; weights(uneven+", balance_classes: true") == weights(uneven) {
		t.Error("balance_classes changes nothing")
	}
	refused(t, Config, []string{`unknown class "x"`, "^"}, "train", small(t, `seed: 1 => class_weight: {x: 1}`))
	refused(t, Config, []string{"weights are 0 or more"}, "train", small(t, `seed: 1 => class_weight: {"1": -1}`))
	refused(t, Config, []string{"contradict"}, "train", small(t, `seed: 1 => balance_classes: true, class_weight: {"1": 1}`))
}

func TestTrain_FromGoesOnWithTheWeightsOfAModel(t *testing.T) {
	first := trained(t)
	path := small(t, "epochs: 2 => epochs: 1")
	next := filepath.Join(t.TempDir(), "next")
	a := object(t, "eval", first)
	b := object(t, "train", path, "--from", first, "--out", next)
	fresh := object(t, "train", path, "--out", filepath.Join(t.TempDir(), "fresh"))
	if b["loss"].(float64) >= fresh["loss"].(float64) || b["loss"].(float64) > a["loss"].(float64)+0.1 {
		t.Errorf("loss %v before, %v after one more epoch, %v after one epoch alone", a["loss"], b["loss"], fresh["loss"])
	}
	if got := object(t, "inspect", next)["origin"].(map[string]any)["epochs"]; got != 3. {
		t.Errorf("%v epochs in all", got)
	}
	refused(t, Config, []string{"does not fit"}, "train", small(t, "units: 16 => units: 17"), "--from", first, "--out", next)
}

func TestTrain_FreezeAndPatternsThatFitNothing(t *testing.T) {
	dir := trained(t, "seed: 1 => seed: 1, freeze: \"1.**\"")
	if _, err := os.Stat(dir); err != nil {
		t.Error(err)
	}
	refused(t, Config, []string{"small.yaml:10:", `no parameter matches "9.**"`, "1.Kernel"}, "train", small(t, "seed: 1 => freeze: \"9.**\""))
}

func TestTrain_ATableWithCategories(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "flowers.csv"), []byte(flowers(140)))
	path := write(t, filepath.Join(dir, "f.yaml"), []byte("data: {source: csv, path: flowers.csv, target: kind, test_split: 0.25}\n"+flowersModel))
	model := filepath.Join(dir, "model")
	got := object(t, "train", path, "--out", model)
	if got["train_samples"] != 105. || got["test_samples"] != 35. || got["accuracy"].(float64) < 0.95 {
		t.Errorf("%v", got)
	}
	if again := object(t, "eval", model); again["loss"] != got["loss"] || again["accuracy"] != got["accuracy"] {
		t.Errorf("eval: loss %v, train: %v", again["loss"], got["loss"])
	}
	// other order of columns, other order of first appearance, one more column
	other := "note,kind,width,colour,length\nx,large,4,blue,6\ny,small,0,red,1\n"
	if got := object(t, "eval", model, write(t, "other.csv", []byte(other))); got["accuracy"] != 1. || got["test_samples"] != 2. {
		t.Errorf("%v", got)
	}
	out, _ := must(t, "predict", model, write(t, "new.csv", []byte("colour,width,length\nred,4,6\nblue,0,0\n")))
	if !strings.Contains(out, "new.csv[0]: large (") || !strings.Contains(out, "new.csv[1]: small (") {
		t.Errorf("%s", out)
	}
	refused(t, Data, []string{"line 2", `unknown category "green"`, `"blue", "red"`}, "predict", model, write(t, "new.csv", []byte("colour,width,length\ngreen,4,6\n")))
	refused(t, Data, []string{"line 3", `unknown category "huge"`}, "eval", model, write(t, "o.csv", []byte("kind,width,colour,length\nlarge,4,blue,6\nhuge,0,red,1\n")))
}

func TestTrain_ATableOfNumbersWithoutNames(t *testing.T) {
	var b strings.Builder
	for i := range 64 {
		x := float64(i) / 64
		b.WriteString(strings.Join([]string{num(x), num(x * x), num(2*x - 1)}, ";") + "\n")
	}
	dir := t.TempDir()
	write(t, filepath.Join(dir, "t.csv"), []byte(b.String()))
	path := write(t, filepath.Join(dir, "r.yaml"), []byte(`data: {source: csv, path: t.csv, target: "-1"}
model: [{dense: {units: 1}}]
loss: mse
optimizer: {adam: {learning_rate: 0.1}}
metrics: [mean_absolute_error]
train: {epochs: 100, batch_size: 64}
`))
	model := filepath.Join(dir, "model")
	got := object(t, "train", path, "--out", model)
	if got["loss"] != nil || got["accuracy"] != nil || got["test_samples"] != 0. {
		t.Errorf("there are no test data, but %v", got)
	}
	refused(t, Usage, []string{"has no test data"}, "eval", model)
	if got := object(t, "eval", model, filepath.Join(dir, "t.csv")); got["loss"].(float64) > 0.01 || got["accuracy"] != nil || got["confusion"] != nil {
		t.Errorf("%v", got)
	}
	out, _ := must(t, "predict", model, write(t, "one.csv", []byte("0.5,0.25\n")))
	if !strings.Contains(out, "one.csv: ") || strings.Contains(out, "%") {
		t.Errorf("%s", out)
	}
}

func num(x float64) string { return strconv.FormatFloat(x, 'g', 6, 64) }

// blobs are points around two centres and their classes.
func blobs(n int) (x, y *array.Array) {
	x, y = array.New(array.Float64, n, 2), array.New(array.Int64, n)
	xs, ys := array.Data[float64](x), array.Data[int64](y)
	for i := range n {
		c := i % 2
		ys[i] = int64(c)
		xs[2*i], xs[2*i+1] = float64(4*c-2)+math.Sin(float64(i)), math.Cos(float64(3*i))
	}
	return x, y
}

const blobsModel = `
model: [{dense: {units: 2, activation: softmax}}]
loss: sparse_categorical_crossentropy
optimizer: {adam: {learning_rate: 0.1}}
metrics: [accuracy]
train: {epochs: 20, batch_size: 16}
`

func TestTrain_NumPyArrays(t *testing.T) {
	dir := t.TempDir()
	x, y := blobs(80)
	saveNPY(t, filepath.Join(dir, "x.npy"), x)
	saveNPY(t, filepath.Join(dir, "y.npy"), y)
	f, err := os.Create(filepath.Join(dir, "all.npz"))
	if err != nil {
		t.Fatal(err)
	}
	if err := store.WriteNPZ(f, []store.Tensor{{Name: "x_train", Array: x}, {Name: "y_train", Array: y}, {Name: "x_test", Array: x}, {Name: "y_test", Array: y}}, true); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	var hash any
	for _, data := range []string{
		"data: {source: npy, path: x.npy, labels: y.npy, test_path: x.npy, test_labels: y.npy, classes: [left, right]}",
		"data: {source: npz, path: all.npz, classes: [left, right]}",
		"data: {source: npz, path: all.npz, input: x_train, target: y_train, test_split: 0.5}",
	} {
		path := write(t, filepath.Join(dir, "c.yaml"), []byte(data+blobsModel))
		model := filepath.Join(dir, "model")
		got := object(t, "train", path, "--out", model)
		if got["accuracy"] != 1. {
			t.Errorf("%s: %v", data, got)
		}
		if hash == nil {
			hash = got["weights_sha256"]
		} else if strings.Contains(data, "left") && got["weights_sha256"] != hash {
			t.Error("the same arrays in another file train other weights")
		}
		if again := object(t, "eval", model); again["loss"] != got["loss"] {
			t.Errorf("%s: eval %v, train %v", data, again["loss"], got["loss"])
		}
		if again := object(t, "eval", model, path); again["loss"] != got["loss"] {
			t.Errorf("%s: eval by the configuration %v, train %v", data, again["loss"], got["loss"])
		}
		if strings.Contains(data, "left") {
			out, _ := must(t, "predict", model, filepath.Join(dir, "x.npy"), "--top", "2")
			if !strings.HasPrefix(out, filepath.Join(dir, "x.npy")+"[0]: left (") || strings.Count(out, "\n") != 80 {
				t.Errorf("%.200s", out)
			}
			got := object(t, "eval", model, filepath.Join(dir, "x.npy"), "--labels", filepath.Join(dir, "y.npy"))
			if got["accuracy"] != 1. || got["test_samples"] != 80. {
				t.Errorf("%v", got)
			}
		}
	}
}
