package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kun-ml/kun"
	"github.com/kun-ml/kun/dataset"
	"github.com/kun-ml/kun/internal/testdata"
)

// TestQuickStart_Works runs the program whole, on the real data, and looks at the model that it leaves.
func TestQuickStart_Works(t *testing.T) {
	t.Setenv("KUN_DATA", filepath.Dir(testdata.Dir(t, "mnist")))
	t.Chdir(t.TempDir())
	main()
	m, err := kun.Load("mnist")
	if err != nil {
		t.Fatal(err)
	}
	_, test, err := dataset.MNIST(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	r, err := m.Evaluate(context.Background(), test)
	if err != nil {
		t.Fatal(err)
	}
	if acc, _ := r.Figure("accuracy"); acc < 0.973 {
		t.Errorf("%v", r)
	}
}

// TestQuickStart_StandsInTheREADME: the page shows this program, word for word but for the comment on top.
func TestQuickStart_StandsInTheREADME(t *testing.T) {
	program, err := os.ReadFile("main.go")
	if err != nil {
		t.Fatal(err)
	}
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, code, _ := strings.Cut(string(program), "package main")
	if !strings.Contains(string(readme), "```go\npackage main"+code+"```") {
		t.Error("the README shows another program than main.go")
	}
	lines := 0
	_, body, _ := strings.Cut(code, "func main() {")
	body, _, _ = strings.Cut(body, "\n}\n")
	for l := range strings.SplitSeq(body, "\n") {
		if strings.TrimSpace(l) != "" {
			lines++
		}
	}
	if lines >= 30 {
		t.Errorf("the program has %d lines", lines)
	}
}
