package cli

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kun-ml/kun/array"
	"github.com/kun-ml/kun/internal/testdata"
)

func TestDemo_ShowsTheSixStagesAndLeavesAModel(t *testing.T) {
	model := filepath.Join(t.TempDir(), "demo")
	out, _ := must(t, "demo", "--out", model)
	at := 0
	for _, stage := range []string{"load  ", "prepare  ", "build  ", "train  ", "evaluate  ", "use  "} {
		i := strings.Index(out[at:], "\n"+stage)
		if i < 0 && !strings.HasPrefix(out, stage) {
			t.Fatalf("stage %q is missing, or out of order:\n%s", stage, out)
		}
		at += max(i, 0)
	}
	for _, w := range []string{"Total params: 101,770", "test      2000 samples: loss 0.0", "precision  recall", "true ", "is 3", "█",
		"Next:\n  kun predict " + model + " " + model + "-pictures\n  kun eval " + model + "\n  kun inspect " + model} {
		if !strings.Contains(out, w) {
			t.Errorf("lacks %q:\n%s", w, out)
		}
	}
	for l := range strings.Lines(out) {
		if n := len([]rune(strings.TrimRight(l, "\n"))); n > 80 && !strings.Contains(l, model) {
			t.Errorf("%d columns: %s", n, l)
		}
	}
	names, err := os.ReadDir(model + "-pictures")
	if err != nil || len(names) != 6 {
		t.Fatalf("%v %v", names, err)
	}
	out, _ = must(t, "predict", model, model+"-pictures", "--top", "3")
	if strings.Count(out, "\n") != 6 || strings.Count(out, ",") != 12 {
		t.Errorf("%s", out)
	}
	right := 0
	for l := range strings.Lines(out) { // .../1-is-4.png: 9 (86.9%), ...
		if _, rest, ok := strings.Cut(l, "-is-"); ok && strings.HasPrefix(rest[1:], ".png: "+rest[:1]+" (") {
			right++
		}
	}
	if right < 4 {
		t.Errorf("%d of 6 are right:\n%s", right, out)
	}
	if got := object(t, "eval", model, "--require", "accuracy>=0.97", "--require", "loss < 0.2"); got["dataset"] != "digits" || got["test_samples"] != 2000. {
		t.Errorf("%v", got)
	}
}

func TestDemo_JSON(t *testing.T) {
	model := filepath.Join(t.TempDir(), "demo")
	got := object(t, "demo", "--out", model, "--seed", "3")
	if got["dataset"] != "digits" || got["train_samples"] != 10000. || got["epochs"] != 5. || got["accuracy"].(float64) < 0.97 || got["seed"] != 3. || got["model"] != model {
		t.Errorf("%v", got)
	}
}

func TestEval_ShowsMatrixClassesAndWorst(t *testing.T) {
	model := trained(t)
	out, _ := must(t, "eval", model, "--worst", "3")
	for _, w := range []string{"100 samples: loss ", "true ", "recall", "class  precision  recall      F1  samples", "mean ", "worst sample"} {
		if !strings.Contains(out, w) {
			t.Errorf("lacks %q:\n%s", w, out)
		}
	}
	_, tail, _ := strings.Cut(out, "worst sample")
	if n := strings.Count(tail, "\n"); n != 5 {
		t.Errorf("%d lines about the worst 3: %s", n, tail)
	}
	got := object(t, "eval", model)
	rows := got["confusion"].([]any)
	sum, right := 0., 0.
	for i := range rows {
		for j, v := range rows[i].([]any) {
			if sum += v.(float64); i == j {
				right += v.(float64)
			}
		}
	}
	if sum != 100 || right/sum != got["accuracy"] {
		t.Errorf("the matrix holds %v of %v right, the accuracy is %v", right, sum, got["accuracy"])
	}
}

func TestEval_Requirements(t *testing.T) {
	model := trained(t)
	must(t, "eval", model, "--require", "accuracy>=0.2", "--require", "loss<5")
	refused(t, Missed, []string{"required accuracy>=0.999, but it is 0."}, "eval", model, "--require", "accuracy>=0.999")
	refused(t, Usage, []string{`no figure "acuracy"`, `did you mean "accuracy"?`}, "eval", model, "--require", "acuracy>=0.2")
	for _, bad := range []string{"accuracy", "accuracy>=", ">=0.5", "accuracy>=much", "accuracy=0.5", "accuracy>=NaN"} {
		refused(t, Usage, []string{"--require", "accuracy>=0.97"}, "eval", model, "--require", bad)
	}
	out, _, code := invoke(t, "eval", model, "--require", "accuracy>=0.999", "--json")
	if got := asObject(t, out); code != Missed || got["accuracy"] == nil {
		t.Errorf("code %d: %v", code, got)
	}
}

