package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// TestGenerated_IsCurrent: the files beside the kernels are, byte for byte, what this program writes.
func TestGenerated_IsCurrent(t *testing.T) {
	dir := t.TempDir()
	generate(dir)
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(files) != 6 {
		t.Fatalf("wrote %d files, want 6 (%v)", len(files), err)
	}
	for _, f := range files {
		want, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(filepath.Join("..", "..", filepath.Base(f)))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s is not what the generator writes; run go generate ./internal/kernel", filepath.Base(f))
		}
	}
}
