package train

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"

	"github.com/kun-ml/kun/array"
)

// CSVLog writes a line per epoch to a file: the number of the epoch, from 0, the figures in their order, the learning rate
// of the next step and the seconds that the epoch took. Each line is one write, the first one together with the header, so
// a run that is killed leaves whole lines. A run that is resumed goes on behind the lines that it had written.
type CSVLog struct {
	Base `json:"-"`
	// Path is the file. It is made when training begins; what it held is kept until the end of the first epoch.
	Path string
	// Append adds to a file that is there; its columns must be the same.
	Append bool

	file    *os.File
	columns []string
	size    int64 // of the file after the last line; -1: no line yet
}

// BeginRun opens the file, and where it is to be continued compares its columns.
func (c *CSVLog) BeginRun(r *Run) error {
	if c.Path == "" {
		return fmt.Errorf("train: CSV log: Path is not set")
	}
	c.columns = append(append([]string{"epoch"}, r.names()...), "learning_rate", "seconds")
	c.size = -1
	err := c.close()
	if err == nil {
		c.file, err = os.OpenFile(c.Path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o644)
	}
	if err == nil && c.Append {
		if err = c.continues(new(bytes.Buffer)); err != nil {
			err = errors.Join(err, c.close())
		}
	}
	if err != nil {
		return fmt.Errorf("train: CSV log: %w", err)
	}
	return nil
}

// EndEpoch writes the line.
func (c *CSVLog) EndEpoch(r *Run) error {
	if err := c.line(r); err != nil {
		return fmt.Errorf("train: CSV log: %w", err)
	}
	return nil
}

func (c *CSVLog) line(r *Run) error {
	var text bytes.Buffer
	if c.size < 0 {
		if !c.Append {
			if err := c.file.Truncate(0); err != nil {
				return err
			}
		}
		if err := c.continues(&text); err != nil {
			return err
		}
	}
	row := make([]string, len(c.columns))
	for i, name := range c.columns {
		row[i] = c.value(r, name)
	}
	w := csv.NewWriter(&text)
	if err := errors.Join(w.Write(row), flushed(w)); err != nil {
		return err
	}
	if _, err := c.file.Write(text.Bytes()); err != nil {
		return err
	}
	s, err := c.file.Stat()
	if err == nil {
		c.size = s.Size()
	}
	return err
}

// State is how long the file is.
func (c *CSVLog) State() (any, map[string]*array.Array) { return c.size, nil }

// SetState takes away what was written to the file after the state was taken.
func (c *CSVLog) SetState(value json.RawMessage, _ map[string]*array.Array) error {
	size := int64(-1)
	if err := json.Unmarshal(value, &size); err != nil {
		return err
	}
	s, err := c.file.Stat()
	if err != nil || size < 0 || s.Size() < size { // another file: it is begun anew
		return err
	}
	c.size = size
	return c.file.Truncate(size)
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

// continues compares the header of a file that holds something; for an empty one it puts a header into text.
func (c *CSVLog) continues(text *bytes.Buffer) error {
	s, err := c.file.Stat()
	if err != nil {
		return err
	}
	if s.Size() == 0 {
		w := csv.NewWriter(text)
		return errors.Join(w.Write(c.columns), flushed(w))
	}
	const longest = 1 << 16
	have, err := csv.NewReader(io.NewSectionReader(c.file, 0, longest)).Read()
	if err != nil {
		return fmt.Errorf("%s: cannot read the header to append to: %w", c.Path, err)
	}
	if !slices.Equal(have, c.columns) {
		return fmt.Errorf("%s has the columns %v, this run gives %v; choose another file", c.Path, have, c.columns)
	}
	last := make([]byte, 1)
	if _, err := c.file.ReadAt(last, s.Size()-1); err != nil {
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