func TestEval_FindsItsData(t *testing.T) {
	model := trained(t)
	want := object(t, "eval", model)["loss"]
	dir := digitFiles(t)
	if got := object(t, "eval", model, filepath.Join(dir, "tx"), "--labels", filepath.Join(dir, "ty")); got["loss"] != want {
		t.Errorf("loss %v, want %v", got["loss"], want)
	}
	if got := object(t, "eval", model, small(t)); got["loss"] != want {
		t.Errorf("loss %v by the configuration, want %v", got["loss"], want)
	}
	if got := object(t, "eval", model, "digits"); got["test_samples"] != 2000. {
		t.Errorf("%v", got)
	}
	refused(t, Usage, []string{"the file with the answers is missing", "--labels FILE"}, "eval", model, filepath.Join(dir, "tx"))
	refused(t, Data, []string{"neither a file nor a data set", `did you mean "digits"?`}, "eval", model, "digts")
	refused(t, Data, []string{"(32, 32, 3)", "(28, 28)"}, "eval", model, saveNPY(t, "x.npy", array.New(array.Uint8, 4, 32, 32, 3)), "--labels", saveNPY(t, "y.npy", array.New(array.Uint8, 4)))
	refused(t, Usage, []string{"which column holds the answers?"}, "eval", model, write(t, "t.csv", []byte("a,b\n1,2\n")))
}

func TestEval_MNISTFilesByFolder(t *testing.T) {
	model := trained(t)
	if got := object(t, "eval", model, "mnist", "--data", testdata.Dir(t, "mnist")); got["dataset"] != "mnist" || got["test_samples"] != 10000. {
		t.Errorf("%v", got)
	}
}

