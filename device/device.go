package device

import (
	"fmt"
	"time"

	"github.com/kun-ml/kun/array"
	"github.com/kun-ml/kun/tensor"
)

// Device compiles graphs.
type Device interface {
	// Name tells the device and the level in force, such as "cpu/avx512".
	Name() string
	// Supports reports whether the device runs an operation at all.
	Supports(op *tensor.Op) bool
	// Compile makes a graph ready to run. The graph must not change afterwards.
	Compile(g *tensor.Graph) (Executable, error)
	// Close stops the device's goroutines. Instances must not run afterwards.
	Close()
}

// Executable is a compiled graph: immutable, shared by any number of goroutines.
type Executable interface {
	// Instance makes memory for one run at a time. vars holds a variable for every declaration of the graph except those of
	// role Session, which the instance makes itself.
	Instance(vars map[string]*tensor.Var) (Instance, error)
	// Stats describes the compiled program.
	Stats() Stats
}

// Instance runs a compiled graph. One goroutine at a time.
type Instance interface {
	// Run computes the graph once: reads Inputs, writes Outputs and, unless the guard is false, the assigned variables.
	// It allocates nothing.
	Run(r *Run) error
}

// Run is what one run reads and writes.
type Run struct {
	// Inputs are the values of the graph's inputs, in order, of their exact types.
	Inputs []*array.Array
	// Outputs receive the graph's outputs, in order; a nil entry is not wanted.
	Outputs []*array.Array
	// Step is the step counter that random streams and host scalars see.
	Step int64
	// Seed is the seed of the random streams.
	Seed uint64
}

// NotFiniteError tells that an operation gave NaN or an infinity although its operands were finite.
type NotFiniteError struct {
	Op    string  // the operation
	Layer string  // path of its layer
	Where string  // the user's file:line, "" for a loaded program
	Index int     // position of the first such element
	Value float64 // NaN or an infinity
}

// Error names the value, the operation and the place.
func (e *NotFiniteError) Error() string {
	s := fmt.Sprintf("%s: %s gives %v at element %d", e.Layer, e.Op, e.Value, e.Index)
	if e.Where != "" {
		s += "\n  in   " + e.Where
	}
	return s
}

// Profiler is an instance of a device that measures.
type Profiler interface {
	// Profile lists what each step of the program took so far.
	Profile() []StepTime
}

// StepTime is what one step of a program cost.
type StepTime struct {
	Op    string        // the operation, or "tiles" for a fused chain
	Layer string        // path of the layer
	Runs  int           // number of runs
	Time  time.Duration // all runs together
	FLOPs float64       // floating-point operations of one run
	Bytes int           // bytes read and written by one run
}

// Stats describes a compiled program.
type Stats struct {
	// Steps is the number of parts that run one after the other.
	Steps int
	// ArenaBytes is the memory of one instance for values between operations.
	ArenaBytes int
	// SlowOps names the operations that run by their float64 reference because the device has no kernel for them.
	SlowOps []string
	// FLOPs is the number of floating-point operations of one run.
	FLOPs float64
}
