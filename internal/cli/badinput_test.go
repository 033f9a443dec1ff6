package cli

import (
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/kun-ml/kun/array"
)

func TestTrain_RefusesConfigurations(t *testing.T) {
	for _, x := range []struct {
		edit  string
		words []string
	}{
		{"units: 16 => units: 0", []string{"small.yaml:5:5: layer 1: dense: units is 0", "5 |   - dense: {units: 0", "^^^^^", "such as units: 10"}},
		{"units: 16 => units: -3", []string{"small.yaml:5:5: layer 1: dense: units is -3"}},
		{"activation: relu => activation: rellu", []string{`small.yaml:5:36: unknown activation "rellu"`, `did you mean "relu"?`}},
		{"  - flatten\n => ", []string{"small.yaml:6:7: the model gives an array of shape (28, 10) for a sample", `put "- flatten" before`}},
		{"- flatten => - flaten", []string{`unknown layer "flaten"`, `did you mean "flatten"?`}},
		{"- flatten => - reshape: {shape: [7, 100]}", []string{"small.yaml:4:5: layer 0: reshape: ", "784 elements", "(7, 100)"}},
		{"- flatten => - sequential: [flatten, {reshape: {shape: [5]}}]", []string{"small.yaml:4:28: layer 0.1: reshape: "}},
		{"- flatten => - dropout: {rate: 1.5}", []string{"small.yaml:4:5: layer 0: dropout: "}},
		{"sparse_categorical_crossentropy => mse", []string{"small.yaml:7:7: mean_squared_error: the output has shape (32, 10), the target (32,)", "sparse_categorical_crossentropy for class numbers"}},
		{"sparse_categorical_crossentropy => categorical_crossentropy", []string{"small.yaml:7:7: categorical_crossentropy: ", "sparse_categorical_crossentropy"}},
		{"metrics: [accuracy] => metrics: [acuracy]", []string{`unknown metric "acuracy"`, `did you mean "accuracy"?`}},
		{"epochs: 2 => epochs: many", []string{"small.yaml:10:17: epochs in train wants a whole number", "^^^^"}},
		{"epochs: 2 => epochs: 0", []string{"epochs", "at least 1"}},
		{"batch_size: 32 => batch_size: 0", []string{"batch_size", "at least 1"}},
		{"epochs: 2 => epochs: 2, epochs: 3", []string{`key "epochs" is given twice`}},
		{"seed: 1 => validation_split: 1", []string{"validation_split", "below 1"}},
		{"  - flatten => \t- flatten", []string{"small.yaml:4:1: a tab in the indentation"}},
		{"units: 16 => unit: 16", []string{`small.yaml:5:13: unknown key "unit" in dense`, `did you mean "units"?`}},
		{"source: idx => source: digts", []string{`unknown data source "digts"`, `did you mean "digits"?`}},
		{"source: idx => source: digits", []string{"path does not go with the source digits"}},
		{"labels: => test_split: 0.5, target:", []string{"target does not go with the source idx"}},
		{"data: => dta:", []string{`unknown key "dta"`, `did you mean "data"?`, `missing key "data"`}},
		{"metrics: [accuracy] => metrics: [accuracy]\ncallbacks: [{early_stopping: {monitor: val_acc}}]", []string{"small.yaml:10:14: early stopping: ", `no figure "val_acc"`, "val_accuracy"}},
		{"metrics: [accuracy] => metrics: [accuracy]\ncallbacks: [{early_stopping: {mode: up}}]", []string{`unknown mode "up"`, "max, min"}},
		{"rescale => rescail", []string{`unknown transform "rescail"`, `did you mean "rescale"?`}},
	} {
		model := filepath.Join(t.TempDir(), "m")
		refused(t, Config, x.words, "train", small(t, x.edit), "--out", model)
		if _, err := os.Stat(model); err == nil {
			t.Errorf("%s: something was saved", x.edit)
		}
	}
	refused(t, Config, []string{"no such file"}, "train", "missing.yaml")
	refused(t, Config, []string{"is a folder"}, "train", t.TempDir())
	refused(t, Config, []string{"labels", "missing key"}, "train", write(t, "c.yaml", []byte("data: {source: npy, path: x}\nmodel: [flatten]\nloss: mse\n")))
	refused(t, Config, []string{`missing key "model"`, `missing key "loss"`}, "train", write(t, "c.yaml", []byte("data: {source: digits}\n")))
	refused(t, Usage, []string{"KEY=VALUE"}, "train", small(t), "--set", "epochs")
	refused(t, Config, []string{"--set train.epochs=x", "whole number"}, "train", small(t), "--set", "train.epochs=x")
	refused(t, Config, []string{"--set train.epoch=1", `did you mean "epochs"?`}, "train", small(t), "--set", "train.epoch=1")
}

