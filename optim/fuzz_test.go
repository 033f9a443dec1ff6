package optim_test

import (
	"strings"
	"testing"

	"github.com/kun-ml/kun/optim"
)

// FuzzMatch holds for any text: no panic, a pattern without special signs fits itself alone, and "**" fits everything.
func FuzzMatch(f *testing.F) {
	for _, s := range [][2]string{{"**.Bias", "A.Bias"}, {"{a,b.**}", "b.c"}, {"A.**.B", "A.B"}, {"{", "a"}, {"a,b", "a,b"}, {"ä*", "äö"}} {
		f.Add(s[0], s[1])
	}
	f.Fuzz(func(t *testing.T, pattern, path string) {
		got := optim.Match(pattern, path)
		if got && optim.CheckPattern(pattern) != nil {
			t.Errorf("the broken pattern %q fits %q", pattern, path)
		}
		if optim.CheckPattern(pattern) == nil && !strings.ContainsAny(pattern, "*{}") && got != (pattern == path) {
			t.Errorf("the plain pattern %q fits %q: %v", pattern, path, got)
		}
		if !optim.Match("**", path) {
			t.Errorf("** does not fit %q", path)
		}
	})
}

// FuzzUnmarshal holds for any bytes: no panic, and what reads is written and read again to the same bytes.
func FuzzUnmarshal(f *testing.F) {
	for _, s := range []string{`"adam"`, `{"sgd":{"schedule":{"cosine":{"peak":0.1,"steps":100}},"momentum":0.9}}`, `{"adamw":{"beta1":0}}`, `{"adam":[]}`, `[`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		o, err := optim.Unmarshal(b)
		if err != nil {
			return
		}
		first, err := optim.Marshal(o)
		if err != nil {
			t.Fatalf("%s reads but does not write: %v", b, err)
		}
		o, err = optim.Unmarshal(first)
		if err != nil {
			t.Fatalf("%s does not read: %v", first, err)
		}
		if second, _ := optim.Marshal(o); string(second) != string(first) {
			t.Errorf("%s becomes %s", first, second)
		}
	})
}
