package testdata

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// Dir is the folder of the data set called name, such as "mnist" or "models/safetensors": $KUN_DATA/name, else
// shared/data/name beside the checkout. Without it the test is skipped, or fails when CI=true.
func Dir(t testing.TB, name string) string {
	t.Helper()
	return need(t, "KUN_DATA", filepath.Join("shared", "data"), name)
}

// Golden is the folder of vectors made by Keras: $KUN_GOLDEN, else shared/golden/keras beside the checkout. Without it the test
// is skipped, or fails when CI=true.
func Golden(t testing.TB) string {
	t.Helper()
	return need(t, "KUN_GOLDEN", filepath.Join("shared", "golden", "keras"), ".")
}

// need is the folder name below $env or below beside, or the end of the test.
func need(t testing.TB, env, beside, name string) string {
	t.Helper()
	dir, err := find(env, beside, name)
	switch {
	case err == nil:
		return dir
	case os.Getenv("CI") == "true":
		t.Fatalf("needed here (CI=true): %v", err)
	default:
		t.Skipf("%v", err)
	}
	return ""
}

// find looks for the folder name below $env, or below beside in the folder that holds the checkout.
func find(env, beside, name string) (string, error) {
	base := os.Getenv(env)
	if base == "" {
		root, err := moduleRoot()
		if err != nil {
			return "", err
		}
		base = filepath.Join(filepath.Dir(root), beside)
	}
	dir := filepath.Join(base, filepath.FromSlash(name))
	if s, err := os.Stat(dir); err != nil || !s.IsDir() {
		return "", fmt.Errorf("no folder %s; set %s to where %s is", dir, env, filepath.Base(beside))
	}
	return dir, nil
}

// moduleRoot is the nearest folder with a go.mod, from the working directory upward.
func moduleRoot() (string, error) {
	at, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for ; ; at = filepath.Dir(at) {
		if _, err := os.Stat(filepath.Join(at, "go.mod")); err == nil {
			return at, nil
		}
		if at == filepath.Dir(at) {
			return "", fmt.Errorf("no go.mod above the working directory")
		}
	}
}
