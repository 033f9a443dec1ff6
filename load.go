package kun

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/kun-ml/kun/loss"
	"github.com/kun-ml/kun/metric"
	"github.com/kun-ml/kun/nn"
	"github.com/kun-ml/kun/optim"
	"github.com/kun-ml/kun/prep"
	"github.com/kun-ml/kun/program"
	"github.com/kun-ml/kun/store"
	"github.com/kun-ml/kun/tensor"
)

// Load reads a model that Save wrote. Every file is checked against its hash before it is used; a missing, truncated,
// altered or exchanged one is a *store.CorruptError. The network is rebuilt when all its types are registered (nn.Register);
// else the model predicts and evaluates by its saved program, and LoadInto gives it its type back for training.
// Nothing in a model file can run code.
func Load(dir string) (*Model, error) { return load(dir, nil) }

// LoadInto reads a model into net, a pointer to a value of the type that was saved (or one whose parameters have the same
// paths and shapes).
func LoadInto(dir string, net any) (*Model, error) {
	if net == nil {
		return nil, fmt.Errorf("kun: LoadInto: no network")
	}
	return load(dir, net)
}

func load(dir string, net any) (*Model, error) {
	d, err := store.OpenDir(dir)
	if err != nil {
		return nil, err
	}
	bad := func(file string, err error) error {
		return &store.CorruptError{Path: d.Path(file), Why: err.Error()}
	}
	text, err := d.ReadFile(configFile)
	if err != nil {
		return nil, err
	}
	c := new(config)
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(c); err != nil {
		return nil, bad(configFile, err)
	}
	if c.Format != configFormat {
		return nil, bad(configFile, fmt.Errorf("its format is %q, this version reads %q", c.Format, configFormat))
	}
	m, err := c.model()
	if err != nil {
		return nil, bad(configFile, err)
	}
	if net != nil {
		m.Net = net
	}
	source := configFile // of the network
	if m.Net == nil {
		source = programFile
		if m.Net, err = readProgram(d, c); err != nil {
			return nil, bad(programFile, err)
		}
		m.dropInputTransforms()
	}
	g, err := m.sample()
	if err != nil {
		if net != nil {
			return nil, fmt.Errorf("kun: %s does not fit %T: %w", dir, net, err)
		}
		return nil, bad(source, err)
	}
	ts, err := d.ReadSafetensors(weightsFile)
	if err != nil {
		return nil, err
	}
	if err := m.take(g, ts); err != nil {
		if net != nil {
			return nil, fmt.Errorf("kun: %s does not fit %T: %w", dir, net, err)
		}
		return nil, bad(weightsFile, err)
	}
	if _, untyped := m.Net.(*saved); untyped {
		return m, nil
	}
	if file, err := m.readProgress(d); err != nil {
		var corrupt *store.CorruptError
		if errors.As(err, &corrupt) {
			return nil, err
		}
		return nil, bad(file, err)
	}
	return m, nil
}

// model makes the model that a configuration describes, without weights. Net stays nil when it has to come from
// elsewhere.
func (c *config) model() (*Model, error) {
	m := &Model{Classes: c.Classes, Notes: c.Notes, info: c.Info, fitted: true}
	var err error
	if m.fields, err = fieldsOfConfig(c); err != nil {
		return nil, err
	}
	for _, f := range m.fields {
		m.Inputs = append(m.Inputs, f.Name)
	}
	for _, b := range c.Prepare {
		t, err := prep.Transforms.Unmarshal(b)
		if err != nil {
			return nil, err
		}
		m.Prepare = append(m.Prepare, t)
	}
	if c.Loss != nil {
		if m.Loss, err = loss.Unmarshal(c.Loss); err != nil {
			return nil, err
		}
	}
	if c.Optimizer != nil {
		if m.Optimizer, err = optim.Unmarshal(c.Optimizer); err != nil {
			return nil, err
		}
	}
	for _, b := range c.Metrics {
		x, err := metric.Unmarshal(b)
		if err != nil {
			return nil, err
		}
		m.Metrics = append(m.Metrics, x)
	}
	if c.Net != nil {
		l, err := nn.Unmarshal(c.Net)
		switch {
		case err == nil:
			m.Net = l
		case !errors.As(err, new(*nn.UnknownNameError)): // a type of another program is served by the saved program
			return nil, err
		}
	}
	return m, nil
}

// sample traces the network, and demands outputs of rows.
func (m *Model) sample() (g *tensor.Graph, err error) {
	for _, batch := range []int{3, 2} { // one size alone may hit by chance
		if g, err = m.trace(m.fields, batch); err == nil {
			err = checkOutputs(g.Outs, batch)
		}
		if err != nil {
			return nil, err
		}
	}
	return g, nil
}

// take gives the model its weights: every one that the network declares must be there, and no other.
func (m *Model) take(g *tensor.Graph, ts *store.Tensors) (err error) {
	vars := map[string]*tensor.Var{}
	for _, d := range g.Trace().Decls {
		a := ts.Get(d.Path)
		if a == nil {
			return fmt.Errorf("no tensor %q, which the model needs", d.Path)
		}
		if vars[d.Path], err = d.Take(a); err != nil {
			return err
		}
	}
	for _, t := range ts.All() {
		if vars[t.Name] == nil {
			return fmt.Errorf("a tensor %q, which the model does not know", t.Name)
		}
	}
	m.vars = vars
	m.whole = vars
	return nil
}

// dropInputTransforms leaves the transforms of the inputs to the program, which holds them.
func (m *Model) dropInputTransforms() {
	var rest prep.Pipeline
	for _, t := range m.Prepare {
		input := false
		for _, name := range m.inputs() {
			input = input || prep.FieldOf(t) == name
		}
		if !input {
			rest = append(rest, t)
		}
	}
	s := m.Net.(*saved)
	s.prepare, m.Prepare = m.Prepare, rest
}

func readProgram(d *store.Dir, c *config) (*saved, error) {
	b, err := d.ReadFile(programFile)
	if err != nil {
		return nil, err
	}
	s := &saved{poly: new(program.Poly), netType: c.NetType, aliases: c.Aliases}
	if err := json.Unmarshal(b, s.poly); err != nil {
		return nil, err
	}
	_, err = s.poly.Bind(1)
	return s, err
}

// saved is a network that is a program: one whose Go type is not at hand.
type saved struct {
	poly    *program.Poly
	netType string
	aliases map[string]string
	prepare prep.Pipeline // what the program does first
}

// forward records the program for the batch size of the inputs.
func (s *saved) forward(in []*tensor.Tensor) []*tensor.Tensor {
	batch := 1
	if in[0].Rank() > 0 {
		batch = in[0].Dim(0)
	}
	g, err := s.poly.Bind(batch)
	if err != nil {
		panic(&tensor.ShapeError{Op: "Program", Why: err.Error()})
	}
	return tensor.Inline(g, in...)
}
