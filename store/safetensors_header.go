package store

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/kun-ml/kun/array"
)

// The names of element types in safetensors files.
var (
	safeNames = map[array.DType]string{
		array.Float32: "F32", array.Float64: "F64", array.BFloat16: "BF16", array.Float16: "F16", array.Int8: "I8",
		array.Uint8: "U8", array.Int32: "I32", array.Int64: "I64", array.Bool: "BOOL",
	}
	safeTypes = func() map[string]array.DType {
		m := map[string]array.DType{}
		for d, name := range safeNames {
			m[name] = d
		}
		return m
	}()
)

const (
	safeMeta   = "__metadata__"
	safeHeader = 100 << 20 // largest header in bytes, the format's own limit
	maxRank    = 64        // most axes that a file may give an array, NumPy's limit
)

// entry is an array as a header describes it: bytes begin..end-1 of the data.
type entry struct {
	name       string
	dtype      array.DType
	shape      array.Shape
	begin, end int64
}

// header reads JSON token by token. The text has passed json.Valid, so the syntax is right and only the meaning is checked.
type header struct{ *json.Decoder }

// parseHeader reads the header of a safetensors file whose data are size bytes long. The entries come in the order of
// their data and cover it without holes or overlaps.
func parseHeader(text []byte, size int64) ([]entry, map[string]string, error) {
	text = bytes.TrimRight(text, " ")
	if len(text) == 0 || text[0] != '{' || text[len(text)-1] != '}' {
		return nil, nil, broken("the header is not a JSON object padded with spaces")
	}
	if !utf8.Valid(text) || !json.Valid(text) {
		return nil, nil, broken("the header is not valid JSON")
	}
	d := header{json.NewDecoder(bytes.NewReader(text))}
	d.UseNumber()
	var meta map[string]string
	var entries []entry
	err := d.object("the header", func(name string) (err error) {
		if name == safeMeta {
			meta, err = d.metadata()
			return err
		}
		e, err := d.entry(name)
		entries = append(entries, e)
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	slices.SortStableFunc(entries, func(a, b entry) int {
		return cmp.Or(cmp.Compare(a.begin, b.begin), cmp.Compare(a.end, b.end))
	})
	return entries, meta, covers(entries, size)
}

// covers demands that the entries, sorted, fill the data from the first byte to the last.
func covers(entries []entry, size int64) error {
	at := int64(0)
	for _, e := range entries {
		switch {
		case e.begin > at:
			return broken("bytes %d to %d of the data belong to no array (a hole before %q)", at, e.begin, e.name)
		case e.begin < at:
			return broken("array %q begins at byte %d of the data, inside the one before it, which ends at %d", e.name, e.begin, at)
		}
		at = e.end
	}
	if at != size {
		return broken("the arrays end at byte %d of the data, the file at %d", at, size)
	}
	return nil
}

// object reads an object and calls field for every key; the same key twice is an error.
func (d header) object(what string, field func(key string) error) error {
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return broken("%s is not an object", what)
	}
	seen := map[string]bool{}
	for d.More() {
		t, err := d.Token()
		key, ok := t.(string)
		if err != nil || !ok {
			return broken("%s has a broken key", what)
		}
		if seen[key] {
			return broken("%s has the key %q twice", what, key)
		}
		seen[key] = true
		if err := field(key); err != nil {
			return err
		}
	}
	_, err := d.Token()
	return err
}

func (d header) metadata() (map[string]string, error) {
	meta := map[string]string{}
	return meta, d.object(safeMeta, func(key string) error {
		s, err := d.text()
		if err != nil {
			return broken("%s: the value of %q is not a string", safeMeta, key)
		}
		meta[key] = s
		return nil
	})
}

// entry reads {"dtype": "F32", "shape": [2,3], "data_offsets": [0,24]} and checks that the three agree.
func (d header) entry(name string) (entry, error) {
	e := entry{name: name}
	what := fmt.Sprintf("array %q", name)
	var seen int
	err := d.object(what, func(key string) (err error) {
		seen++
		switch key {
		case "dtype":
			e.dtype, err = d.dtype(what)
		case "shape":
			var dims []int64
			dims, err = d.numbers(what+": shape", maxRank)
			e.shape = make(array.Shape, len(dims))
			for i, n := range dims {
				if e.shape[i] = int(n); int64(e.shape[i]) != n {
					return broken("%s: dimension %d is too large", what, n)
				}
			}
		case "data_offsets":
			var at []int64
			if at, err = d.numbers(what+": data_offsets", 2); err == nil && len(at) != 2 {
				err = broken("%s: data_offsets are %d numbers, not 2", what, len(at))
			}
			if err == nil {
				e.begin, e.end = at[0], at[1]
			}
		default:
			err = broken("%s has the unknown key %q", what, key)
		}
		return err
	})
	if err == nil && seen != 3 {
		err = broken("%s lacks one of dtype, shape and data_offsets", what)
	}
	if err != nil {
		return e, err
	}
	n, err := sizeOf(e.shape, e.dtype)
	if err != nil {
		return e, broken("%s: %v", what, err)
	}
	if e.end-e.begin != int64(n) {
		return e, broken("%s: %v%v takes %d bytes, its data_offsets [%d, %d] give %d", what, e.dtype, e.shape, n, e.begin, e.end, e.end-e.begin)
	}
	return e, nil
}

// sizeOf is the number of bytes of an array; even where a dimension is 0 the others must make sense together.
func sizeOf(s array.Shape, d array.DType) (int, error) {
	full := s.Clone()
	for i, n := range full {
		full[i] = max(n, 1)
	}
	if _, err := full.CheckedSize(d.Size()); err != nil {
		return 0, err
	}
	return s.CheckedSize(d.Size())
}

func (d header) dtype(what string) (array.DType, error) {
	s, err := d.text()
	if err != nil {
		return array.Invalid, broken("%s: dtype is not a string", what)
	}
	t, ok := safeTypes[s]
	if !ok {
		known := make([]string, 0, len(safeNames))
		for _, t := range array.DTypes() {
			known = append(known, safeNames[t])
		}
		return array.Invalid, fmt.Errorf("%s: dtype %q is not supported (supported: %s)", what, s, strings.Join(known, ", "))
	}
	return t, nil
}

func (d header) text() (string, error) {
	t, err := d.Token()
	s, ok := t.(string)
	if err == nil && !ok {
		err = fmt.Errorf("not a string")
	}
	return s, err
}

// numbers reads a list of at most limit whole numbers of zero or more.
func (d header) numbers(what string, limit int) ([]int64, error) {
	if t, err := d.Token(); err != nil || t != json.Delim('[') {
		return nil, broken("%s is not a list", what)
	}
	var list []int64
	for d.More() {
		t, err := d.Token()
		n, ok := t.(json.Number)
		if err != nil || !ok {
			return nil, broken("%s holds something other than a number", what)
		}
		v, err := strconv.ParseInt(n.String(), 10, 64)
		if err != nil || v < 0 {
			return nil, broken("%s holds %s, which is not a whole number of zero or more", what, n)
		}
		if list = append(list, v); len(list) > limit {
			return nil, broken("%s has more than %d numbers", what, limit)
		}
	}
	_, err := d.Token()
	return list, err
}
