package config

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/kun-ml/kun/internal/config/width"
)

// Error is a mistake in a configuration with its place.
type Error struct {
	File string // name of the file, or what was typed on the command line
	Line int    // from 1; 0 when there is no line to show
	Col  int    // from 1, in characters
	Msg  string
	Text string // the line itself
	Len  int    // characters to underline, at least 1
	Hint string // such as `did you mean "units"?`; may be empty
}

// columns is the width that the quoted line keeps to.
const columns = 80

// Error gives the message with the source line and a caret below the place, each line at most 80 columns where the
// message itself allows.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Head())
	if e.Line == 0 || e.Text == "" {
		if e.Hint != "" {
			b.WriteString("\n  hint " + e.Hint)
		}
		return b.String()
	}
	number := fmt.Sprintf("%4d | ", e.Line)
	line, before, under := window(e.Text, e.Col, e.Len, columns-len(number))
	fmt.Fprintf(&b, "\n%s%s\n     | %s%s", number, line, strings.Repeat(" ", before), strings.Repeat("^", under))
	if e.Hint == "" {
		return b.String()
	}
	if len(number)+before+under+1+len(e.Hint) > columns {
		b.WriteString("\n     | ")
	} else {
		b.WriteByte(' ')
	}
	b.WriteString(e.Hint)
	return b.String()
}

// Head is the message without the quoted line, "config.yaml:7:13: unknown key ...".
func (e *Error) Head() string {
	if e.Line == 0 {
		return width.Printable(e.File + ": " + e.Msg)
	}
	return width.Printable(fmt.Sprintf("%s:%d:%d: %s", e.File, e.Line, e.Col, e.Msg))
}

// Errors are all mistakes found in one reading, in the order of the file.
type Errors []*Error

// Error gives one after the other.
func (es Errors) Error() string {
	s := make([]string, len(es))
	for i, e := range es {
		s[i] = e.Error()
	}
	return strings.Join(s, "\n")
}

// Unwrap gives them to errors.As.
func (es Errors) Unwrap() []error {
	out := make([]error, len(es))
	for i, e := range es {
		out[i] = e
	}
	return out
}

// Errorf makes an error that points at the value, for rules beyond the types: hint stands below the caret and may be empty.
// A nil Node gives an error without a place.
func (n *Node) Errorf(hint, format string, args ...any) *Error {
	if n == nil {
		n = &Node{}
	}
	return n.at(hint, format, args...)
}

// at makes an error that points at a node.
func (n *Node) at(hint, format string, args ...any) *Error {
	e := &Error{Msg: fmt.Sprintf(format, args...), Hint: hint, Len: max(1, n.Width), File: "configuration"}
	if n.Src == nil {
		return e
	}
	e.File = n.Src.Name
	if i := n.Line - 1; i >= 0 && i < len(n.Src.Lines) {
		e.Line, e.Col, e.Text = n.Line, max(1, n.Col), n.Src.Lines[i]
	}
	return e
}

// window cuts a long line around the place, and gives the columns before it and below it.
func window(text string, col, length, room int) (line string, before, under int) {
	rs := []rune(text)
	for i, r := range rs {
		if r == '\t' || !unicode.IsPrint(r) {
			rs[i] = ' '
		}
	}
	from := min(max(col-1, 0), len(rs))
	to := min(from+max(length, 1), len(rs))
	lead, tail := "", ""
	if cells(rs) > room {
		start := max(0, from-room/4)
		for start < from && cells(rs[start:from]) > room/2 {
			start++
		}
		end := start
		for end < len(rs) && cells(rs[start:end+1]) <= room-2 {
			end++
		}
		if start > 0 {
			lead = "…"
		}
		if end < len(rs) {
			tail = "…"
		}
		rs, from, to = rs[start:end], from-start, min(to, end)-start
		to = max(to, from)
	}
	return lead + string(rs) + tail, len([]rune(lead)) + cells(rs[:from]), max(1, cells(rs[from:to]))
}

func cells(rs []rune) int { return width.Cells(string(rs)) }
