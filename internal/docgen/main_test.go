package main

import (
	"os"
	"testing"
)

func TestPages_AreUpToDate(t *testing.T) {
	b, err := os.ReadFile("../../docs/ops.md")
	if err != nil {
		t.Fatal(err)
	}
	if string(b) != Ops() {
		t.Error("docs/ops.md is out of date: run go generate ./internal/docgen")
	}
}
