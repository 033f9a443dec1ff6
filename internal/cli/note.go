package cli

import (
	"encoding/json"

	"github.com/kun-ml/kun"
	"github.com/kun-ml/kun/data"
	"github.com/kun-ml/kun/train"
)

// noteName is under which name the command keeps its note in a model.
const noteName = "kun"

// note is what the command keeps in a model that it trains: how to find the data again, and with what result it ended.
type note struct {
	Version int            `json:"version"`
	Command string         `json:"command"`          // "train", "demo"
	Kun     string         `json:"kun"`              // version
	Data    dataRecipe     `json:"data"`             // paths as they were configured
	Folder  string         `json:"folder,omitempty"` // where they begin, absolute: that of --data, or of the configuration
	Table   *tableNote     `json:"table,omitempty"`
	Config  string         `json:"config,omitempty"` // every setting
	Test    []train.Figure `json:"test,omitempty"`   // figures of the test data
	Tested  int            `json:"tested,omitempty"` // how many test samples
	Seconds float64        `json:"seconds,omitempty"`
	Level   string         `json:"cpu_level,omitempty"`
}

const noteVersion = 2

// keep writes the note into a model.
func (n *note) keep(m *kun.Model) error {
	text, err := json.Marshal(n)
	if err != nil {
		return err
	}
	if m.Notes == nil {
		m.Notes = map[string]json.RawMessage{}
	}
	m.Notes[noteName] = text
	return nil
}

// noteOf is the note in a model; nil when another program trained it, or a later version whose notes mean something else.
func noteOf(m *kun.Model) *note {
	n := new(note)
	if json.Unmarshal(m.Notes[noteName], n) != nil || n.Version != noteVersion {
		return nil
	}
	return n
}

// like is the table that a model was trained on; nil when it was none.
func (n *note) like() *tableNote {
	if n == nil {
		return nil
	}
	return n.Table
}

// classes reports whether a target of a table is classes for a model.
func classes(m *kun.Model) bool { return kindOf(m).classes }

// head is at most n samples of a source; nil stays nil.
func head(src data.Source, n int) data.Source {
	if src == nil {
		return nil
	}
	return data.Head(src, n)
}