// idxRun is a configuration of IDX files x and y in a folder, with two units as classes.
func idxRun(t *testing.T, x, y []byte) string {
	t.Helper()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "x"), x)
	write(t, filepath.Join(dir, "y"), y)
	return write(t, filepath.Join(dir, "c.yaml"), []byte("data: {source: idx, path: x, labels: y}\n"+strings.Replace(blobsModel, "epochs: 20", "epochs: 1", 1)))
}

func TestTrain_RefusesData(t *testing.T) {
	good, labels := idxBytes([]uint32{4, 3}, make([]byte, 12)), idxBytes([]uint32{4}, []byte{0, 1, 0, 1})
	zipped := packed(t, idxBytes([]uint32{4, 3}, []byte("abcdefghijkl")))
	lying := idxBytes([]uint32{4_000_000, 3_000_000}, make([]byte, 12))
	for _, x := range []struct {
		name  string
		x, y  []byte
		words []string
	}{
		{"truncated gzip", zipped[:len(zipped)-6], labels, []string{"gzip", "cut off"}},
		{"gzip with a wrong checksum", append(append([]byte{}, zipped[:len(zipped)-8]...), 1, 2, 3, 4, 12, 0, 0, 0), labels, []string{"gzip"}},
		{"lying header", lying, labels, []string{"the header says"}},
		{"short file", good[:len(good)-3], labels, []string{"the header says", "9"}},
		{"no header", []byte{0, 0}, labels, []string{"header is cut off"}},
		{"not IDX", []byte("hello, world"), labels, []string{"not an IDX file"}},
		{"empty set", idxBytes([]uint32{0, 3}, nil), idxBytes([]uint32{0}, nil), []string{"no samples"}},
		{"fewer labels", good, idxBytes([]uint32{3}, []byte{0, 1, 0}), []string{`"y" has 3 rows`, `"x" has 4`}},
		{"label out of range", good, idxBytes([]uint32{4}, []byte{0, 1, 7, 1}), []string{"error: training data of x: the label in row 2 is 7", "2 classes", "unit for every class"}},
	} {
		t.Run(x.name, func(t *testing.T) {
			refused(t, Data, x.words, "train", idxRun(t, x.x, x.y), "--out", filepath.Join(t.TempDir(), "m"))
		})
	}
	path := idxRun(t, good, labels)
	if err := os.Remove(filepath.Join(filepath.Dir(path), "y")); err != nil {
		t.Fatal(err)
	}
	refused(t, Data, []string{"error: " + filepath.Join(filepath.Dir(path), "y") + ": no such file\n", "c.yaml begin in", "--data names another folder"},
		"train", path, "--out", filepath.Join(t.TempDir(), "m"))
	refused(t, Data, []string{"train-images-idx3-ubyte.gz", "not found in", "--data"}, "train", example(t), "--data", t.TempDir(), "--offline")
}

func TestTrain_RefusesNumbersThatAreNone(t *testing.T) {
	dir := t.TempDir()
	x, y := blobs(40)
	array.Data[float64](x)[2*17+1] = math.NaN()
	saveNPY(t, filepath.Join(dir, "x.npy"), x)
	saveNPY(t, filepath.Join(dir, "y.npy"), y)
	path := write(t, filepath.Join(dir, "c.yaml"), []byte("data: {source: npy, path: x.npy, labels: y.npy}"+blobsModel))
	refused(t, Data, []string{"training data", `field "x", row 17, position (1,)`, "NaN"}, "train", path, "--out", filepath.Join(dir, "m"))
	table := func(text, more string) string {
		write(t, filepath.Join(dir, "t.csv"), []byte(text))
		return write(t, filepath.Join(dir, "c.yaml"), []byte("data: {source: csv, path: t.csv, target: kind"+more+"}\n"+flowersModel))
	}
	out := filepath.Join(dir, "m")
	refused(t, Data, []string{"t.csv", "line 3, column 1", "missing"}, "train", table("a,kind\n1,x\n,y\n", ""), "--out", out)
	refused(t, Data, []string{"missing: drop"}, "train", table("a,kind\n1,x\n,y\n", ""), "--out", out)
	refused(t, Data, []string{"t.csv", "line 3", "oops"}, "train", table("a,kind\n1,x\noops,y\n", ""), "--out", out)
	refused(t, Data, []string{"t.csv", "line 3", "3 columns"}, "train", table("a,kind\n1,x\n1,2,y\n", ""), "--out", out)
	refused(t, Data, []string{`no column "kind"`}, "train", table("a,b\n1,x\n", ""), "--out", out)
	refused(t, Data, []string{"no rows"}, "train", table("a,kind\n", ""), "--out", out)
	must(t, "train", table("a,kind\n1,x\n,y\n2,y\n", ", missing: drop"), "--out", out)
	refused(t, Data, []string{"p.csv", "line 2, column 1", "missing"}, "predict", out, write(t, "p.csv", []byte("a\nNaN\n")))
}

