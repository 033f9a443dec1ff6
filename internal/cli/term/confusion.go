package term

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/kun-ml/kun/internal/config/width"
)

// Confusion writes a confusion matrix: counts[i][j] samples of class i were taken for class j. Where the matrix does not
// fit the screen, the most frequent confusions are listed instead. names may be nil: the classes count from 0.
func Confusion(s *Screen, counts [][]int64, names []string) error {
	n := len(counts)
	if n == 0 {
		return nil
	}
	label := make([]string, n)
	for i := range label {
		label[i] = strconv.Itoa(i)
		if i < len(names) {
			label[i] = plain(names[i])
		}
	}
	cellW, labelW := 1, len("true")
	for i, row := range counts {
		if len(row) != n {
			return fmt.Errorf("term: confusion matrix: row %d has %d columns, want %d", i, len(row), n)
		}
		for _, c := range row {
			cellW = max(cellW, len(strconv.FormatInt(c, 10)))
		}
		labelW = max(labelW, min(16, width.Cells(label[i])))
	}
	fullW, headW := cellW, cellW
	for _, l := range label {
		fullW = max(fullW, min(16, width.Cells(l)))
		headW = max(headW, min(6, width.Cells(l)))
	}
	for _, w := range []int{fullW, headW, cellW} { // class names in full, or cut, at last to the width of the counts
		if labelW+1+n*(w+1)+8 <= s.Width() {
			return matrix(s, counts, label, labelW, w)
		}
	}
	return confusions(s, counts, label)
}

func matrix(s *Screen, counts [][]int64, label []string, labelW, w int) error {
	var b strings.Builder
	b.WriteString(s.Style(Dim, "true") + strings.Repeat(" ", labelW-4) + " ")
	for _, l := range label {
		l = s.Cut(l, w)
		b.WriteString(" " + strings.Repeat(" ", w-width.Cells(l)) + s.Style(Bold, l))
	}
	b.WriteString(s.Style(Dim, "  recall") + "\n")
	for i, row := range counts {
		l := s.Cut(label[i], labelW)
		b.WriteString(s.Style(Bold, l) + strings.Repeat(" ", labelW-width.Cells(l)) + " ")
		var sum int64
		for j, c := range row {
			sum += c
			text := strconv.FormatInt(c, 10)
			if c == 0 {
				text = "."
				if s.Unicode {
					text = "·"
				}
			}
			pad := strings.Repeat(" ", w-width.Cells(text))
			switch {
			case i == j:
				text = s.Style(Green, text)
			case c == 0:
				text = s.Style(Dim, text)
			}
			b.WriteString(" " + pad + text)
		}
		fmt.Fprintf(&b, "  %6s\n", ratio(row[i], sum))
	}
	_, err := s.Write([]byte(b.String()))
	return err
}

func ratio(a, b int64) string {
	if b == 0 {
		return "-"
	}
	return strconv.FormatFloat(float64(a)/float64(b), 'f', 4, 64)
}

// confusions lists the most frequent mistakes of many classes.
func confusions(s *Screen, counts [][]int64, label []string) error {
	type pair struct {
		i, j int
		n    int64
	}
	var ps []pair
	for i, row := range counts {
		for j, c := range row {
			if i != j && c > 0 {
				ps = append(ps, pair{i, j, c})
			}
		}
	}
	slices.SortStableFunc(ps, func(a, b pair) int { return int(b.n - a.n) })
	t := Table{Header: []string{"true", "taken for", "times"}, Right: []bool{false, false, true}}
	for _, p := range ps[:min(10, len(ps))] {
		t.Add(label[p.i], label[p.j], Thousands(p.n))
	}
	return t.Render(s)
}
