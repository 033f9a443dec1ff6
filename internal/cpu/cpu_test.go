package cpu

import (
	"strings"
	"testing"
)

func TestLevels_AreOrderedAndBeginWithGo(t *testing.T) {
	all := Levels()
	if all[0] != Go {
		t.Fatalf("first level %v", all[0])
	}
	for i := 1; i < len(all); i++ {
		if all[i] <= all[i-1] {
			t.Fatalf("levels %v are not ordered", all)
		}
	}
	if Best() != all[len(all)-1] {
		t.Fatalf("best %v of %v", Best(), all)
	}
}

func TestChoose_ObeysOrWarns(t *testing.T) {
	have := []Level{Go, AVX2, AVX512}
	for _, c := range []struct {
		wish string
		want Level
		warn bool
	}{{"", AVX512, false}, {"avx2", AVX2, false}, {"GO", Go, false}, {"neon", AVX512, true}, {"sse", AVX512, true}} {
		got := choose(c.wish, have)
		if got.level != c.want || (got.warning != "") != c.warn {
			t.Errorf("KUN_CPU=%q gave %v, %q", c.wish, got.level, got.warning)
		}
		if c.warn && !strings.Contains(got.warning, "go, avx2, avx512") {
			t.Errorf("the warning does not list the levels: %q", got.warning)
		}
	}
}

func TestCaches_ArePlausible(t *testing.T) {
	c := Caches()
	if c.L1 < 4<<10 || c.L2 < c.L1 || c.L3 < 1<<18 {
		t.Fatalf("caches %+v", c)
	}
}

func TestLevel_String(t *testing.T) {
	if AVX512.String() != "avx512" || Level(77).String() != "Level(77)" {
		t.Fatal("names of levels")
	}
}
