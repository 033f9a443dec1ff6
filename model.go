package kun

import (
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/kun-ml/kun/data"
	"github.com/kun-ml/kun/device"
	"github.com/kun-ml/kun/loss"
	"github.com/kun-ml/kun/metric"
	"github.com/kun-ml/kun/optim"
	"github.com/kun-ml/kun/prep"
	"github.com/kun-ml/kun/tensor"
	"github.com/kun-ml/kun/train"
)

// Model is a network together with its preparation, its loss, its optimizer and its metrics: what Keras's compile takes
// are the fields. It must not be copied after its first use. Predict, Evaluate and Save may be called beside Fit from other
// goroutines; they see the weights between two steps.
type Model struct {
	// Prepare is applied to the data before the network, in training, evaluation and prediction alike, and saved with the
	// model. Fit fits it to the training data, once.
	Prepare prep.Pipeline
	// Net computes the output: a nn.Layer, or any Go type with a method Forward that takes one *tensor.Tensor for each of
	// Inputs and returns one or more. nn.Sequential is held by value, other types by pointer.
	Net any
	// Inputs are the fields of the data that Forward takes, in its order; nil: "x".
	Inputs []string
	// Loss compares the output with the field "y", one number per sample. Needed by Fit and Evaluate.
	Loss loss.Loss
	// Optimizer changes the weights; nil: optim.Adam{}.
	Optimizer optim.Optimizer
	// Metrics are the figures beside the loss. They count all samples alike.
	Metrics []metric.Metric
	// Classes are the names of the classes, for people. Fit takes them from the data when they are not set.
	Classes []string
	// Notes are kept in the model directory for the program that trained it, each under a name of its program, such as where
	// the data came from. Package kun reads none of them.
	Notes map[string]json.RawMessage
	// WeightsOnly leaves out of the model directory what only FitOptions.Resume needs, with Adam two thirds of its size.
	WeightsOnly bool
	// Threads is how many threads compute; 0: GOMAXPROCS. It never changes the bits of a result.
	Threads int
	// Device computes; nil: the processor with Threads.
	Device device.Device

	mu       sync.RWMutex // held for writing while a step changes weights
	training atomic.Bool
	fitted   bool                   // Prepare is
	fields   []data.Field           // of the inputs, once known
	vars     map[string]*tensor.Var // weights and states by path, once made
	whole    map[string]*tensor.Var // the same and the optimizer's slots, for a second Fit
	steps    int64
	factor   float64   // of the learning rate, by callbacks; 0: none has changed it
	progress *progress // where the last Fit stands, nil when it cannot be resumed
	info     Info

	predictMu  sync.Mutex
	predictors []*Predictor // idle
}

// Info is what a saved model tells about its origin.
type Info struct {
	// Dataset is the name of the training data, empty when it has none.
	Dataset string `json:"dataset,omitempty"`
	// Samples is how many samples it was trained on.
	Samples int `json:"samples,omitempty"`
	// Epochs is how many epochs it was trained for, all calls of Fit together.
	Epochs int `json:"epochs,omitempty"`
	// Seed is the seed of the last Fit.
	Seed uint64 `json:"seed,omitempty"`
	// Figures are those of the last epoch.
	Figures []train.Figure `json:"figures,omitempty"`
}

// Info tells what the model was trained on, and with what result.
func (m *Model) Info() Info {
	m.mu.RLock()
	defer m.mu.RUnlock()
	i := m.info
	i.Figures = slices.Clone(i.Figures)
	return i
}

// InputFields describes the inputs by name, element type and shape of one sample; nil before the model is built.
func (m *Model) InputFields() []data.Field {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.fields
}

func (m *Model) inputs() []string {
	if len(m.Inputs) == 0 {
		return []string{data.X}
	}
	return m.Inputs
}

func (m *Model) device() device.Device {
	if m.Device != nil {
		return m.Device
	}
	return train.CPU(m.Threads)
}

func (m *Model) optimizer() optim.Optimizer {
	if m.Optimizer == nil {
		return optim.Adam{}
	}
	return m.Optimizer
}

