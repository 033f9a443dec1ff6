package input

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"unicode/utf8"

	"github.com/kun-ml/kun/array"
	"github.com/kun-ml/kun/data"
)

// csv reads a table of numbers, a sample a row. The first row may name the columns.
func (b *Batch) csv(raw []byte, spec Spec) error {
	if !utf8.Valid(raw) {
		return errors.New("is of no kind that can be read (neither a known format nor UTF-8 text)")
	}
	r, err := data.NewCSVReader(bytes.NewReader(raw), 0, data.HeaderAuto)
	if err != nil {
		return detail(err)
	}
	want := spec.Shape.Size()
	var values []float32
	for {
		rec, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return detail(err)
		}
		if len(rec) != want {
			return fmt.Errorf("CSV: line %d has %d columns; the model takes samples of shape %v, %d numbers%s",
				r.Line(), len(rec), spec.Shape, want, hintColumns(len(rec), want))
		}
		for i, s := range rec {
			v, err := data.ParseNumber(s)
			if err == nil && math.IsInf(float64(float32(v)), 0) {
				err = fmt.Errorf("%s is too large", s)
			}
			if err != nil {
				return fmt.Errorf("CSV: line %d, column %d: %w", r.Line(), i+1, err)
			}
			values = append(values, float32(v))
		}
	}
	if len(values) == 0 {
		return errors.New("CSV: no rows of numbers")
	}
	b.X, err = fit(array.From(values, len(values)/want, want), spec.Shape)
	return err
}

// detail is what is wrong with a file, without the name of the package that found it.
func detail(err error) error {
	var f *data.FormatError
	if errors.As(err, &f) {
		return errors.New(f.Detail())
	}
	return err
}

func hintColumns(got, want int) string {
	if got == want+1 {
		return " (is one column the label? take it out)"
	}
	return ""
}
