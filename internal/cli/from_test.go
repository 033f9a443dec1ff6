package cli

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kun-ml/kun"
)

func TestFrom_AMissingModel(t *testing.T) {
	dir := trained(t)
	refused(t, Data, []string{"there is no model", `did you mean "` + dir + `"?`}, "train", small(t), "--from", dir+"l")
}

func TestFrom_OtherClassesAreRefused(t *testing.T) {
	out := filepath.Join(t.TempDir(), "m")
	named := func(names string) string {
		return small(t, "source: idx => classes: ["+names+"], source: idx")
	}
	first := filepath.Join(t.TempDir(), "first")
	must(t, "train", named("a, b, c, d, e, f, g, h, i, j"), "--out", first)
	must(t, "train", named("a, b, c, d, e, f, g, h, i, j"), "--out", out, "--from", first)
	refused(t, Config, []string{"was trained on the classes a, b", "b, a"}, "train", named("b, a, c, d, e, f, g, h, i, j"), "--out", out, "--from", first)
}

func TestFrom_ATableIsReadAsTheModelsWas(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "flowers.csv"), []byte(flowers(140)))
	path := write(t, filepath.Join(dir, "f.yaml"), []byte("data: {source: csv, path: flowers.csv, target: kind}\n"+flowersModel))
	first, next := filepath.Join(dir, "first"), filepath.Join(dir, "next")
	must(t, "train", path, "--out", first)
	want := object(t, "eval", first, filepath.Join(dir, "flowers.csv"))["accuracy"].(float64)
	// the same rows in other columns, without the first class and colour
	var b strings.Builder
	b.WriteString("kind,width,length,colour\n")
	for i, l := range strings.Split(strings.TrimSpace(flowers(140)), "\n") {
		f := strings.Split(l, ",")
		if i > 0 && f[1] == "red" && f[3] == "small" {
			b.WriteString(f[3] + "," + f[2] + "," + f[0] + "," + f[1] + "\n")
		}
	}
	write(t, filepath.Join(dir, "flowers2.csv"), []byte(b.String()))
	again := write(t, filepath.Join(dir, "g.yaml"), []byte("data: {source: csv, path: flowers2.csv, target: kind}\n"+strings.Replace(flowersModel, "epochs: 60", "epochs: 1", 1)))
	must(t, "train", again, "--from", first, "--out", next, "--set", "optimizer.learning_rate=1e-6")
	if got := object(t, "eval", next, filepath.Join(dir, "flowers.csv"))["accuracy"].(float64); got < want-0.02 {
		t.Errorf("accuracy %v before, %v after a step of next to nothing", want, got)
	}
}

func TestFrom_AnotherPreparationIsRefused(t *testing.T) {
	first := trained(t)
	out := filepath.Join(t.TempDir(), "m")
	for edit, place := range map[string]string{
		"scale: 1/255 => scale: 1/128": "small.yaml:2:", "prepare: [{rescale: {scale: 1/255}}] => prepare: []": "small.yaml:2:",
		"[{rescale: {scale: 1/255}}] => [{rescale: {scale: 1/255}}, flatten]": "small.yaml:2:",
	} {
		refused(t, Config, []string{place, "was trained with", "--from keeps the preparation"}, "train", small(t, edit), "--from", first, "--out", out)
	}
	fitted := trained(t, "[{rescale: {scale: 1/255}}] => [{rescale: {scale: 1/255}}, normalize]")
	must(t, "train", small(t, "[{rescale: {scale: 1/255}}] => [{rescale: {scale: 1/255}}, normalize]"), "--from", fitted, "--out", out)
	refused(t, Config, []string{"another preparation"}, "train", small(t, "[{rescale: {scale: 1/255}}] => [{rescale: {scale: 1/255}}, {normalize: {whole: true}}]"), "--from", fitted, "--out", out)
}

func TestFrom_NotesOfOthersStay(t *testing.T) {
	first := trained(t)
	m, err := kun.Load(first)
	if err != nil {
		t.Fatal(err)
	}
	m.Notes["other"] = json.RawMessage(`{"kept":true}`)
	if err := m.Save(first); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "m")
	must(t, "train", small(t), "--from", first, "--out", out)
	if m, err = kun.Load(out); err != nil || m.Notes["other"] == nil || noteOf(m) == nil {
		t.Errorf("%v %v", m.Notes, err)
	}
}
