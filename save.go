package kun

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/kun-ml/kun/array"
	"github.com/kun-ml/kun/data"
	"github.com/kun-ml/kun/loss"
	"github.com/kun-ml/kun/metric"
	"github.com/kun-ml/kun/nn"
	"github.com/kun-ml/kun/optim"
	"github.com/kun-ml/kun/prep"
	"github.com/kun-ml/kun/program"
	"github.com/kun-ml/kun/store"
	"github.com/kun-ml/kun/tensor"
)

// The files of a model directory, beside the manifest with their hashes.
const (
	configFile  = "config.json"       // what the model is made of
	programFile = "program.json"      // preparation and network as a program for any batch size
	weightsFile = "model.safetensors" // weights and states by path
)

const configFormat = "kun-model-1"

// config is config.json.
type config struct {
	Format    string            `json:"format"`
	Net       json.RawMessage   `json:"net,omitempty"` // absent when a type of it is not registered: the program serves
	NetType   string            `json:"net_type"`
	Prepare   []json.RawMessage `json:"prepare,omitempty"`
	Loss      json.RawMessage   `json:"loss,omitempty"`
	Optimizer json.RawMessage   `json:"optimizer,omitempty"`
	Metrics   []json.RawMessage `json:"metrics,omitempty"`
	Inputs    []inputConfig     `json:"inputs"`
	Classes   []string          `json:"classes,omitempty"`
	Aliases   map[string]string `json:"aliases,omitempty"`
	Info      Info              `json:"info"`

	Notes map[string]json.RawMessage `json:"notes,omitempty"`
}

type inputConfig struct {
	Name  string `json:"name"`
	DType string `json:"dtype"`
	Shape []int  `json:"shape"`
}

// Save writes the model to a directory: its configuration, its program, its weights and a manifest with their hashes. The
// directory is written beside and put in place at the end, so that a failure leaves an earlier one whole. It may be
// called beside Fit, which waits only while the weights are copied. A loss, optimizer or metric whose type is not registered
// is an error; a network whose type is not registered is saved as its program, which predicts and evaluates without the type
// (see Load and LoadInto).
//
// After a Fit that came to its end or was stopped the directory also holds what FitOptions.Resume needs, unless WeightsOnly
// is set. Beside Fit it does not; what callbacks save does.
func (m *Model) Save(dir string) error {
	m.mu.RLock()
	i, err := m.image(m.progress)
	if err == nil {
		for _, ts := range [][]store.Tensor{i.weights, i.memory} {
			for k, t := range ts {
				ts[k].Array = t.Array.Clone()
			}
		}
	}
	m.mu.RUnlock()
	if err != nil {
		return err
	}
	return i.write(dir)
}

// saveNow is Save for the goroutine that trains: nobody else changes the weights meanwhile.
func (m *Model) saveNow(dir string, at *progress) error {
	m.mu.RLock()
	i, err := m.image(at)
	m.mu.RUnlock()
	if err != nil {
		return err
	}
	return i.write(dir)
}

// image is what a model directory holds.
type image struct {
	config  *config
	program func() (*program.Poly, error)
	weights []store.Tensor
	at      *progress // nil: none
	memory  []store.Tensor
}

// image takes down what there is to write; m.mu is locked for reading.
func (m *Model) image(at *progress) (*image, error) {
	if m.vars == nil {
		return nil, fmt.Errorf("kun: the model has no weights yet: Fit, Build or Load come first")
	}
	c, err := m.describe()
	if err != nil {
		return nil, err
	}
	fields := m.fields
	i := &image{config: c, program: func() (*program.Poly, error) { return m.program(fields) }, weights: m.tensors()}
	if !m.fitted && m.Prepare != nil { // a Fit beside may be changing it
		p, err := i.program()
		i.program = func() (*program.Poly, error) { return p, err }
	}
	if at != nil {
		c.Info = c.Info.after(at.State.First, at.State.History)
	}
	if _, untyped := m.Net.(*saved); at != nil && !untyped && !m.WeightsOnly {
		i.at, i.memory = at, m.memory(at.State)
	}
	return i, nil
}

func (i *image) write(dir string) error {
	text, err := json.MarshalIndent(i.config, "", "  ")
	if err != nil {
		return fmt.Errorf("kun: %w", err)
	}
	p, err := i.program()
	if err != nil {
		return err
	}
	prog, err := json.Marshal(p)
	if err != nil {
		return fmt.Errorf("kun: %w", err)
	}
	return store.WriteDir(dir, func(w *store.DirWriter) error {
		if err := w.WriteFile(configFile, append(text, '\n')); err != nil {
			return err
		}
		if err := w.WriteFile(programFile, append(prog, '\n')); err != nil {
			return err
		}
		if err := writeTensors(w, weightsFile, i.weights); err != nil || i.at == nil {
			return err
		}
		return i.at.write(w, i.memory)
	})
}

