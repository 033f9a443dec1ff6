package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kun-ml/kun/array"
)

const measuresModel = `prepare: [normalize]
model: [{dense: {units: 2, activation: softmax}}]
loss: sparse_categorical_crossentropy
optimizer: {adam: {learning_rate: 0.1}}
metrics: [accuracy]
train: {epochs: 20, batch_size: 8}
`

// measures is a model of a table of three numbers and a kind, trained in a folder that it gives, too.
func measures(t *testing.T, keys string) (model, dir string) {
	t.Helper()
	dir = t.TempDir()
	var b strings.Builder
	b.WriteString("a,b,c,w,kind\n")
	for i := range 60 {
		x := float64(i % 10)
		kind := "low"
		if x > 4 {
			kind = "high"
		}
		b.WriteString(num(x) + "," + num(float64(i%3)) + "," + num(float64(i%4)) + ",1," + kind + "\n")
	}
	write(t, filepath.Join(dir, "t.csv"), []byte(b.String()))
	model = filepath.Join(dir, "m")
	must(t, "train", write(t, filepath.Join(dir, "c.yaml"), []byte("data: {source: csv, path: t.csv, target: kind, "+keys+"}\n"+measuresModel)), "--out", model)
	return model, dir
}

func TestPredict_ATableWithAMistakeIsNotReadByPosition(t *testing.T) {
	model, dir := measures(t, "skip: [w]")
	table := func(name, text string) string { return write(t, filepath.Join(dir, name), []byte(text)) }
	for _, text := range []string{"c,b,x\n1,2,3\n", "c,b,a\n1,2,3\n1,2,x\n", "c,b,a\n1,,3\n"} {
		log := refused(t, Data, []string{"p.csv"}, "predict", model, table("p.csv", text))
		if strings.Contains(text, "x\n1,2,3") && !strings.Contains(log, `no column "a"`) {
			t.Errorf("%s", log)
		}
		var out, e bytes.Buffer
		if code := Run(t.Context(), []string{"predict", model, "-"}, Streams{In: strings.NewReader(text), Out: &out, Err: &e}); code != Data || out.Len() > 0 {
			t.Errorf("standard input: code %d: %s%s", code, out.String(), e.String())
		}
	}
	want, _ := must(t, "predict", model, table("p.csv", "a,b,c\n9,0,1\n"))
	_, want, _ = strings.Cut(want, ": ")
	for name, text := range map[string]string{
		"other.csv": "c,a,b\n1,9,0\n", "plain.csv": "9,0,1\n", "other.dat": "c\ta\tb\n1\t9\t0\n", "other": "c;a;b;more\n1;9;0;x\n",
	} {
		out, _ := must(t, "predict", model, table(name, text))
		if _, got, _ := strings.Cut(out, ": "); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	out, _ := must(t, "predict", model, write(t, filepath.Join(dir, "other.gz"), packed(t, []byte("c,a,b\n1,9,0\n"))))
	if _, got, _ := strings.Cut(out, ": "); got != want {
		t.Errorf("gzip: %s, want %s", got, want)
	}
	refused(t, Data, []string{"line 1 has 2 columns", "3 numbers"}, "predict", model, table("p.csv", "9,0\n"))
	sub := filepath.Join(dir, "sub")
	if err := os.Mkdir(sub, 0o755); err != nil {
		t.Fatal(err)
	}
	table("sub/x.tsv", "c\ta\tb\n1\t9\t0\n")
	if out, _ := must(t, "predict", model, sub); !strings.HasSuffix(out, want) {
		t.Errorf("a folder: %s", out)
	}
}

// endless gives a line first and then the same row for so many bytes.
type endless struct {
	first, row string
	left       int
}

func (e *endless) Read(p []byte) (int, error) {
	n := 0
	for n+len(e.first)+len(e.row) < len(p) && e.left > 0 {
		n += copy(p[n:], e.first)
		n += copy(p[n:], e.row)
		e.first = ""
		e.left -= len(e.row)
	}
	if n == 0 {
		return copy(p, "8,bad,1\n"), nil
	}
	return n, nil
}

func TestPredict_ATableFromStandardInputIsReadToItsEnd(t *testing.T) {
	if testing.Short() {
		t.Skip("reads 260 MB")
	}
	model, _ := measures(t, "skip: [w]")
	var out, log bytes.Buffer
	in := &endless{first: "a,b,c\n", row: "9,0," + strings.Repeat("0", 60_000) + "\n", left: 260 << 20}
	if code := Run(t.Context(), []string{"predict", model, "-"}, Streams{In: in, Out: &out, Err: &log}); code != Data || !strings.Contains(log.String(), "bad") {
		t.Errorf("code %d: %.300s%.300s", code, out.String(), log.String())
	}
}

func TestEval_ATableWithoutTheWeights(t *testing.T) {
	model, dir := measures(t, "weight: w")
	path := write(t, filepath.Join(dir, "n.csv"), []byte("a,kind,b,c\n9,high,0,1\n0,low,0,1\n"))
	out, log := must(t, "eval", model, path)
	if !strings.Contains(out, "2 samples") || !strings.Contains(log, `no column "w": all rows count alike`) {
		t.Errorf("%s%s", out, log)
	}
}

func TestEval_FindsItsDataFromAnywhere(t *testing.T) {
	dir := t.TempDir()
	for _, d := range []string{"conf/data", "moved/data", "elsewhere"} {
		if err := os.MkdirAll(filepath.Join(dir, filepath.FromSlash(d)), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	x, y := blobs(40)
	for _, d := range []string{"conf", "moved"} {
		saveNPY(t, filepath.Join(dir, d, "data", "x.npy"), x)
		saveNPY(t, filepath.Join(dir, d, "data", "y.npy"), y)
	}
	write(t, filepath.Join(dir, "conf", "c.yaml"), []byte("data: {source: npy, path: data/x.npy, labels: data/y.npy, test_path: data/x.npy, test_labels: data/y.npy}"+blobsModel))
	t.Chdir(dir)
	must(t, "train", filepath.Join("conf", "c.yaml"), "--out", "m")
	t.Chdir(filepath.Join(dir, "elsewhere"))
	model := filepath.Join("..", "m")
	must(t, "eval", model)
	if err := os.RemoveAll(filepath.Join(dir, "conf")); err != nil {
		t.Fatal(err)
	}
	refused(t, Data, []string{"not where they were"}, "eval", model)
	must(t, "eval", model, "--data", filepath.Join("..", "moved"))
}

func TestEval_IgnoredClassesAreLeftOut(t *testing.T) {
	dir := t.TempDir()
	x, y := blobs(40)
	array.Data[int64](y)[0] = 9
	saveNPY(t, filepath.Join(dir, "x.npy"), x)
	saveNPY(t, filepath.Join(dir, "y.npy"), y)
	model := filepath.Join(dir, "m")
	must(t, "train", write(t, filepath.Join(dir, "c.yaml"), []byte("data: {source: npy, path: x.npy, labels: y.npy, test_path: x.npy, test_labels: y.npy}"+
		strings.Replace(blobsModel, "loss: sparse_categorical_crossentropy", "loss: {sparse_categorical_crossentropy: {ignore_classes: [9]}}", 1))), "--out", model)
	sum := 0.
	rows, _ := object(t, "eval", model)["confusion"].([]any)
	for _, r := range rows {
		for _, v := range r.([]any) {
			sum += v.(float64)
		}
	}
	if sum != 39 {
		t.Errorf("the matrix holds %v of 39 samples that count", sum)
	}
}

func TestPredict_SeveralLabelsAtOnce(t *testing.T) {
	dir := t.TempDir()
	x, y := array.New(array.Float32, 40, 2), array.New(array.Float32, 40, 3)
	xs, ys := array.Data[float32](x), array.Data[float32](y)
	for i := range 40 {
		a, b := float32(i%2), float32(i/2%2)
		xs[2*i], xs[2*i+1] = 2*a-1, 2*b-1
		ys[3*i], ys[3*i+1], ys[3*i+2] = a, b, 0
	}
	saveNPY(t, filepath.Join(dir, "x.npy"), x)
	saveNPY(t, filepath.Join(dir, "y.npy"), y)
	for _, form := range []string{"activation: sigmoid}}]\nloss: binary_crossentropy", "}}]\nloss: {binary_crossentropy: {from_logits: true}}"} {
		model := filepath.Join(dir, "m")
		must(t, "train", write(t, filepath.Join(dir, "c.yaml"), []byte("data: {source: npy, path: x.npy, labels: y.npy, test_path: x.npy, test_labels: y.npy, classes: [red, big, odd]}\n"+
			"model: [{dense: {units: 3, "+form+"\noptimizer: {adam: {learning_rate: 0.2}}\ntrain: {epochs: 60, batch_size: 8}\n")), "--out", model)
		out, _ := must(t, "predict", model, filepath.Join(dir, "x.npy"))
		lines := strings.Split(out, "\n")
		if !strings.Contains(lines[0], ": none of the labels; the likeliest: ") || !strings.Contains(lines[1], ": red (") || strings.Contains(lines[1], "big") ||
			!strings.Contains(lines[3], "red (") || !strings.Contains(lines[3], "big (") {
			t.Errorf("%s", strings.Join(lines[:4], "\n"))
		}
		p := object(t, "predict", model, filepath.Join(dir, "x.npy"))["predictions"].([]any)
		if n := len(p[3].(map[string]any)["labels"].([]any)); n != 2 || p[3].(map[string]any)["class"] != nil || len(p[0].(map[string]any)["labels"].([]any)) != 0 {
			t.Errorf("%v", p[:4])
		}
		if got := object(t, "eval", model); got["confusion"] != nil {
			t.Errorf("%v", got["confusion"])
		}
	}
}

func TestPredict_ManyAnswersOfASampleAreNoClasses(t *testing.T) {
	dir := t.TempDir()
	x, y := array.New(array.Float32, 8, 3, 2), array.New(array.Int32, 8, 3)
	saveNPY(t, filepath.Join(dir, "x.npy"), x)
	saveNPY(t, filepath.Join(dir, "y.npy"), y)
	model := filepath.Join(dir, "m")
	must(t, "train", write(t, filepath.Join(dir, "c.yaml"), []byte("data: {source: npy, path: x.npy, labels: y.npy, classes: [a, b]}"+strings.Replace(blobsModel, "metrics: [accuracy]\n", "", 1))), "--out", model)
	p := object(t, "predict", model, filepath.Join(dir, "x.npy"))["predictions"].([]any)[0].(map[string]any)
	if p["class"] != nil || len(p["output"].([]any)) != 6 {
		t.Errorf("%v", p)
	}
}