// picture is a PNG with a bar of light on dark, or the other way round.
func picture(t *testing.T, size int, invert bool) []byte {
	t.Helper()
	img := image.NewGray(image.Rect(0, 0, size, size))
	for y := range size {
		for x := range size {
			v := uint8(0)
			if x > size*5/12 && x < size*7/12 && y > size/7 && y < size*6/7 {
				v = 255
			}
			if invert {
				v = 255 - v
			}
			img.SetGray(x, y, color.Gray{Y: v})
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestPredict_Inputs(t *testing.T) {
	model := trained(t, "epochs: 2 => epochs: 10")
	dir := t.TempDir()
	one := write(t, filepath.Join(dir, "a.png"), picture(t, 28, false))
	dark := write(t, filepath.Join(dir, "b.png"), picture(t, 56, true))
	out, log := must(t, "predict", model, one, dark, "--top", "2")
	if !strings.HasPrefix(out, one+": 1 (") || strings.Count(out, "\n") != 2 {
		t.Errorf("%s", out)
	}
	for _, w := range []string{"b.png: 56 x 56 was resized to 28 x 28", "add --invert"} {
		if !strings.Contains(log, w) {
			t.Errorf("lacks %q: %s", w, log)
		}
	}
	out, _ = must(t, "predict", model, dark, "--invert")
	if !strings.HasPrefix(out, dark+": 1 (") {
		t.Errorf("%s", out)
	}
	out, _ = must(t, "predict", model, dir)
	if strings.Count(out, "\n") != 2 {
		t.Errorf("a folder: %s", out)
	}
	var piped, e bytes.Buffer
	if code := Run(t.Context(), []string{"predict", model, "-"}, Streams{In: bytes.NewReader(picture(t, 28, false)), Out: &piped, Err: &e}); code != OK || !strings.HasPrefix(piped.String(), "standard input: 1 (") {
		t.Errorf("code %d: %s%s", code, piped.String(), e.String())
	}
	out, _ = must(t, "predict", model, filepath.Join(digitFiles(t), "tx"))
	if strings.Count(out, "\n") != 100 || !strings.Contains(out, "tx[99]: ") {
		t.Errorf("IDX: %s", out)
	}
	got := object(t, "predict", model, one, "--top", "3")
	p := got["predictions"].([]any)[0].(map[string]any)
	top := p["top"].([]any)
	if p["class"] != "1" || len(top) != 3 || len(p["output"].([]any)) != 10 || top[0].(map[string]any)["probability"] != p["probability"] || p["input"] != one {
		t.Errorf("%v", p)
	}
}

func TestPredict_GoesOnAfterABadFile(t *testing.T) {
	model := trained(t)
	dir := t.TempDir()
	bad := write(t, filepath.Join(dir, "bad.png"), []byte("\x89PNG\r\n\x1a\nnothing"))
	good := write(t, filepath.Join(dir, "good.png"), picture(t, 28, false))
	out, log, code := invoke(t, "predict", model, bad, good)
	if code != Data || !strings.HasPrefix(out, good+": ") || !strings.Contains(log, "error: "+bad+": cannot be decoded") {
		t.Errorf("code %d: %s%s", code, out, log)
	}
	out, _, code = invoke(t, "predict", model, bad, good, "--json")
	got := asObject(t, out)
	if code != Data || len(got["predictions"].([]any)) != 1 || got["failed"].([]any)[0].(map[string]any)["input"] != bad {
		t.Errorf("code %d: %v", code, got)
	}
}

func TestPredict_RefusesInputs(t *testing.T) {
	model := trained(t)
	png := write(t, "x.png", picture(t, 28, false))
	refused(t, Data, []string{"no such file"}, "predict", model, "missing.png")
	refused(t, Data, []string{"is empty"}, "predict", model, write(t, "e.png", nil))
	refused(t, Data, []string{"is of no kind that can be read"}, "predict", model, write(t, "e.bin", []byte{1, 2, 3, 0, 5}))
	refused(t, Data, []string{"no file that can be read"}, "predict", model, t.TempDir())
	refused(t, Data, []string{"(5, 7)", "(28, 28)"}, "predict", model, saveNPY(t, "x.npy", array.New(array.Float32, 5, 7)))
	half := array.New(array.Float32, 1, 28, 28)
	array.Data[float32](half)[3] = 0.5
	refused(t, Data, []string{"sample 0 holds the value 0.5; the model takes uint8"}, "predict", model, saveNPY(t, "x.npy", half))
	refused(t, Usage, []string{"--top is 0"}, "predict", model, png, "--top", "0")
	refused(t, Usage, []string{"FILE... is missing"}, "predict", model)
	refused(t, Data, []string{"there is no model"}, "predict", filepath.Join(t.TempDir(), "none"), png)
	zero := array.New(array.Float32, 1, 28, 28)
	must(t, "predict", model, saveNPY(t, "x.npy", zero))
}

func TestPredict_LogitsBecomeProbabilities(t *testing.T) {
	model := trained(t, "units: 10, activation: softmax => units: 10", "sparse_categorical_crossentropy => {sparse_categorical_crossentropy: {from_logits: true}}")
	p := object(t, "predict", model, write(t, "x.png", picture(t, 28, false)), "--top", "10")["predictions"].([]any)[0].(map[string]any)
	sum := 0.
	for _, g := range p["top"].([]any) {
		sum += g.(map[string]any)["probability"].(float64)
	}
	if sum < 0.999 || sum > 1.001 {
		t.Errorf("the probabilities sum to %v", sum)
	}
	if out, _ := must(t, "eval", model); !strings.Contains(out, "precision") {
		t.Errorf("%s", out)
	}
}

func TestPredict_TwoClassesFromOneUnit(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "f.csv"), []byte(flowers(140)))
	path := write(t, filepath.Join(dir, "c.yaml"), []byte("data: {source: csv, path: f.csv, target: kind, test_split: 0.2}\n"+
		strings.NewReplacer("units: 2, activation: softmax", "units: 1, activation: sigmoid", "sparse_categorical_crossentropy", "binary_crossentropy", "[accuracy]", "[binary_accuracy]").Replace(flowersModel)))
	model := filepath.Join(dir, "m")
	if got := object(t, "train", path, "--out", model); got["accuracy"].(float64) < 0.9 {
		t.Errorf("%v", got)
	}
	out, _ := must(t, "predict", model, write(t, "n.csv", []byte("length,colour,width\n6,red,4\n0,blue,0\n")))
	if !strings.Contains(out, "n.csv[0]: large (") || !strings.Contains(out, "n.csv[1]: small (") {
		t.Errorf("%s", out)
	}
	if got := object(t, "eval", model); len(got["confusion"].([]any)) != 2 {
		t.Errorf("%v", got)
	}
}

func TestInspect(t *testing.T) {
	model := trained(t)
	out, _ := must(t, "inspect", model, "--weights")
	for _, w := range []string{"1 (Dense)", "(None, 16)", "Total params: 12,730", "Input: x uint8(28, 28)", "300 samples, 2 epochs, seed 1", "val_accuracy", "Test data: 100 samples",
		"1.Kernel", "[784 16]", "mean", "sd"} {
		if !strings.Contains(out, w) {
			t.Errorf("lacks %q:\n%s", w, out)
		}
	}
	out, _ = must(t, "inspect", model, "--program")
	if !strings.Contains(out, "MatMul") {
		t.Errorf("%s", out)
	}
	got := object(t, "inspect", model, "--weights", "--program")
	if got["parameters"] != 12730. || len(got["layers"].([]any)) != 3 || len(got["weights"].([]any)) != 4 || !strings.Contains(got["program"].(string), "MatMul") {
		t.Errorf("%v", got)
	}
	if n := got["note"].(map[string]any); n["command"] != "train" || n["data"].(map[string]any)["source"] != "idx" {
		t.Errorf("%v", n)
	}
}

func TestDoctor_MeasuresThisMachine(t *testing.T) {
	got := object(t, "doctor")
	for _, name := range []string{"clock_hz", "flops_per_second", "flops_per_second_thread", "flops_per_second_expected", "seconds_per_step", "copy_bytes_per_second"} {
		if v, ok := got[name].(float64); !ok || v <= 0 {
			t.Errorf("%s is %v", name, got[name])
		}
	}
	out, _ := must(t, "doctor")
	for _, w := range []string{"kernels  ", "products  ", "GFLOP/s", "training  ", "samples/s"} {
		if !strings.Contains(out, w) {
			t.Errorf("lacks %q:\n%s", w, out)
		}
	}
}

func TestCompletion_WritesScripts(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		if out, _ := must(t, "completion", shell); !strings.Contains(out, "kun") {
			t.Errorf("%s: %.100s", shell, out)
		}
	}
}
