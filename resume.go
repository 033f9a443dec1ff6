package kun

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/kun-ml/kun/array"
	"github.com/kun-ml/kun/loss"
	"github.com/kun-ml/kun/metric"
	"github.com/kun-ml/kun/optim"
	"github.com/kun-ml/kun/store"
	"github.com/kun-ml/kun/tensor"
	"github.com/kun-ml/kun/train"
)

// The files of a model directory that tell where its training stands. A model without them predicts all the same.
const (
	trainingFile = "training.json"
	memoryFile   = "training.safetensors" // "slot/<path>": the optimizer's memory; the rest: train.State.Arrays
)

// progress is training.json: where a Fit stands, and what it must have in common with the one that goes on.
type progress struct {
	Seed      uint64       `json:"seed"`
	Batch     int          `json:"batch"`
	Samples   int          `json:"samples"`
	NoShuffle bool         `json:"no_shuffle,omitempty"`
	Freeze    string       `json:"freeze,omitempty"`
	Classes   string       `json:"class_weight,omitempty"` // as text, as all below
	Optimizer string       `json:"optimizer"`
	Loss      string       `json:"loss"`
	Metrics   string       `json:"metrics,omitempty"`
	State     *train.State `json:"state"`
}

// ResumeError tells why a Fit cannot go on with the one before.
type ResumeError struct{ Why string }

// Error is the reason.
func (e *ResumeError) Error() string { return "kun: resume: " + e.Why }

// progressOf notes the settings of a Fit.
func (m *Model) progressOf(o FitOptions, samples int, s *train.State) *progress {
	p := &progress{Seed: o.Seed, Batch: o.Batch, Samples: samples, NoShuffle: o.NoShuffle, Freeze: o.Freeze, State: s}
	if p.Batch == 0 {
		p.Batch = 32
	}
	if len(o.ClassWeight) > 0 {
		p.Classes = fmt.Sprint(o.ClassWeight)
	}
	p.Optimizer = text(m.optimizer(), optim.Marshal)
	p.Loss = text(m.Loss, loss.Marshal)
	var metrics []string
	for _, x := range m.Metrics {
		metrics = append(metrics, text(x, metric.Marshal))
	}
	p.Metrics = strings.Join(metrics, ", ")
	return p
}

// text is the configuration of x, or its type where that has no name.
func text[T any](x T, marshal func(T) ([]byte, error)) string {
	b, err := marshal(x)
	if err != nil {
		return fmt.Sprintf("%T", x)
	}
	return string(b)
}

// differs says what a Fit that goes on would do otherwise than the one before.
func (p *progress) differs(q *progress) error {
	for _, x := range []struct {
		what     string
		old, now any
	}{{"Seed", p.Seed, q.Seed}, {"Batch", p.Batch, q.Batch}, {"number of samples", p.Samples, q.Samples},
		{"NoShuffle", p.NoShuffle, q.NoShuffle}, {"Freeze", p.Freeze, q.Freeze}, {"ClassWeight", p.Classes, q.Classes},
		{"Optimizer", p.Optimizer, q.Optimizer}, {"Loss", p.Loss, q.Loss}, {"Metrics", p.Metrics, q.Metrics}} {
		if x.old != x.now {
			return &ResumeError{fmt.Sprintf("the %s was %v before and is %v now; the run could not go on as it was", x.what, x.old, x.now)}
		}
	}
	return nil
}

// resume takes the progress that a Fit begins with: that of the Fit before, or none. From here on Save writes none: the weights
// change.
func (m *Model) resume(o FitOptions, samples int, step *train.Step) (*train.State, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !o.Resume {
		m.progress = nil
		return &train.State{First: m.info.Epochs}, nil
	}
	if m.progress == nil {
		return nil, &ResumeError{"there is no training to resume: the model was not trained, or its last Fit ended with an error"}
	}
	if err := m.progress.differs(m.progressOf(o, samples, nil)); err != nil {
		return nil, err
	}
	for path, v := range step.Vars() {
		if v.Role == tensor.Slot && m.whole[path] == nil {
			return nil, &ResumeError{fmt.Sprintf("the optimizer keeps %s, of which the run before tells nothing", path)}
		}
	}
	if done := m.progress.State.Epoch; done >= max(1, o.Epochs) {
		return nil, &ResumeError{fmt.Sprintf("%d epochs are done already, of %d; the number counts those before, too", done, max(1, o.Epochs))}
	}
	s := m.progress.State
	m.progress = nil
	return s, nil
}

// write writes the two files.
func (p *progress) write(w *store.DirWriter, memory []store.Tensor) error {
	text, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		return fmt.Errorf("kun: %w", err)
	}
	if err := w.WriteFile(trainingFile, append(text, '\n')); err != nil {
		return err
	}
	return writeTensors(w, memoryFile, memory)
}

// memory lists the optimizer's memory and the arrays of the state.
func (m *Model) memory(s *train.State) (out []store.Tensor) {
	for _, path := range slices.Sorted(maps.Keys(m.whole)) {
		if v := m.whole[path]; v.Role == tensor.Slot {
			out = append(out, store.Tensor{Name: "slot/" + path, Array: v.Value})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.Arrays)) {
		out = append(out, store.Tensor{Name: name, Array: s.Arrays[name]})
	}
	return out
}

func writeTensors(w *store.DirWriter, name string, ts []store.Tensor) error {
	f, err := w.Create(name)
	if err != nil {
		return err
	}
	if err := store.WriteSafetensors(f, ts, map[string]string{"format": "kun"}); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}

// readProgress reads the two files, if they are there; file names the one that an error is about.
func (m *Model) readProgress(d *store.Dir) (file string, err error) {
	if !d.Has(trainingFile) {
		return "", nil
	}
	text, err := d.ReadFile(trainingFile)
	if err != nil {
		return trainingFile, err
	}
	p := new(progress)
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(p); err != nil {
		return trainingFile, err
	}
	if p.State == nil || p.State.History == nil || p.State.Count < 0 || p.State.First < 0 {
		return trainingFile, fmt.Errorf("it does not tell where training stands")
	}
	ts, err := d.ReadSafetensors(memoryFile)
	if err != nil {
		return memoryFile, err
	}
	p.State.Arrays, m.whole = map[string]*array.Array{}, maps.Clone(m.vars)
	for _, t := range ts.All() {
		path, slot := strings.CutPrefix(t.Name, "slot/")
		switch {
		case !slot:
			p.State.Arrays[t.Name] = t.Array
		case m.whole[path] != nil:
			return memoryFile, fmt.Errorf("the tensor %q is a weight of the model", path)
		default:
			m.whole[path] = tensor.NewVar(path, tensor.Slot, t.Array)
		}
	}
	m.progress, m.steps, m.factor = p, p.State.Count, p.State.RateFactor
	return "", nil
}
