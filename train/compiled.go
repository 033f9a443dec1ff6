package train

import (
	"fmt"

	"github.com/kun-ml/kun/array"
	"github.com/kun-ml/kun/data"
	"github.com/kun-ml/kun/device"
	"github.com/kun-ml/kun/program"
	"github.com/kun-ml/kun/tensor"
)

// Compiled is a traced function over batches of fields, ready to run for any batch size. The first size costs one trace;
// when a second size appears the program is generalised, and further sizes cost a plan each and no trace. It serves one
// goroutine at a time.
type Compiled struct {
	dev    device.Device
	fields []data.Field
	seed   uint64
	trace  func(batch int) (*tensor.Graph, error)
	vars   map[string]*tensor.Var
	first  *tensor.Graph // as traced, at size
	size   int
	poly   *program.Poly
	bound  []binding // most recently used first
}

// binding is the program at one batch size.
type binding struct {
	size  int
	graph *tensor.Graph
	inst  device.Instance
}

// maxBindings is how many batch sizes are kept ready.
const maxBindings = 4

// Specs are the inputs of a trace at a batch size.
func Specs(fields []data.Field, batch int) []tensor.Spec {
	out := make([]tensor.Spec, len(fields))
	for i, f := range fields {
		out[i] = tensor.Spec{Name: f.Name, DType: f.DType, Shape: append(array.Shape{batch}, f.Shape...)}
	}
	return out
}

// Compile traces f over the fields at one batch size and makes the variables that the model does not have yet, by the
// streams of seed. Variables that vars holds already, by path, are shared; the new ones are added to it.
func Compile(d device.Device, o tensor.Options, fields []data.Field, batch int, seed uint64, vars map[string]*tensor.Var,
	f func(in []*tensor.Tensor) []*tensor.Tensor) (*Compiled, error) {
	c := &Compiled{dev: d, fields: fields, seed: seed, vars: vars, size: batch}
	c.trace = func(batch int) (*tensor.Graph, error) { return tensor.Trace(o, f, Specs(fields, batch)...) }
	g, err := c.trace(batch)
	if err != nil {
		return nil, err
	}
	c.first = g
	for _, d := range g.Trace().Decls {
		if vars[d.Path] == nil {
			vars[d.Path] = d.Materialise(seed)
		}
	}
	_, err = c.instance(batch)
	return c, err
}

// Graph is the program as traced at the first batch size.
func (c *Compiled) Graph() *tensor.Graph { return c.first }

// Vars are the variables of the program, by path.
func (c *Compiled) Vars() map[string]*tensor.Var { return c.vars }

// Fields are the inputs, in order.
func (c *Compiled) Fields() []data.Field { return c.fields }

// instance gives the program at a batch size.
func (c *Compiled) instance(batch int) (device.Instance, error) {
	for i, b := range c.bound {
		if b.size == batch {
			copy(c.bound[1:i+1], c.bound[:i])
			c.bound[0] = b
			return b.inst, nil
		}
	}
	g, err := c.graph(batch)
	if err != nil {
		return nil, err
	}
	exe, err := c.dev.Compile(program.Optimize(g))
	if err != nil {
		return nil, err
	}
	inst, err := exe.Instance(c.vars)
	if err != nil {
		return nil, err
	}
	if len(c.bound) == maxBindings {
		c.bound = c.bound[:maxBindings-1]
	}
	c.bound = append([]binding{{batch, g, inst}}, c.bound...)
	return inst, nil
}

// graph gives the program as traced, at a batch size.
func (c *Compiled) graph(batch int) (*tensor.Graph, error) {
	if batch == c.size {
		return c.first, nil
	}
	if c.poly == nil {
		p, err := program.Generalise(c.trace)
		if err != nil {
			return nil, fmt.Errorf("train: a second batch size (%d after %d): %w", batch, c.size, err)
		}
		c.poly = p
	}
	g, err := c.poly.Bind(batch)
	if err != nil {
		return nil, err
	}
	g.Trace().Options, g.Trace().Scalars = c.first.Trace().Options, c.first.Trace().Scalars
	return g, nil
}

// Run runs the program over a batch of size rows. After the first run of each size it allocates nothing.
func (c *Compiled) Run(size int, r *device.Run) error {
	inst, err := c.instance(size)
	if err != nil {
		return err
	}
	return inst.Run(r)
}

// Profile lists what each step of the program took at the batch size that was used last; nil when the device does not
// measure.
func (c *Compiled) Profile() []device.StepTime {
	if len(c.bound) == 0 {
		return nil
	}
	if p, ok := c.bound[0].inst.(device.Profiler); ok {
		return p.Profile()
	}
	return nil
}
