package width

import "testing"

func TestCells(t *testing.T) {
	for text, want := range map[string]int{"": 0, "abc": 3, "é": 1, "e\u0301": 1, "鲲": 2, "a鲲b": 4, "한": 2, "━": 1, "🐟": 2, "Ａ": 2} {
		if got := Cells(text); got != want {
			t.Errorf("Cells(%q) = %d, want %d", text, got, want)
		}
	}
}
