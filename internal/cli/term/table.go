package term

import (
	"strings"

	"github.com/kun-ml/kun/internal/config/width"
)

// Table is rows of text under headings. Numbers read best at the right.
type Table struct {
	Header []string
	Right  []bool // columns aligned at the right; missing: left
	Rows   [][]string
	Total  []string // a last row below a rule; may be nil
}

// Add appends a row.
func (t *Table) Add(cells ...string) {
	for i, c := range cells {
		cells[i] = plain(c)
	}
	t.Rows = append(t.Rows, cells)
}

// plain is a name of anything as one line that moves nothing on a terminal.
func plain(s string) string { return width.Printable(strings.ReplaceAll(s, "\n", "?")) }

// Render writes the table, two spaces between columns, at most as wide as the screen: the widest left-aligned columns are
// cut first.
func (t *Table) Render(s *Screen) error {
	n := len(t.Header)
	rows := t.Rows
	if t.Total != nil {
		rows = append(rows[:len(rows):len(rows)], t.Total)
	}
	for _, r := range rows {
		n = max(n, len(r))
	}
	if n == 0 {
		return nil
	}
	widths := make([]int, n)
	for _, r := range append([][]string{t.Header}, rows...) {
		for i, c := range r {
			widths[i] = max(widths[i], width.Cells(c))
		}
	}
	t.fit(widths, s.Width())
	var b strings.Builder
	rule := "-"
	if s.Unicode {
		rule = "─"
	}
	total := 2 * (n - 1)
	for _, w := range widths {
		total += w
	}
	line := s.Style(Dim, strings.Repeat(rule, total)) + "\n"
	if len(t.Header) > 0 {
		t.row(&b, s, t.Header, widths, Bold)
		b.WriteString(line)
	}
	for i, r := range rows {
		if t.Total != nil && i == len(rows)-1 {
			b.WriteString(line)
		}
		t.row(&b, s, r, widths, "")
	}
	_, err := s.Write([]byte(b.String()))
	return err
}

func (t *Table) right(i int) bool { return i < len(t.Right) && t.Right[i] }

// fit narrows columns until the table is at most room columns wide, left-aligned ones first, none below 4.
func (t *Table) fit(widths []int, room int) {
	total := 2 * (len(widths) - 1)
	for _, w := range widths {
		total += w
	}
	for total > room {
		widest := -1
		for pass := 0; pass < 2 && widest < 0; pass++ {
			for i, w := range widths {
				if w > 4 && (pass == 1 || !t.right(i)) && (widest < 0 || w > widths[widest]) {
					widest = i
				}
			}
		}
		if widest < 0 {
			return
		}
		widths[widest]--
		total--
	}
}

func (t *Table) row(b *strings.Builder, s *Screen, cells []string, widths []int, style string) {
	var line strings.Builder
	for i, w := range widths {
		c := ""
		if i < len(cells) {
			c = s.Cut(cells[i], w)
		}
		pad := strings.Repeat(" ", w-width.Cells(c))
		if i > 0 {
			line.WriteString("  ")
		}
		if t.right(i) {
			line.WriteString(pad + c)
		} else {
			line.WriteString(c + pad)
		}
	}
	text := strings.TrimRight(line.String(), " ")
	if style != "" {
		text = s.Style(style, text)
	}
	b.WriteString(text + "\n")
}
