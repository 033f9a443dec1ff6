package data

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// HeaderMode says whether the first line of a table names its columns.
type HeaderMode int

// HeaderAuto takes the first line for names when not one of its fields is a number.
const (
	HeaderAuto HeaderMode = iota
	HeaderYes
	HeaderNo
)

// CSVReader reads a table row by row: UTF-8 text, plain or packed by gzip, with or without a byte order mark, columns
// separated by comma, semicolon or tab, fields in quotes where they hold any of these.
type CSVReader struct {
	names []string
	csv   *csv.Reader
	file  *packed
	first []string // the first line, when it is no header
	line  int
}

// NewCSVReader begins to read. A comma of 0 means the one of comma, semicolon and tab that the first line has most of.
func NewCSVReader(r io.Reader, comma rune, header HeaderMode) (*CSVReader, error) {
	return newCSVReader(r, "", comma, header)
}

func newCSVReader(r io.Reader, path string, comma rune, header HeaderMode) (*CSVReader, error) {
	p, err := open(r, path)
	if err != nil {
		return nil, err
	}
	c := &CSVReader{file: p}
	text := bufio.NewReaderSize(p, 1<<16)
	if head, _ := text.Peek(3); string(head) == "\ufeff" {
		_, _ = text.Discard(3)
	}
	if comma == 0 {
		head, _ := text.Peek(text.Size())
		line, _, _ := bytes.Cut(bytes.TrimLeft(head, "\r\n"), []byte("\n"))
		comma = sniffComma(line)
	}
	if comma == '"' || comma == '\r' || comma == '\n' || !utf8.ValidRune(comma) {
		return nil, fmt.Errorf("data: CSV: %q cannot separate columns", comma)
	}
	c.csv = csv.NewReader(text)
	c.csv.Comma, c.csv.FieldsPerRecord, c.csv.ReuseRecord, c.csv.TrimLeadingSpace = comma, -1, true, comma != '\t'
	rec, err := c.Read()
	switch {
	case err == io.EOF:
		return c, nil
	case err != nil:
		return nil, err
	case header == HeaderYes, header == HeaderAuto && isHeader(rec):
		c.names = cloneStrings(rec)
	default:
		c.first = cloneStrings(rec)
	}
	return c, nil
}

func cloneStrings(s []string) []string { return append([]string{}, s...) }

// sniffComma is the likely separator of a line.
func sniffComma(line []byte) rune {
	count, quoted := map[byte]int{}, false
	for _, b := range line {
		if b == '"' {
			quoted = !quoted
		}
		if !quoted {
			count[b]++
		}
	}
	best := byte(',')
	for _, b := range []byte(";\t") {
		if count[b] > count[best] {
			best = b
		}
	}
	return rune(best)
}

// longestRow is the number of bytes that a row may have: a small packed file could hold one that fills the memory.
var longestRow = int64(64 << 20)

var errLongRow = errors.New("a row is too long to be one; perhaps a quote was not closed")

// record reads a row.
func (c *CSVReader) record() ([]string, error) {
	c.file.limit = c.file.out + longestRow
	return c.csv.Read()
}

// isHeader reports whether a first row names the columns: not one field is a number, and not all are empty.
func isHeader(rec []string) bool {
	for _, s := range rec {
		if _, err := strconv.ParseFloat(s, 64); err == nil {
			return false
		}
	}
	return strings.Join(rec, "") != ""
}

// Names are the names of the columns, from the header; nil when the table has none.
func (c *CSVReader) Names() []string { return c.names }

// Line is the line on which the last row began, counted from 1.
func (c *CSVReader) Line() int { return c.line }

// Read gives the next row, without blanks around its fields; io.EOF after the last. Blank lines are skipped. The slice is
// used again by the next call. Other errors are *FormatError with the line, or those of the reader below.
func (c *CSVReader) Read() ([]string, error) {
	if c.first != nil {
		rec := c.first
		c.first = nil
		return rec, nil
	}
	for {
		rec, err := c.record()
		if err != nil {
			return nil, c.failed(err)
		}
		c.line, _ = c.csv.FieldPos(0)
		for i, s := range rec {
			rec[i] = strings.TrimSpace(s)
			if !utf8.ValidString(s) || strings.ContainsRune(s, 0) {
				return nil, c.bad(i+1, "%q is not text in UTF-8", shorten(s))
			}
		}
		if len(rec) > 1 || rec[0] != "" {
			return rec, nil
		}
	}
}

func (c *CSVReader) failed(err error) error {
	var p *csv.ParseError
	switch broken := c.file.broken(); {
	case err == io.EOF:
		return err
	case broken != nil:
		return broken
	case errors.As(err, &p):
		return &FormatError{Format: "CSV", Path: c.file.path, Why: err.Error(), Err: err}
	}
	return err
}

// bad is an error on the line of the last row; column counts from 1, 0 for none.
func (c *CSVReader) bad(column int, format string, a ...any) error {
	return &FormatError{Format: "CSV", Path: c.file.path, Line: c.line, Column: column, Why: fmt.Sprintf(format, a...)}
}

func shorten(s string) string {
	if len(s) > 40 {
		return strings.ToValidUTF8(s[:40], "") + "..."
	}
	return s
}

// ParseNumber reads a finite decimal number, blanks around it allowed. The error tells what else it is.
func ParseNumber(s string) (float64, error) {
	s = strings.TrimSpace(s)
	v, err := strconv.ParseFloat(s, 64)
	switch {
	case s == "":
		return 0, errors.New("is empty")
	case errors.Is(err, strconv.ErrRange):
		return 0, fmt.Errorf("%s is too large", shorten(s))
	case err != nil && strings.Count(s, ",") == 1 && !strings.Contains(s, "."):
		if _, err := strconv.ParseFloat(strings.Replace(s, ",", ".", 1), 64); err == nil {
			return 0, fmt.Errorf("%q is not a number; write it with a point", shorten(s))
		}
		fallthrough
	case err != nil:
		return 0, fmt.Errorf("%q is not a number", shorten(s))
	case math.IsNaN(v) || math.IsInf(v, 0):
		return 0, fmt.Errorf("%s is not a finite number", shorten(s))
	}
	return v, nil
}