// program is preparation and network at inference, for any batch size.
func (m *Model) program(fields []data.Field) (*program.Poly, error) {
	if s, ok := m.Net.(*saved); ok {
		return s.poly, nil
	}
	return program.Generalise(func(batch int) (*tensor.Graph, error) {
		g, err := m.trace(fields, batch)
		if err != nil {
			return nil, err
		}
		return program.Optimize(g), nil
	})
}

// tensors lists weights and states in the order of their paths.
func (m *Model) tensors() []store.Tensor {
	var out []store.Tensor
	for _, p := range slices.Sorted(maps.Keys(m.vars)) {
		out = append(out, store.Tensor{Name: p, Array: m.vars[p].Value})
	}
	return out
}

// describe makes the configuration.
func (m *Model) describe() (*config, error) {
	c := &config{Format: configFormat, NetType: fmt.Sprintf("%T", m.Net), Classes: m.Classes, Info: m.info, Notes: m.Notes}
	for _, f := range m.fields {
		c.Inputs = append(c.Inputs, inputConfig{f.Name, f.DType.String(), append([]int{}, f.Shape...)})
	}
	names, err := tensor.Walk(m.Net)
	if err != nil {
		return nil, err
	}
	if s, ok := m.Net.(*saved); ok {
		c.NetType, c.Aliases = s.netType, s.aliases
	} else if c.Aliases = names.Aliases; len(c.Aliases) == 0 {
		if l, ok := m.Net.(nn.Layer); ok {
			c.Net, _ = nn.Marshal(l) // what cannot be written is served by the program
		}
	}
	prepare := m.Prepare
	if s, ok := m.Net.(*saved); ok {
		prepare = s.prepare
	}
	for _, t := range prepare {
		b, err := prep.Transforms.Marshal(t)
		if err != nil {
			return nil, err
		}
		c.Prepare = append(c.Prepare, b)
	}
	if m.Loss != nil {
		if c.Loss, err = loss.Marshal(m.Loss); err != nil {
			return nil, err
		}
	}
	if m.Optimizer != nil {
		if c.Optimizer, err = optim.Marshal(m.Optimizer); err != nil {
			return nil, err
		}
	}
	for _, x := range m.Metrics {
		b, err := metric.Marshal(x)
		if err != nil {
			return nil, err
		}
		c.Metrics = append(c.Metrics, b)
	}
	return c, nil
}

// WeightsSHA256 is a hash over the names, shapes and bytes of the weights in the order of their paths, in hexadecimal:
// two models with the same hash have the same bits. It is empty before the model has weights.
func (m *Model) WeightsSHA256() string {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if m.vars == nil {
		return ""
	}
	h := sha256.New()
	for _, p := range slices.Sorted(maps.Keys(m.vars)) {
		if v := m.vars[p]; v.Role == tensor.Weight {
			fmt.Fprintf(h, "%s %v\n", p, v.Value.Shape())
			h.Write(v.Value.Bytes())
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Params counts the numbers that the model holds: those that learn, and the states that do not. Both are 0 before the
// model has weights.
func (m *Model) Params() (weights, states int) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	for _, v := range m.vars {
		if v.Role == tensor.Weight {
			weights += v.Value.Len()
		} else {
			states += v.Value.Len()
		}
	}
	return weights, states
}

// Weights gives the values of a weight or state by its path, such as "1.Kernel"; nil when there is none. It is the
// model's memory, not a copy.
func (m *Model) Weights(path string) *tensor.Var {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.vars[path]
}

// Paths lists the paths of weights and states, sorted.
func (m *Model) Paths() []string {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return slices.Sorted(maps.Keys(m.vars))
}

// DumpProgram writes the program of prediction for a batch size as text, one operation a line.
func (m *Model) DumpProgram(w io.Writer, batch int) error {
	p, err := m.program(m.InputFields())
	if err != nil {
		return err
	}
	g, err := p.Bind(batch)
	if err != nil {
		return err
	}
	_, err = io.WriteString(w, program.Dump(g))
	return err
}

// fieldsOfConfig are the inputs that a configuration describes.
func fieldsOfConfig(c *config) ([]data.Field, error) {
	var out []data.Field
	for _, i := range c.Inputs {
		d, err := array.ParseDType(i.DType)
		if err != nil {
			return nil, err
		}
		f := data.Field{Name: i.Name, DType: d, Shape: i.Shape}
		if _, err := f.Shape.CheckedSize(d.Size()); err != nil || i.Name == "" {
			return nil, fmt.Errorf("input %q of shape %v", i.Name, i.Shape)
		}
		out = append(out, f)
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("no inputs")
	}
	return out, nil
}
