package data

import (
	"bytes"
	"compress/gzip"
	"errors"
	"strings"
	"testing"
)

// TestCSVReader_ARowWithoutEnd: a quote that is never closed, or one line of a packed file, must not fill the memory.
func TestCSVReader_ARowWithoutEnd(t *testing.T) {
	defer func(n int64) { longestRow = n }(longestRow)
	longestRow = 1 << 16
	long := "a,b\n1,2\n" + strings.Repeat("\"3,4\n", 1) + strings.Repeat("5,6\n", 1<<16)
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if _, err := z.Write([]byte("a,b\n" + strings.Repeat("1", 1<<20) + ",2\n")); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	for what, text := range map[string]string{"quote": long, "packed": packed.String()} {
		_, err := ReadCSV(strings.NewReader(text), CSVOptions{})
		var f *FormatError
		if !errors.As(err, &f) || !strings.Contains(err.Error(), "too long") {
			t.Errorf("%s: %v", what, err)
		}
	}
	rows := "a,b\n" + strings.Repeat("1,2\n", 1<<16) // many rows are no long row
	if _, err := ReadCSV(strings.NewReader(rows), CSVOptions{}); err != nil {
		t.Error(err)
	}
}
