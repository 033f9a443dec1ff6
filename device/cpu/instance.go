package cpu

import (
	"fmt"
	"time"
	"unsafe"

	"github.com/kun-ml/kun/array"
	"github.com/kun-ml/kun/device"
	"github.com/kun-ml/kun/tensor"
)

type instance struct {
	e        *executable
	d        *Device
	arena    []byte
	vars     []*tensor.Var
	ptr      []unsafe.Pointer // by value id
	bytes    [][]byte         // the same memory as slices
	run      []func()
	now      device.Run
	scratch  [][]byte // by worker
	shared   []byte
	times    []time.Duration
	runs     int
	failed   error    // what went wrong inside of a loop body
	versions []uint64 // of the variables that the prologue read
	aside    [][]byte // carries of a loop body that change places
}

// Instance makes memory for one run at a time and binds the program to it.
func (e *executable) Instance(vars map[string]*tensor.Var) (device.Instance, error) {
	return e.instance(vars)
}

func (e *executable) instance(vars map[string]*tensor.Var) (*instance, error) {
	in := &instance{e: e, d: e.d, arena: array.New(array.Uint8, e.arena+alignment).Bytes()}
	for _, d := range e.vars {
		v := vars[d.Path]
		if v == nil && d.Role == tensor.Session {
			v = tensor.NewVar(d.Path, d.Role, array.New(d.Type.DType, d.Type.Shape...))
		}
		if v == nil {
			return nil, fmt.Errorf("cpu: no variable for %s", d.Path)
		}
		if v.Value.DType() != d.Type.DType || !v.Value.Shape().Equal(d.Type.Shape) {
			return nil, fmt.Errorf("cpu: variable %s is %v%v, the program wants %v", d.Path, v.Value.DType(), v.Value.Shape(), d.Type)
		}
		in.vars = append(in.vars, v)
	}
	in.ptr = make([]unsafe.Pointer, len(e.all))
	in.bytes = make([][]byte, len(e.all))
	for _, v := range e.all {
		r := v.root()
		var b []byte
		switch r.place {
		case inArena:
			if r.first < 0 {
				continue
			}
			b = in.arena[r.offset : r.offset+r.bytes()]
		case inVar:
			b = in.vars[r.index].Value.Bytes()
		case inConst:
			b = e.consts[r.index].Bytes()
		default:
			continue
		}
		in.set(v, b)
	}
	for range e.d.threads {
		in.scratch = append(in.scratch, array.New(array.Uint8, e.scratch+alignment).Bytes())
	}
	in.shared = array.New(array.Uint8, e.shared+alignment).Bytes()
	in.aside = make([][]byte, len(e.outs))
	for i := range e.steps {
		in.run = append(in.run, e.steps[i].bind(in))
	}
	return in, nil
}

func (in *instance) set(v *value, b []byte) {
	in.bytes[v.id] = b
	in.ptr[v.id] = unsafe.Pointer(unsafe.SliceData(b))
}

// Run computes the graph once.
func (in *instance) Run(r *device.Run) error {
	e := in.e
	if len(r.Inputs) != len(e.g.Inputs) {
		return fmt.Errorf("cpu: %d inputs for a program of %d", len(r.Inputs), len(e.g.Inputs))
	}
	for i, a := range r.Inputs {
		if t := e.g.Inputs[i].Type(); a.DType() != t.DType || !a.Shape().Equal(t.Shape) {
			return fmt.Errorf("cpu: input %d is %v%v, the program wants %v", i, a.DType(), a.Shape(), t)
		}
	}
	for _, v := range e.all {
		if q := v.root(); q.place == inInput {
			in.set(v, r.Inputs[q.index].Bytes())
		}
	}
	in.now = *r
	for _, s := range e.scalars {
		*(*float32)(in.ptr[s.v.id]) = float32(s.at(r.Step))
	}
	if err := in.steps(); err != nil {
		return err
	}
	for i, v := range e.outs {
		if i < len(r.Outputs) && r.Outputs[i] != nil {
			copy(r.Outputs[i].Bytes(), in.bytes[v.id])
		}
	}
	if e.guard != nil && in.bytes[e.guard.id][0] == 0 {
		return nil
	}
	for _, a := range e.assigns {
		copy(in.vars[a.to].Value.Bytes(), in.bytes[a.from.id])
	}
	for _, i := range e.touched {
		in.vars[i].Touch()
	}
	return nil
}

// steps runs the parts of the program in order.
func (in *instance) steps() error {
	if in.d.check || in.d.profile {
		return in.observed()
	}
	from := in.e.prologue
	if in.stale() {
		from = 0
	}
	for _, f := range in.run[from:] {
		f()
	}
	return nil
}

// input points all views of input i to memory.
func (in *instance) input(i int, b []byte) {
	for _, v := range in.e.all {
		if q := v.root(); q.place == inInput && q.index == i {
			in.set(v, b)
		}
	}
}

// split runs f for pieces 0..n-1 on the device's workers.
func (in *instance) split(n int, f func(piece, worker int)) { in.d.pool.Run(n, f) }