func TestTrain_WarnsOfWhatIsOdd(t *testing.T) {
	one := idxRun(t, idxBytes([]uint32{4, 3}, make([]byte, 12)), idxBytes([]uint32{4}, make([]byte, 4)))
	_, log := must(t, "train", one, "--out", filepath.Join(t.TempDir(), "m"))
	for _, w := range []string{"warning: training data: all samples are of one class, 0", "warning: a batch of 16 is more than the 4 samples"} {
		if !strings.Contains(log, w) {
			t.Errorf("lacks %q:\n%s", w, log)
		}
	}
}

func TestTrain_DivergesWithANameAndAWayOut(t *testing.T) {
	model := filepath.Join(t.TempDir(), "m")
	refused(t, Diverged, []string{"the loss is", "epoch 1, step ", "weights are not finite", "smaller learning rate", "nothing was saved"}, "train",
		small(t, "adam: {learning_rate: 0.01} => sgd: {learning_rate: 1e38}"), "--out", model)
	if _, err := os.Stat(model); err == nil {
		t.Error("weights that are no numbers were saved")
	}
}

func TestTrain_ChecksTheFolderBeforeItTrains(t *testing.T) {
	dir := t.TempDir()
	file := write(t, filepath.Join(dir, "file"), []byte("x"))
	other := filepath.Join(dir, "other")
	if err := os.Mkdir(other, 0o755); err != nil {
		t.Fatal(err)
	}
	precious := write(t, filepath.Join(other, "precious.txt"), []byte("x"))
	for _, out := range []string{file, other, filepath.Join(file, "below")} {
		if log := refused(t, Resources, []string{"--out DIR"}, "train", small(t), "--out", out); strings.Contains(log, "Epoch") {
			t.Error("it trained first")
		}
	}
	if _, err := os.Stat(precious); err != nil {
		t.Error(err)
	}
	sealed := filepath.Join(dir, "sealed")
	switch {
	case runtime.GOOS == "linux" && os.Geteuid() == 0:
		sealed = "/proc" // even root makes no file there
	case runtime.GOOS == "windows" || os.Geteuid() == 0:
		t.Skip("no folder is closed to this user")
	default:
		if err := os.Mkdir(sealed, 0o555); err != nil {
			t.Fatal(err)
		}
	}
	for _, verb := range [][]string{{"train", small(t)}, {"demo"}} {
		if log := refused(t, Resources, []string{sealed, "may write"}, append(verb, "--out", filepath.Join(sealed, "m"))...); strings.Contains(log, "Epoch") {
			t.Error("it trained first")
		}
	}
}

func TestModels_DamagedOnesAreRefused(t *testing.T) {
	dir := trained(t)
	png := write(t, "x.png", nil)
	change := func(name string, f func(b []byte) []byte) string {
		t.Helper()
		to := filepath.Join(t.TempDir(), "copy")
		if err := os.CopyFS(to, os.DirFS(dir)); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(to, name)
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if b = f(b); b == nil {
			err = os.Remove(path)
		} else {
			err = os.WriteFile(path, b, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
		return to
	}
	config, err := os.ReadFile(filepath.Join(dir, "config.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"config.json", "program.json", "model.safetensors", "manifest.json"} {
		for what, x := range map[string]struct {
			f     func(b []byte) []byte
			words []string
		}{
			"missing":   {func([]byte) []byte { return nil }, []string{name}},
			"truncated": {func(b []byte) []byte { return b[:len(b)/2] }, []string{name}},
			"altered":   {func(b []byte) []byte { b[len(b)/2] ^= 4; return b }, []string{name}},
			"swapped":   {func([]byte) []byte { return config }, []string{name}},
		} {
			if name == "config.json" && what == "swapped" {
				continue
			}
			bad := change(name, x.f)
			if name == "manifest.json" && what == "altered" {
				x.words = nil // what it says of another file is wrong then
			}
			for _, verb := range [][]string{{"eval", bad}, {"predict", bad, png}, {"inspect", bad}} {
				refused(t, Corrupt, append(x.words, filepath.Base(bad)), verb...)
			}
		}
	}
	extra := change("config.json", func(b []byte) []byte { return b })
	write(t, filepath.Join(extra, "other.bin"), []byte("x"))
	refused(t, Corrupt, []string{"other.bin", "manifest does not list"}, "inspect", extra)
	refused(t, Data, []string{"there is no model"}, "eval", filepath.Join(t.TempDir(), "nothing"))
	refused(t, Data, []string{"a file, not a model", "a model is a folder"}, "eval", png)
	refused(t, Data, []string{"there is no model", `did you mean "` + dir + `"?`}, "eval", dir+"l")
}

func TestModels_AHeaderThatClaimsTooMuchIsRefused(t *testing.T) {
	dir := trained(t)
	path := filepath.Join(dir, "model.safetensors")
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	binary.LittleEndian.PutUint64(b, 1<<60)
	write(t, path, b)
	refused(t, Corrupt, []string{"model.safetensors"}, "inspect", dir)
}
