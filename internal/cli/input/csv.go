package input

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/kun-ml/kun/array"
)

// csv reads a table of numbers, a sample a row. The first row may name the columns. Columns are separated by the one of
// comma, semicolon and tab that the first line has most of.
func (b *Batch) csv(raw []byte, spec Spec) error {
	raw = bytes.TrimPrefix(raw, []byte("\ufeff"))
	if !utf8.Valid(raw) {
		return errors.New("is of no kind that can be read (neither a known format nor UTF-8 text)")
	}
	line, _, _ := bytes.Cut(raw, []byte("\n"))
	comma := ','
	for _, c := range ";\t" {
		if strings.Count(string(line), string(c)) > strings.Count(string(line), string(comma)) {
			comma = c
		}
	}
	r := csv.NewReader(bytes.NewReader(raw))
	r.Comma, r.FieldsPerRecord, r.ReuseRecord, r.TrimLeadingSpace = comma, -1, true, true
	want := spec.Shape.Size()
	var data []float32
	for row := 0; ; row++ {
		rec, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("CSV: %w", err)
		}
		if row == 0 && header(rec) {
			continue
		}
		at, _ := r.FieldPos(0)
		if len(rec) != want {
			return fmt.Errorf("CSV: line %d has %d columns; the model takes samples of shape %v, %d numbers%s",
				at, len(rec), spec.Shape, want, hintColumns(len(rec), want))
		}
		for i, s := range rec {
			v, err := number(s)
			if err != nil {
				return fmt.Errorf("CSV: line %d, column %d: %w", at, i+1, err)
			}
			data = append(data, v)
		}
	}
	if len(data) == 0 {
		return errors.New("CSV: no rows of numbers")
	}
	var err error
	b.X, err = fit(array.From(data, len(data)/want, want), spec.Shape)
	return err
}

// header reports whether a first row names the columns: not one field is a number, and not all are empty.
func header(rec []string) bool {
	for _, s := range rec {
		if _, err := strconv.ParseFloat(strings.TrimSpace(s), 64); err == nil {
			return false
		}
	}
	return strings.TrimSpace(strings.Join(rec, "")) != ""
}

func number(s string) (float32, error) {
	s = strings.TrimSpace(s)
	if s == "" {
		return 0, errors.New("is empty")
	}
	v, err := strconv.ParseFloat(s, 32)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		if len(s) > 40 {
			s = s[:40] + "..."
		}
		return 0, fmt.Errorf("%q is not a number", s)
	}
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return 0, fmt.Errorf("%s is not a finite number", s)
	}
	return float32(v), nil
}

func hintColumns(got, want int) string {
	if got == want+1 {
		return " (is one column the label? take it out)"
	}
	return ""
}