// config is the part of a training configuration that all programs of the model share.
func (m *Model) config(batch int, seed uint64) train.Config {
	return train.Config{Model: m.Net, Optimizer: m.optimizer(), Device: m.device(), Batch: batch, Seed: seed}
}

// forward applies preparation and network to fields given by name.
func (m *Model) forward(get func(name string) *tensor.Tensor) []*tensor.Tensor {
	var in []*tensor.Tensor
	for _, name := range m.inputs() {
		in = append(in, m.Prepare.Apply(name, get(name)))
	}
	return call(m.Net, in)
}

// losses computes the losses of the samples, counts the metrics and notes how long the last axis of the output is.
func (m *Model) losses(in *train.Inputs, weigh func(losses, y *tensor.Tensor) *tensor.Tensor, width *int) *tensor.Tensor {
	out := m.forward(in.Get)
	if len(out) != 1 {
		panic(&tensor.ShapeError{Op: "Forward", Why: fmt.Sprintf("the network has %d outputs, one loss takes one", len(out)),
			Hint: "return one tensor, or write the step with package train"})
	}
	if out[0].Rank() > 1 {
		*width = out[0].Dim(-1)
	}
	raw := in.Get(data.Y)
	y := m.Prepare.Apply(data.Y, raw)
	l := m.Loss.Loss(out[0], y)
	if weigh != nil {
		l = weigh(l, raw)
	}
	for _, x := range m.Metrics {
		in.Measure(x, out[0], y, nil)
	}
	return l
}

// fieldsOf picks the inputs of the model out of a source's fields.
func (m *Model) fieldsOf(src data.Source) ([]data.Field, error) {
	var out []data.Field
	for _, name := range m.inputs() {
		f, ok := data.FieldOf(src, name)
		if !ok {
			return nil, fmt.Errorf("kun: the data have no field %q, which the model takes; they have %v", name, src.Fields())
		}
		out = append(out, f)
	}
	return out, nil
}

// fits checks that data have the fields that the model was made for.
func (m *Model) fits(src data.Source) error {
	fs, err := m.fieldsOf(src)
	if err != nil {
		return err
	}
	made := m.InputFields()
	for i, f := range fs {
		if made == nil {
			break
		}
		if w := made[i]; w.DType != f.DType || !w.Shape.Equal(f.Shape) {
			return fmt.Errorf("kun: the field %q of the data is %v%v, the model was made for %v%v", f.Name, f.DType, f.Shape, w.DType, w.Shape)
		}
	}
	return nil
}

// Build makes the weights for inputs of these types, without data; Fit and Load do it by themselves. The values come from
// the random streams of seed. A second call with the same fields changes nothing.
func (m *Model) Build(seed uint64, fields ...data.Field) error {
	names := m.inputs()
	for _, f := range fields {
		if !slices.Contains(names, f.Name) {
			return fmt.Errorf("kun: Build: the model takes the inputs %v, not %q", names, f.Name)
		}
	}
	if len(fields) != len(names) {
		return fmt.Errorf("kun: Build: %d fields for the inputs %v", len(fields), names)
	}
	g, err := m.trace(fields, 2)
	if err != nil {
		return err
	}
	vars := map[string]*tensor.Var{}
	for _, d := range g.Trace().Decls {
		vars[d.Path] = d.Materialise(seed)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fields, m.vars = slices.Clone(fields), vars
	return nil
}

// trace records the network at inference.
func (m *Model) trace(fields []data.Field, batch int) (*tensor.Graph, error) {
	if m.Net == nil {
		return nil, fmt.Errorf("kun: Model.Net is not set")
	}
	return tensor.Trace(tensor.Options{Model: m.Net}, func(ts []*tensor.Tensor) []*tensor.Tensor {
		return m.forward(named(fields, ts))
	}, train.Specs(fields, batch)...)
}

// named finds tensors by the names of their fields.
func named(fields []data.Field, ts []*tensor.Tensor) func(name string) *tensor.Tensor {
	return func(name string) *tensor.Tensor {
		for i, f := range fields {
			if f.Name == name {
				return ts[i]
			}
		}
		panic(&tensor.ShapeError{Op: "Forward", Why: fmt.Sprintf("no input %q", name), Hint: "Model.Inputs names the fields of the data"})
	}
}
