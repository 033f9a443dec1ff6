package data

import (
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
)

// Missing says what happens to a value that is not there.
type Missing int

// MissingError refuses the table and names line and column. MissingDrop leaves out the row; Table.Dropped counts. MissingKeep
// reads NaN in a column of numbers, and the category "" in a column of categories.
const (
	MissingError Missing = iota
	MissingDrop
	MissingKeep
)

// CSVOptions says how a table is read. The zero value reads all columns and finds out the rest.
//
// Columns are named by the header; without one they are "1", "2", ... Where a name is asked for, a number that is no name
// counts columns, from 1, negative ones from the end: "-1" is the last.
type CSVOptions struct {
	Comma      rune       // separator; 0: the one of , ; and tab that the first line has most of
	Header     HeaderMode // whether the first line names the columns
	Columns    []string   // the columns to read; nil: all
	Skip       []string   // columns to leave out
	Categories []string   // columns of categories although they look like numbers, such as class numbers or postal codes
	Missing    Missing    // what to do where a value is missing
	NA         []string   // what stands for a missing value; nil: "", ?, NA, N/A, NaN, nan, null, None
	Like       *Table     // a table already read, such as the training data: the same columns, the same codes of categories
}

// missingValues are the texts that stand for a missing value unless CSVOptions.NA says otherwise.
var missingValues = []string{"", "?", "NA", "N/A", "NaN", "nan", "null", "None"}

// ReadCSV reads a table. A column whose first value is a number is one of numbers, and a later value that is none is an
// error with line and column; any other column is one of categories. Categories are coded by their order: sorted, as
// numbers where all are numbers. Rows of different length and unknown columns are errors; so is a table without rows.
func ReadCSV(r io.Reader, o CSVOptions) (*Table, error) { return readCSV(r, "", o) }

// ReadCSVFile is ReadCSV of a file, plain or packed by gzip; errors name it.
func ReadCSVFile(path string, o CSVOptions) (*Table, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, openError(path, err)
	}
	defer f.Close()
	return readCSV(f, path, o)
}

func readCSV(r io.Reader, path string, o CSVOptions) (*Table, error) {
	c, err := newCSVReader(r, path, o.Comma, o.Header)
	if err != nil {
		return nil, err
	}
	rec, err := c.Read()
	if err != nil {
		if errors.Is(err, io.EOF) {
			err = &FormatError{Format: "CSV", Path: path, Why: "the table has no rows"}
		}
		return nil, err
	}
	t := &tableReader{c: c, o: o, na: map[string]bool{}}
	if o.NA == nil { // an empty list: nothing stands for a missing value
		o.NA = missingValues
	}
	for _, s := range o.NA {
		t.na[s] = true
	}
	if err := t.choose(len(rec)); err != nil {
		return nil, err
	}
	for ; err == nil; rec, err = c.Read() {
		if err := t.row(rec); err != nil {
			return nil, err
		}
	}
	if !errors.Is(err, io.EOF) {
		return nil, err
	}
	return t.table()
}

// tableReader builds the columns of a table.
type tableReader struct {
	c       *CSVReader
	o       CSVOptions
	na      map[string]bool
	width   int // columns in the file
	columns []*column
	rows    int
	dropped int
}

// column is a column that is being read.
type column struct {
	name    string
	at      int              // in the file
	kind    byte             // 'n' numbers, 'c' categories, 0 as long as all values are missing
	fixed   bool             // the categories are given by Like
	numbers []float64        // of kind 'n'
	codes   []int32          // of kind 'c': order of first appearance until the end
	code    map[string]int32 // of kind 'c'
	words   []string         // of kind 'c'
}

// choose decides which columns are read.
func (t *tableReader) choose(width int) error {
	t.width = width
	names, err := t.names()
	if err != nil {
		return err
	}
	list := t.o.Columns
	if t.o.Like != nil && list == nil {
		list = t.o.Like.names()
	}
	read, err := t.find(names, "", list)
	if err != nil {
		return err
	}
	if list == nil {
		for i := range names {
			read = append(read, i)
		}
	}
	like := map[string]*Column{}
	if t.o.Like != nil {
		for i := range t.o.Like.Columns {
			like[t.o.Like.Columns[i].Name] = &t.o.Like.Columns[i]
		}
	}
	skip, err := t.find(names, "Skip: ", t.o.Skip)
	if err != nil {
		return err
	}
	categories, err := t.find(names, "Categories: ", t.o.Categories)
	if err != nil {
		return err
	}
	const skipped, taken = 1, 2
	state := make([]byte, width)
	for _, at := range skip {
		state[at] = skipped
	}
	category := make([]bool, width)
	for _, at := range categories {
		category[at] = true
	}
	for _, at := range read {
		switch state[at] {
		case skipped:
			continue
		case taken:
			return fmt.Errorf("data: %sCSV: column %q is asked for twice", prefixPath(t.c.file.path), names[at])
		}
		state[at] = taken
		c := &column{name: names[at], at: at}
		if category[at] {
			c.kind = 'c'
		}
		if t.o.Like != nil {
			if err := c.like(like[c.name]); err != nil {
				return err
			}
		}
		t.columns = append(t.columns, c)
	}
	if len(t.columns) == 0 {
		return fmt.Errorf("data: %sCSV: no column is left to read", prefixPath(t.c.file.path))
	}
	return nil
}

