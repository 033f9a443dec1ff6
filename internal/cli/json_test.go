package cli

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestJSON_OfTheConfiguration(t *testing.T) {
	got := object(t, "train", small(t), "--print-config", "--epochs", "3")
	if o := got["origins"].(map[string]any); o["train.epochs"] != "--epochs" || !strings.Contains(got["config"].(string), "epochs: 3 ") {
		t.Errorf("%v", got)
	}
}

func TestJSON_OfAnEvaluationTellsWhatThePersonIsTold(t *testing.T) {
	got := object(t, "eval", trained(t), "--worst", "2")
	classes, worst := got["per_class"].([]any), got["worst"].([]any)
	if len(classes) != 10 || len(worst) != 2 {
		t.Fatalf("%v %v", classes, worst)
	}
	n := 0.
	for _, c := range classes {
		n += c.(map[string]any)["samples"].(float64)
	}
	if w := worst[0].(map[string]any); n != 100 || w["is"] == w["taken_for"] || w["probability"].(float64) < w["probability_of_truth"].(float64) {
		t.Errorf("%v samples, %v", n, w)
	}
}

func TestJSON_OfTheDemoComesAfterEverything(t *testing.T) {
	model := filepath.Join(t.TempDir(), "demo")
	if got := object(t, "demo", "--out", model); len(got["confusion"].([]any)) != 10 {
		t.Errorf("%v", got)
	}
	if names, err := os.ReadDir(model + "-pictures"); err != nil || len(names) != 6 {
		t.Errorf("%v %v", names, err)
	}
}

func TestDryRun_OfOneBatchSaysOneStep(t *testing.T) {
	out, _ := must(t, "train", small(t, "batch_size: 32 => batch_size: 300"), "--dry-run", "--out", filepath.Join(t.TempDir(), "m"))
	if !strings.Contains(out, "dry run   one step,") {
		t.Errorf("%s", out)
	}
}

func TestClassWeight_OfAClassThatIsNone(t *testing.T) {
	for _, name := range []string{"10", "2000000000", "99999999999999999999"} {
		refused(t, Config, []string{`unknown class "` + name + `"`, "here to 9"}, "train", small(t, `seed: 1 => class_weight: {"`+name+`": 2}`))
	}
}

func TestModelsNear_NamesEachOnce(t *testing.T) {
	dir := trained(t)
	t.Chdir(filepath.Dir(dir))
	log := refused(t, Data, []string{"known: model"}, "eval", "x")
	if strings.Contains(log, "model, model") {
		t.Errorf("%s", log)
	}
}

func TestInspect_DrawsASCIIWhereNothingElseIsShown(t *testing.T) {
	var out strings.Builder
	code := Run(t.Context(), []string{"inspect", trained(t)}, Streams{Out: &out, Err: io.Discard, Env: []string{"LC_ALL=C"}})
	if code != OK || strings.ContainsAny(out.String(), "┏━│└") || !strings.Contains(out.String(), "| 1 (Dense)") {
		t.Errorf("code %d: %s", code, out.String())
	}
}

func TestDoctor_FitsEightyColumns(t *testing.T) {
	a, out := newApp(Streams{}), new(strings.Builder)
	a.out.Writer = out
	c := checkup{Level: "avx512", Threads: 128, CacheDir: "c"}
	c.FlopsOne, c.FlopsExpect, c.Flops, c.Step = 188e9, 200e9, 12345e9, 1e-4
	a.showCheckup(c)
	for l := range strings.Lines(out.String()) {
		if len(l) > 81 {
			t.Errorf("%d columns: %s", len(l), l)
		}
	}
}
