package cli

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// foreign is a program in another module: a network of its own type, trained and saved.
const foreign = `package main

import (
	"context"
	"fmt"
	"os"

	"github.com/kun-ml/kun"
	"github.com/kun-ml/kun/dataset"
	"github.com/kun-ml/kun/loss"
	"github.com/kun-ml/kun/metric"
	"github.com/kun-ml/kun/nn"
	"github.com/kun-ml/kun/prep"
	"github.com/kun-ml/kun/tensor"
)

// Residual is a network that no other program knows: two branches whose sum is classified.
type Residual struct {
	Wide, Narrow, Back, Head nn.Dense
}

// Forward gives logits.
func (r *Residual) Forward(x *tensor.Tensor) *tensor.Tensor {
	x = x.Reshape(x.Dim(0), 784)
	a := r.Wide.Forward(x).ReLU()
	b := r.Back.Forward(r.Narrow.Forward(x).Tanh())
	return r.Head.Forward(a.Add(b).Mul(a.Sigmoid()))
}

func main() {
	ctx := context.Background()
	train, test, err := dataset.Digits(ctx)
	check(err)
	net := &Residual{Wide: nn.Dense{Units: 32}, Narrow: nn.Dense{Units: 8}, Back: nn.Dense{Units: 32}, Head: nn.Dense{Units: 10}}
	m := &kun.Model{
		Prepare: prep.Pipeline{&prep.Rescale{Scale: 1. / 255}},
		Net:     net,
		Loss:    loss.SparseCategoricalCrossEntropy{FromLogits: true},
		Metrics: []metric.Metric{metric.Accuracy{}},
	}
	_, err = m.Fit(ctx, train, kun.FitOptions{Epochs: 2, Seed: 1})
	check(err)
	r, err := m.Evaluate(ctx, test)
	check(err)
	accuracy, _ := r.Figure("accuracy")
	check(m.Save(os.Args[1]))
	fmt.Println(r.Loss, accuracy, m.WeightsSHA256())
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
`

// TestForeignModel_IsServedByThePlainCommand builds a program in a module of its own that trains and saves a network of its
// own type; the command, which has never seen the type, evaluates and predicts with the saved program.
func TestForeignModel_IsServedByThePlainCommand(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a program")
	}
	gotool, err := exec.LookPath("go")
	if err != nil {
		t.Skip("no go command")
	}
	repo, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	mod, err := os.ReadFile(filepath.Join(repo, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	sum, err := os.ReadFile(filepath.Join(repo, "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	_, requirements, _ := strings.Cut(string(mod), "\n") // the same versions, which are at hand
	write(t, filepath.Join(dir, "go.mod"), []byte("module example.org/residual\n"+requirements+
		"\nrequire github.com/kun-ml/kun v0.0.0\n\nreplace github.com/kun-ml/kun => "+filepath.ToSlash(repo)+"\n"))
	write(t, filepath.Join(dir, "go.sum"), sum)
	write(t, filepath.Join(dir, "main.go"), []byte(foreign))
	program, model := filepath.Join(dir, "residual.exe"), filepath.Join(dir, "model")
	build := exec.Command(gotool, "build", "-mod=mod", "-o", program, ".")
	build.Dir, build.Env = dir, append(os.Environ(), "GOFLAGS=", "GOPROXY=off", "GOWORK=off", "GOTOOLCHAIN=local")
	if text, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	var told bytes.Buffer
	use := exec.Command(program, model)
	use.Stdout, use.Stderr = &told, os.Stderr
	if err := use.Run(); err != nil {
		t.Fatal(err)
	}
	words := strings.Fields(told.String()) // loss, accuracy, hash
	got := object(t, "eval", model)
	if got["dataset"] != "digits" || got["accuracy"].(float64) < 0.9 || len(words) != 3 || words[2] != got["weights_sha256"] {
		t.Errorf("%v\n%s", got, told.String())
	}
	for i, name := range []string{"loss", "accuracy"} {
		if want, err := strconv.ParseFloat(words[i], 64); err != nil || got[name] != want {
			t.Errorf("%s is %v here, the program that made the model says %v", name, got[name], words[i])
		}
	}
	out, _ := must(t, "predict", model, write(t, "x.png", picture(t, 28, false)))
	if !strings.Contains(out, "x.png: ") || !strings.Contains(out, "%)") {
		t.Errorf("%s", out)
	}
	if out, _ = must(t, "inspect", model); !strings.Contains(out, "main.Residual (program)") {
		t.Errorf("%s", out)
	}
}
