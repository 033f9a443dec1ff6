package nn

import (
	"github.com/kun-ml/kun/array"
	"github.com/kun-ml/kun/tensor"
)

// Param is a weight: what an optimizer changes. The zero value is ready for use as an exported field of a layer; it is
// empty until a trace of the model has used it. A layer must not be copied after that.
type Param struct{ cell tensor.Cell }

// Cell is the place of the variable; package tensor finds parameters by it.
func (p *Param) Cell() *tensor.Cell { return &p.cell }

// Var is the variable with its value, nil before the first use of the model.
func (p *Param) Var() *tensor.Var { return p.cell.Var() }

// In gives the weight, of shape dims, as a tensor of x's trace. A weight that does not exist yet is filled by init (nil:
// zeros) from the random stream named by its path. Weights are kept in float32 and enter the computation in the element
// type of the trace's Compute policy.
func (p *Param) In(x *tensor.Tensor, init tensor.Initializer, dims ...int) *tensor.Tensor {
	w := p.master(x, init, dims...)
	if d := x.Graph().Trace().Compute; d != array.Invalid {
		return w.Cast(d)
	}
	return w
}

// master is the weight as it is kept, in float32.
func (p *Param) master(x *tensor.Tensor, init tensor.Initializer, dims ...int) *tensor.Tensor {
	checkInit(x, init, dims)
	return p.cell.Declare(x, tensor.Weight, init, array.Float32, dims...)
}

// State is what a layer keeps beside its weights and changes by itself, such as a moving average: saved with the model,
// never touched by an optimizer. The zero value is ready for use as an exported field of a layer.
type State struct{ cell tensor.Cell }

// Cell is the place of the variable; package tensor finds it by this.
func (s *State) Cell() *tensor.Cell { return &s.cell }

// Var is the variable with its value, nil before the first use of the model.
func (s *State) Var() *tensor.Var { return s.cell.Var() }

// In gives the state, float32 of shape dims, as a tensor of x's trace: its value at the start of the step, or what Set
// gave it before in this trace. A state that does not exist yet is filled by init (nil: zeros).
func (s *State) In(x *tensor.Tensor, init tensor.Initializer, dims ...int) *tensor.Tensor {
	checkInit(x, init, dims)
	return s.cell.Declare(x, tensor.State, init, array.Float32, dims...)
}

func checkInit(x *tensor.Tensor, init tensor.Initializer, dims []int) {
	if c, ok := init.(checker); ok {
		if e := c.check(dims); e != nil {
			e.Layer = x.Label()
			panic(e)
		}
	}
}

// Set gives the state a new value, float32, which it takes at the end of the step. In must come first.
func (s *State) Set(x, value *tensor.Tensor) {
	s.cell.Set(x, value.Cast(array.Float32))
}
