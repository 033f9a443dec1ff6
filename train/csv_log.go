package train

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
)

// CSVLog writes a line per epoch to a file: the number of the epoch, from 0, the figures in their order, the learning rate
// of the next step and the seconds that the epoch took. Each line is one write, the first one together with the header, so
// a run that is killed leaves whole lines.
type CSVLog struct {
	Base `json:"-"`
	// Path is the file. It is made, or emptied, at the end of the first epoch.
	Path string
	// Append adds to a file that is there; its columns must be the same.
	Append bool

	file    *os.File
	columns []string
}

// BeginRun checks the settings.
func (c *CSVLog) BeginRun(*Run) error {
	c.columns = nil
	if c.Path == "" {
		return fmt.Errorf("train: CSV log: Path is not set")
	}
	return c.close()
}

// EndEpoch writes the line.
func (c *CSVLog) EndEpoch(r *Run) error {
	var text bytes.Buffer
	if c.file == nil {
		if err := c.open(r, &text); err != nil {
			return fmt.Errorf("train: CSV log: %w", err)
		}
	}
	row := make([]string, len(c.columns))
	for i, name := range c.columns {
		row[i] = c.value(r, name)
	}
	w := csv.NewWriter(&text)
	if err := errors.Join(w.Write(row), flushed(w)); err != nil {
		return fmt.Errorf("train: CSV log: %w", err)
	}
	if _, err := c.file.Write(text.Bytes()); err != nil {
		return fmt.Errorf("train: CSV log: %w", err)
	}
	return nil
}

func (c *CSVLog) value(r *Run, name string) string {
	v, ok := 0.0, true
	switch name {
	case "epoch":
		return strconv.Itoa(r.Epoch)
	case "learning_rate":
		v = r.LearningRate()
	case "seconds":
		v = r.Seconds
	default:
		v, ok = r.Figure(name)
	}
	if !ok {
		return "NA"
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}

// open opens the file and puts into text what comes before the first line.
func (c *CSVLog) open(r *Run, text *bytes.Buffer) error {
	c.columns = []string{"epoch"}
	for _, f := range r.Figures {
		c.columns = append(c.columns, f.Name)
	}
	c.columns = append(c.columns, "learning_rate", "seconds")
	flags := os.O_RDWR | os.O_CREATE | os.O_APPEND
	if !c.Append {
		flags |= os.O_TRUNC
	}
	f, err := os.OpenFile(c.Path, flags, 0o644)
	if err != nil {
		return err
	}
	if err := c.continues(f, text); err != nil {
		return errors.Join(err, f.Close())
	}
	c.file = f
	return nil
}

// continues compares the header of a file that holds something; to an empty one it adds a header.
func (c *CSVLog) continues(f *os.File, text *bytes.Buffer) error {
	s, err := f.Stat()
	if err != nil {
		return err
	}
	if s.Size() == 0 {
		w := csv.NewWriter(text)
		return errors.Join(w.Write(c.columns), flushed(w))
	}
	const longest = 1 << 16
	have, err := csv.NewReader(bufio.NewReader(io.LimitReader(f, longest))).Read()
	if err != nil {
		return fmt.Errorf("%s: cannot read the header to append to: %w", c.Path, err)
	}
	if !slices.Equal(have, c.columns) {
		return fmt.Errorf("%s has the columns %v, this run gives %v; choose another file", c.Path, have, c.columns)
	}
	last := make([]byte, 1)
	if _, err := f.ReadAt(last, s.Size()-1); err != nil {
		return err
	}
	if last[0] != '\n' {
		text.WriteByte('\n')
	}
	return nil
}

func flushed(w *csv.Writer) error {
	w.Flush()
	return w.Error()
}

// EndRun closes the file.
func (c *CSVLog) EndRun(*Run) error {
	if err := c.close(); err != nil {
		return fmt.Errorf("train: CSV log: %w", err)
	}
	return nil
}

func (c *CSVLog) close() error {
	if c.file == nil {
		return nil
	}
	err := c.file.Close()
	c.file = nil
	return err
}
