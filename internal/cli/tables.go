package cli

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/kun-ml/kun/data"
	"github.com/kun-ml/kun/internal/cli/input"
)

// tables reads tables of the training and the test data. Categories of the test data get the codes of the training data.
func (d dataRecipe) tables(w want) (*parts, error) {
	p := &parts{name: d.Path}
	t, err := data.ReadCSVFile(w.at(d.Path), d.csvOptions(w))
	if err != nil {
		return nil, tableError(err)
	}
	train, err := d.rows(w.at(d.Path), t)
	if err != nil {
		return nil, err
	}
	p.train, p.table = train, d.note(t)
	if d.TestPath == "" {
		return p, nil
	}
	o := d.csvOptions(w)
	o.Like = t
	te, err := data.ReadCSVFile(w.at(d.TestPath), o)
	if err != nil {
		return nil, tableError(err)
	}
	test, err := d.rows(w.at(d.TestPath), te)
	if err != nil {
		return nil, err
	}
	p.test = test
	return p, nil
}

// tableError says in the words of a configuration what can be done about a mistake in a table.
func tableError(err error) error {
	text, _, missing := strings.Cut(err.Error(), "; leave out such rows (MissingDrop)")
	switch {
	case missing:
		return &Exit{Code: Data, Err: errors.New(text), Hint: "data: {missing: drop} leaves such rows out, data: {skip: [NAME]} leaves the column out"}
	case strings.Contains(text, "; name it in Categories"):
		text, _, _ = strings.Cut(text, "; name it in Categories")
		return &Exit{Code: Data, Err: errors.New(text + ")"), Hint: "data: {categories: [NAME]} takes a column for categories"}
	}
	return err
}

func (d dataRecipe) csvOptions(w want) data.CSVOptions {
	o := data.CSVOptions{Columns: d.Columns, Skip: d.Skip, Categories: d.Categories}
	if d.Missing == drop {
		o.Missing = data.MissingDrop
	}
	if w.classes && !slices.Contains(o.Categories, d.Target) {
		o.Categories = append(slices.Clone(o.Categories), d.Target)
	}
	if len(o.Columns) > 0 {
		for _, c := range []string{d.Target, d.Weight} {
			if c != "" && !slices.Contains(o.Columns, c) {
				o.Columns = append(slices.Clone(o.Columns), c)
			}
		}
	}
	if w.like != nil {
		o.Columns, o.Skip, o.Like = nil, nil, w.like.table(d.Weight)
	}
	return o
}

// tableNote is how a table was read that a model was trained on.
type tableNote struct {
	Columns []column `json:"columns"` // what the model is given, in order
	Target  column   `json:"target"`
}

// column is a column of a table.
type column struct {
	Name       string   `json:"name"`
	Categories []string `json:"categories,omitempty"` // what its codes stand for; empty: it holds numbers
}

// table has the kinds and categories of all columns, and no rows. weight is a column of numbers; "": none.
func (n *tableNote) table(weight string) *data.Table {
	t := n.inputs()
	t.Columns = append(t.Columns, data.Column{Name: n.Target.Name, Categories: n.Target.Categories})
	if weight != "" {
		t.Columns = append(t.Columns, data.Column{Name: weight})
	}
	return t
}

// inputs is table without the target.
func (n *tableNote) inputs() *data.Table {
	t := &data.Table{}
	for _, c := range n.Columns {
		t.Columns = append(t.Columns, data.Column{Name: c.Name, Categories: c.Categories})
	}
	return t
}

func (d dataRecipe) rows(path string, t *data.Table) (*data.Set, error) {
	s, err := t.Set(data.SetOptions{Target: d.Target, Weight: d.Weight})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	s.Name = path
	if d.Classes != nil {
		s.Classes = d.Classes
	}
	return s, nil
}

// note tells how a table was read.
func (d dataRecipe) note(t *data.Table) *tableNote {
	n := &tableNote{}
	target, weight := t.Column(d.Target), t.Column(d.Weight)
	for i := range t.Columns {
		switch c := &t.Columns[i]; c {
		case target:
			n.Target = column{c.Name, c.Categories}
		case weight:
		default:
			n.Columns = append(n.Columns, column{c.Name, c.Categories})
		}
	}
	return n
}

// headBytes is how much of a file is looked at to find out what it holds.
const headBytes = 1 << 20

// readSamples reads a file, or standard input for "-". What it holds follows from its first bytes. For a model of a table, a table
// with the same columns may have them in any order, and its categories get the codes that the model learnt; one without names
// that holds numbers alone is read column by column.
func readSamples(path string, stdin io.Reader, like *tableNote, spec input.Spec) (*input.Batch, error) {
	name, from := path, stdin
	if path == "-" {
		name = "standard input"
	} else {
		f, err := input.Open(path)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		from = f
	}
	r := bufio.NewReaderSize(from, headBytes)
	head, err := r.Peek(headBytes)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if like == nil || input.Kind(head) != "csv" || like.byPosition(head) {
		return input.Read(name, r, spec)
	}
	t, err := data.ReadCSV(r, data.CSVOptions{Like: like.inputs()})
	if err != nil {
		var f *data.FormatError
		text := strings.TrimPrefix(err.Error(), "data: ")
		if errors.As(err, &f) {
			text = f.Detail()
		}
		text, _, _ = strings.Cut(text, "; leave out such rows") // there is no such choice here
		return nil, fmt.Errorf("%s: %s", name, text)
	}
	return batchOf(name, t)
}

// byPosition reports whether a table that begins with head has no names although the model knows its columns by names, and
// holds numbers, as all of these columns do.
func (n *tableNote) byPosition(head []byte) bool {
	if slices.ContainsFunc(n.Columns, func(c column) bool { return len(c.Categories) > 0 }) || n.numbered() {
		return false
	}
	c, err := data.NewCSVReader(bytes.NewReader(head), 0, data.HeaderAuto)
	if err != nil || c.Names() != nil {
		return false
	}
	first, err := c.Read()
	if err != nil {
		return false
	}
	return !slices.ContainsFunc(first, func(s string) bool { _, err := data.ParseNumber(s); return err != nil })
}

// numbered reports whether the columns are named by their numbers, as those of a table without names are.
func (n *tableNote) numbered() bool {
	return !slices.ContainsFunc(n.Columns, func(c column) bool { _, err := strconv.Atoi(c.Name); return err != nil })
}

// batchOf gives the rows of a table their names.
func batchOf(name string, t *data.Table) (*input.Batch, error) {
	s, err := t.Set(data.SetOptions{})
	if err != nil {
		return nil, err
	}
	b := &input.Batch{X: s.Array(data.X), Names: make([]string, s.Len())}
	for i := range b.Names {
		if b.Names[i] = name; s.Len() > 1 {
			b.Names[i] = fmt.Sprintf("%s[%d]", name, i)
		}
	}
	return b, nil
}
