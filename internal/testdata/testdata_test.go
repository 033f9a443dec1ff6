package testdata

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// stopped is what a recorder panics with where a test would end.
type stopped struct{ how, why string }

// recorder notes how a test would have ended.
type recorder struct{ testing.TB }

func (recorder) Helper()                   {}
func (recorder) Skipf(f string, a ...any)  { panic(stopped{"skip", fmt.Sprintf(f, a...)}) }
func (recorder) Fatalf(f string, a ...any) { panic(stopped{"fatal", fmt.Sprintf(f, a...)}) }
func outcome(f func()) (end stopped) {
	defer func() {
		if s, ok := recover().(stopped); ok {
			end = s
		}
	}()
	f()
	return
}

func TestDir_SkipsAndFailsOnlyInCI(t *testing.T) {
	base := t.TempDir()
	if err := os.MkdirAll(filepath.Join(base, "some", "set"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ ci, name, want string }{
		{"", "some/set", ""}, {"true", "some/set", ""}, {"", "other", "skip"}, {"true", "other", "fatal"},
	} {
		t.Setenv("CI", c.ci)
		t.Setenv("KUN_DATA", base)
		var got string
		end := outcome(func() { got = Dir(recorder{t}, c.name) })
		if end.how != c.want {
			t.Errorf("CI=%q %s: ended with %q, want %q", c.ci, c.name, end.how, c.want)
		}
		if c.want == "" && got != filepath.Join(base, "some", "set") {
			t.Errorf("CI=%q %s: found %s", c.ci, c.name, got)
		}
		if c.want != "" && !strings.Contains(end.why, "KUN_DATA") {
			t.Errorf("the message does not say what to set: %q", end.why)
		}
	}
}

func TestGolden_TakesItsVariable(t *testing.T) {
	base := t.TempDir()
	t.Setenv("KUN_GOLDEN", base)
	if got := Golden(t); got != base {
		t.Errorf("found %s, want %s", got, base)
	}
}

func TestFind_LooksBesideTheCheckout(t *testing.T) {
	top := t.TempDir()
	pkg := filepath.Join(top, "clone", "a", "b")
	data := filepath.Join(top, "shared", "data", "mnist")
	for _, d := range []string{pkg, data} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(top, "clone", "go.mod"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	t.Setenv("KUN_DATA", "")
	t.Chdir(pkg)
	got, err := find("KUN_DATA", filepath.Join("shared", "data"), "mnist")
	if err != nil || !sameFile(t, got, data) {
		t.Errorf("found %q (%v), want %s", got, err, data)
	}
}

func sameFile(t *testing.T, a, b string) bool {
	x, errX := os.Stat(a)
	y, errY := os.Stat(b)
	if errX != nil || errY != nil {
		t.Fatal(errX, errY)
	}
	return os.SameFile(x, y)
}
