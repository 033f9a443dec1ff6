package data

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/kun-ml/kun/array"
)

// Table is columns of numbers and of categories, as ReadCSV reads them.
type Table struct {
	Columns []Column
	Rows    int
	Dropped int // rows left out because a value was missing
}

// Column is a column of a Table.
type Column struct {
	Name       string
	Categories []string     // what the codes stand for; nil for numbers
	Values     *array.Array // (rows): float64 numbers, or int32 codes of categories
}

// Column finds a column by its name or number (see CSVOptions); nil when there is none.
func (t *Table) Column(name string) *Column {
	if i, err := columnAt(t.names(), name); err == nil {
		return &t.Columns[i]
	}
	return nil
}

func (t *Table) names() []string {
	var out []string
	for _, c := range t.Columns {
		out = append(out, c.Name)
	}
	return out
}

// table ends the reading: sorts categories and makes arrays.
func (t *tableReader) table() (*Table, error) {
	out := &Table{Rows: t.rows, Dropped: t.dropped}
	if t.rows == 0 {
		return nil, &FormatError{Format: "CSV", Path: t.c.file.path, Why: fmt.Sprintf("a value is missing in every one of the %d rows", t.dropped)}
	}
	for _, c := range t.columns {
		switch c.kind {
		case 'n':
			out.Columns = append(out.Columns, Column{c.name, nil, array.From(c.numbers)})
		case 'c':
			c.sort()
			out.Columns = append(out.Columns, Column{c.name, c.words, array.From(c.codes)})
		default:
			return nil, &FormatError{Format: "CSV", Path: t.c.file.path, Column: c.at + 1, Why: fmt.Sprintf("column %q has no values; skip it", c.name)}
		}
	}
	return out, nil
}

// sort gives the categories their codes: in order as numbers where all are numbers, else as texts.
func (c *column) sort() {
	if c.fixed {
		return
	}
	value, numbers := map[string]float64{}, true
	for _, w := range c.words {
		v, err := strconv.ParseFloat(w, 64)
		value[w] = v
		numbers = numbers && (err == nil && v == v || w == "")
	}
	value[""] = math.Inf(-1)
	sorted := slices.Clone(c.words)
	slices.SortFunc(sorted, func(a, b string) int {
		if d := cmp.Compare(value[a], value[b]); numbers && d != 0 {
			return d
		}
		return cmp.Compare(a, b)
	})
	to := make([]int32, len(sorted))
	for i, w := range sorted {
		to[c.code[w]] = int32(i)
	}
	for i, k := range c.codes {
		c.codes[i] = to[k]
	}
	c.words = sorted
}

// SetOptions says which column of a table is what. Columns are named as in CSVOptions.
type SetOptions struct {
	Target string // becomes y; "": none, data to predict on
	Weight string // becomes weight, how much a row counts; "": none
}

// Set makes a set of the table. All columns but target and weight become x, float32 (rows, columns), categories as their
// codes. A target of categories becomes y int32 (rows) with their names as the set's Classes; one of numbers becomes y
// float32 (rows): for class numbers name the column in CSVOptions.Categories. A number beyond float32 is an error.
func (t *Table) Set(o SetOptions) (*Set, error) {
	at := [2]int{-1, -1}
	for i, name := range []string{o.Target, o.Weight} {
		if name == "" {
			continue
		}
		var err error
		if at[i], err = columnAt(t.names(), name); err != nil {
			return nil, fmt.Errorf("data: %w", err)
		}
	}
	target, weight := at[0], at[1]
	if target >= 0 && target == weight {
		return nil, fmt.Errorf("data: column %q cannot be target and weight", t.Columns[target].Name)
	}
	var columns []Named
	var in []*Column
	for i := range t.Columns {
		if i != target && i != weight {
			in = append(in, &t.Columns[i])
		}
	}
	if len(in) == 0 {
		return nil, fmt.Errorf("data: the table has no column beside its target")
	}
	x := array.New(array.Float32, t.Rows, len(in))
	for i, c := range in {
		if err := c.float32s(array.Data[float32](x)[i:], len(in)); err != nil {
			return nil, err
		}
	}
	columns = append(columns, Named{X, x})
	for _, y := range []struct {
		name string
		at   int
	}{{Y, target}, {Weight, weight}} {
		if y.at < 0 {
			continue
		}
		c := &t.Columns[y.at]
		if c.Categories != nil && y.name == Weight {
			return nil, fmt.Errorf("data: column %q holds categories; weights are numbers", c.Name)
		}
		a := c.Values
		if c.Categories == nil {
			a = array.New(array.Float32, t.Rows)
			if err := c.float32s(array.Data[float32](a), 1); err != nil {
				return nil, err
			}
		}
		columns = append(columns, Named{y.name, a})
	}
	s, err := NewSet(columns...)
	if err == nil && target >= 0 {
		s.Classes = t.Columns[target].Categories
	}
	return s, err
}

// float32s writes the values to every step-th place of dst.
func (c *Column) float32s(dst []float32, step int) error {
	if c.Categories != nil {
		for i, k := range array.Data[int32](c.Values) {
			dst[i*step] = float32(k)
		}
		return nil
	}
	for i, v := range array.Data[float64](c.Values) {
		f := float32(v)
		if math.IsInf(float64(f), 0) {
			return fmt.Errorf("data: column %q, row %d: %v is too large for float32", c.Name, i, v)
		}
		dst[i*step] = f
	}
	return nil
}