// names are those of the header; what has none is named by its number.
func (t *tableReader) names() ([]string, error) {
	names := cloneStrings(t.c.Names())
	if len(names) > 0 && len(names) != t.width {
		return nil, t.c.bad(0, "the row has %d columns, the header %d", t.width, len(names))
	}
	seen := make(map[string]bool, t.width)
	for i := range t.width {
		if i == len(names) {
			names = append(names, "")
		}
		if names[i] == "" {
			names[i] = strconv.Itoa(i + 1)
		}
		if seen[names[i]] {
			return nil, &FormatError{Format: "CSV", Path: t.c.file.path, Why: fmt.Sprintf("two columns are named %q", shorten(names[i]))}
		}
		seen[names[i]] = true
	}
	return names, nil
}

// find is the positions of columns; what begins a message.
func (t *tableReader) find(names []string, what string, list []string) (out []int, err error) {
	if len(list) == 0 {
		return nil, nil
	}
	at := make(map[string]int, len(names))
	for i, n := range names {
		at[n] = i
	}
	for _, n := range list {
		i, ok := at[n]
		if !ok {
			if i, err = columnAt(names, n); err != nil {
				return nil, fmt.Errorf("data: %sCSV: %s%w", prefixPath(t.c.file.path), what, err)
			}
		}
		out = append(out, i)
	}
	return out, nil
}

func prefixPath(path string) string {
	if path == "" {
		return ""
	}
	return path + ": "
}

// columnAt finds a column by its name or number.
func columnAt(names []string, name string) (int, error) {
	if i := slices.Index(names, name); i >= 0 {
		return i, nil
	}
	if k, err := strconv.Atoi(name); err == nil {
		if k > 0 && k <= len(names) {
			return k - 1, nil
		}
		if k < 0 && -k <= len(names) {
			return len(names) + k, nil
		}
	}
	shown := names
	more := ""
	if len(shown) > 20 {
		shown, more = shown[:20], ", ..."
	}
	return 0, fmt.Errorf("no column %q; there are %s%s", name, strings.Join(shown, ", "), more)
}

// like takes kind and codes from a column already read.
func (c *column) like(old *Column) error {
	switch {
	case old == nil:
		return fmt.Errorf("data: CSV: column %q is not in the table that this one shall be like", c.name)
	case old.Categories == nil:
		c.kind = 'n'
		return nil
	}
	c.kind, c.fixed, c.words, c.code = 'c', true, old.Categories, map[string]int32{}
	for i, w := range old.Categories {
		c.code[w] = int32(i)
	}
	return nil
}

// row takes in a row, wholly or not at all.
func (t *tableReader) row(rec []string) error {
	if len(rec) != t.width {
		return t.c.bad(0, "the row has %d columns, the rows before have %d", len(rec), t.width)
	}
	if t.o.Missing != MissingKeep {
		for _, c := range t.columns {
			if !t.na[rec[c.at]] {
				continue
			}
			if t.o.Missing == MissingDrop {
				t.dropped++
				return nil
			}
			return t.c.bad(c.at+1, "the value of %q is missing; leave out such rows (MissingDrop), keep them (MissingKeep) or skip the column", c.name)
		}
	}
	for _, c := range t.columns {
		if err := c.add(rec[c.at], t.na[rec[c.at]], t.rows); err != nil {
			return t.c.bad(c.at+1, "%v", err)
		}
	}
	if t.rows++; t.rows > math.MaxInt32 {
		return t.c.bad(0, "more than %d rows", math.MaxInt32)
	}
	return nil
}

// add takes in a value; row counts those before.
func (c *column) add(s string, missing bool, row int) error {
	if missing {
		s = ""
	}
	if c.kind == 0 && !missing {
		c.kind = 'c'
		if _, err := strconv.ParseFloat(s, 64); err == nil {
			c.kind = 'n'
		}
		for range row { // all were missing
			_ = c.add("", true, 0)
		}
	}
	switch {
	case c.kind == 0:
	case c.kind == 'n' && missing:
		c.numbers = append(c.numbers, math.NaN())
	case c.kind == 'n':
		v, err := ParseNumber(s)
		if err != nil {
			return fmt.Errorf("%w (column %q began with numbers; name it in Categories if it holds categories)", err, c.name)
		}
		c.numbers = append(c.numbers, v)
	default:
		k, ok := c.code[s]
		if !ok && c.fixed {
			return fmt.Errorf("unknown category %q of column %q; known: %s", shorten(s), c.name, quoted(c.words))
		}
		if !ok {
			if c.code == nil {
				c.code = map[string]int32{}
			}
			s = strings.Clone(s) // the field shares the memory of its row
			k = int32(len(c.words))
			c.code[s] = k
			c.words = append(c.words, s)
		}
		c.codes = append(c.codes, k)
	}
	return nil
}

func quoted(words []string) string {
	var out []string
	for i, w := range words {
		if i == 10 {
			out = append(out, fmt.Sprintf("and %d more", len(words)-i))
			break
		}
		out = append(out, strconv.Quote(shorten(w)))
	}
	return strings.Join(out, ", ")
}
