package store

import "fmt"

// CorruptError says that a file or directory is not what was written: missing parts, lengths or hashes that differ, or
// contents that break the rules of their format.
type CorruptError struct {
	Path string // the file or directory; empty when read from a stream
	Why  string // what is wrong, with the values found and expected
	Hint string // what to do next; may be empty
}

// Error is "store: PATH: WHY".
func (e *CorruptError) Error() string {
	if e.Path == "" {
		return "store: " + e.Why
	}
	return fmt.Sprintf("store: %s: %s", e.Path, e.Why)
}

// broken makes a CorruptError for a file whose contents break their format; the reader of the file fills in the path.
func broken(format string, args ...any) *CorruptError {
	return &CorruptError{Why: fmt.Sprintf(format, args...), Hint: "the file was cut short, altered or is of another kind; copy it again from its source"}
}

// at fills in the path of an error of this package that has none yet.
func at(path string, err error) error {
	if c, ok := err.(*CorruptError); ok && c.Path == "" {
		c.Path = path
		return c
	}
	return fmt.Errorf("store: %s: %w", path, err)
}
