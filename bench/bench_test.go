package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestRatio_IsTheMedianOverRounds(t *testing.T) {
	if got := ratio([]float64{2, 9, 30}, []float64{1, 3, 3, 7}); got != 3 {
		t.Errorf("ratio %v, want 3", got)
	}
	if got := median([]float64{4, 1, 3, 2}); got != 2.5 {
		t.Errorf("median %v, want 2.5", got)
	}
	if median(nil) != 0 || ratio(nil, []float64{1}) != 0 || mean(nil) != 0 {
		t.Error("figures that were not measured are not zero")
	}
}

func TestFindData_LooksIntoTheFolderAndBelow(t *testing.T) {
	dir := t.TempDir()
	if got, err := findData(dir, dir); err == nil {
		t.Errorf("found %s in an empty folder", got)
	}
	below := filepath.Join(dir, "mnist")
	if err := os.MkdirAll(below, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(below, "train-images-idx3-ubyte"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if got, err := findData(dir, dir); err != nil || got != below {
		t.Errorf("got %q, %v, want %q", got, err, below)
	}
}

func TestPeers_HaveTheirScripts(t *testing.T) {
	for _, k := range kinds {
		if _, err := os.Stat(filepath.Join("peers", k.script)); err != nil {
			t.Errorf("%s: %v", k.name, err)
		}
	}
}

// TestKun_Answers builds Kun and asks it everything once.
func TestKun_Answers(t *testing.T) {
	root, err := findRoot()
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	o := &options{root: root, threads: 1, rounds: 1, steps: 2}
	k, err := buildKun(ctx, o, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	p, err := start(ctx, "kun", k.peer, "-threads", "1")
	if err != nil {
		t.Fatal(err)
	}
	defer p.quit()
	for _, question := range []string{"first 1", "step 2", "predict 3 2", "call 1 2", "gemm 5 7 9 0 1 1", "gemm 5 7 9 1 0 1"} {
		if command, _, _ := strings.Cut(question, " "); !p.can(command) {
			t.Errorf("%s is not offered", command)
		}
		if a, err := p.ask("%s", question); err != nil || a.Seconds <= 0 {
			t.Errorf("%s: %+v, %v", question, a, err)
		}
	}
	for _, question := range []string{"gemm 0 1 1 0 0 1", "gemm 999999999 999999999 999999999 0 0 1", "predict 0 1", "step", "step x", "nothing"} {
		if a, err := p.ask("%s", question); err == nil {
			t.Errorf("%s: %+v, want an error", question, a)
		}
	}
	if a, err := p.ask("step 1"); err != nil {
		t.Errorf("after errors: %+v, %v", a, err)
	}
}

// TestReport_SaysWhatIsMissing prints a report in which one peer failed and one figure was never measured.
func TestReport_SaysWhatIsMissing(t *testing.T) {
	r := &report{Machine: "machine", Systems: []*system{
		{Name: "kun", Title: "**Kun**", Epoch: []float64{1, 1}, Step: []float64{1e-4}, Allocs: map[string]float64{}},
		{Name: "jax", Title: "JAX", Epoch: []float64{4, 3}},
	}}
	r.leave("torch", os.ErrNotExist)
	var b strings.Builder
	r.print(&b)
	if strings.Contains(b.String(), "allocations") {
		t.Errorf("a figure that was never measured is met:\n%s", b.String())
	}
	for _, want := range []string{"| **Kun** | 1.00 | 1.0 | 100 |", "| JAX | 3.50 | 3.5 | - | - |", "0.29 x | met", "torch: file does not exist"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, b.String())
		}
	}
}

func TestQuiet_GivesUp(t *testing.T) {
	if _, ok := busy(); !ok {
		t.Skip("the load of this machine cannot be known")
	}
	q := &quiet{patience: 1}
	q.wait()
	if len(q.others) != 1 || q.others[0] < 0 {
		t.Errorf("after one wait: %v", q.others)
	}
	if s := q.String(); !strings.Contains(s, "mean of 1") {
		t.Errorf("%q", s)
	}
}

// TestCommonPy_SurvivesBadLines asks a peer that can do next to nothing what it cannot answer.
func TestCommonPy_SurvivesBadLines(t *testing.T) {
	python, err := systemPython()
	if err != nil {
		t.Skip("no Python")
	}
	dir, err := filepath.Abs("peers")
	if err != nil {
		t.Fatal(err)
	}
	script := filepath.Join(t.TempDir(), "peer.py")
	if err := os.WriteFile(script, []byte("import sys\nsys.path.insert(0, sys.argv.pop())\nfrom common import Peer, arguments, serve\n"+
		"class P(Peer):\n    def read(self): raise OSError('no data')\nserve(P(arguments()), {}, 0)\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	p, err := start(t.Context(), "peer", python, script, "-data", "none", dir)
	if err != nil {
		t.Fatal(err)
	}
	defer p.quit()
	for _, question := range []string{"", "nothing", "step x", "epoch 1", "step"} {
		if _, err := p.ask("%s", question); err == nil || strings.Contains(err.Error(), "ended") {
			t.Errorf("%q: %v", question, err)
		}
	}
}

// TestAsk_AStoppedRunBlamesNobody asks after Ctrl-C.
func TestAsk_AStoppedRunBlamesNobody(t *testing.T) {
	r, s := &report{}, &system{Name: "x", p: &process{hello: reply{Can: []string{"step"}}}}
	r.ask(&options{over: func() bool { return true }}, s, "step", &s.Step, "step 1")
	if len(r.Left) > 0 || s.p == nil || len(s.Step) > 0 {
		t.Errorf("%+v %+v", r, s)
	}
}
