package data

import (
	"fmt"
	"strings"
)

// FormatError says that a file is not what its format demands.
type FormatError struct {
	Format       string // "IDX", "CSV", "gzip"
	Path         string // of the file; "" for a reader
	Line, Column int    // of a table, counted from 1; 0 where they say nothing
	Why          string
	Err          error // the cause, or nil
}

// Error is such as "data: iris.csv: CSV: line 3, column 2: ...".
func (e *FormatError) Error() string {
	if e.Path == "" {
		return "data: " + e.Detail()
	}
	return "data: " + e.Path + ": " + e.Detail()
}

// Detail is the message without the path.
func (e *FormatError) Detail() string {
	var b strings.Builder
	b.WriteString(e.Format + ": ")
	switch {
	case e.Line > 0 && e.Column > 0:
		fmt.Fprintf(&b, "line %d, column %d: ", e.Line, e.Column)
	case e.Line > 0:
		fmt.Fprintf(&b, "line %d: ", e.Line)
	}
	b.WriteString(e.Why)
	return b.String()
}

// Unwrap is the cause.
func (e *FormatError) Unwrap() error { return e.Err }
