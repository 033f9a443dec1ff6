package cpu

import (
	"os"
	"runtime"

	"github.com/kun-ml/kun/device"
	"github.com/kun-ml/kun/internal/cpu"
	"github.com/kun-ml/kun/internal/kernel"
	"github.com/kun-ml/kun/internal/par"
	"github.com/kun-ml/kun/tensor"
)

// Options configures the device.
type Options struct {
	// Threads is the number of goroutines that work on one run; 0 means GOMAXPROCS. It never changes the bits of a result.
	Threads int
	// Level lowers the kernels to "avx2", "neon" or "go"; empty: the level in force, see KUN_CPU. A level that the machine
	// does not have is ignored.
	Level string
	// Check runs operation by operation and stops at the first value that is not finite, with a *device.NotFiniteError that
	// names it. Slow; also switched on by the environment variable KUN_CHECK=1.
	Check bool
	// Profile measures every step; see device.Profiler.
	Profile bool
}

// Device runs graphs on the processor. It is safe for concurrent use.
type Device struct {
	threads int
	pool    *par.Pool
	level   cpu.Level
	rows    *kernel.Rows
	check   bool
	profile bool
}

// New makes the device and starts its workers.
func New(o Options) *Device {
	if o.Threads <= 0 {
		o.Threads = runtime.GOMAXPROCS(0)
	}
	l := cpu.InForce()
	for _, have := range cpu.Levels() {
		if have.String() == o.Level {
			l = have
		}
	}
	return &Device{threads: o.Threads, pool: par.New(o.Threads), level: l, rows: kernel.RowsOf(l),
		check: o.Check || os.Getenv("KUN_CHECK") == "1", profile: o.Profile}
}

// Name is "cpu/" and the kernel level in force.
func (d *Device) Name() string { return "cpu/" + d.level.String() }

// Threads is the number of goroutines that work on one run.
func (d *Device) Threads() int { return d.threads }

// Share runs f(piece, worker) for each piece in [0, n) on the device's workers and returns when all have ended; see par.Pool.
// It is for work that belongs to a run, such as making its batch.
func (d *Device) Share(n int, f func(piece, worker int)) { d.pool.Run(n, f) }

// Supports is true for every operation of the table: what has no rule runs by its reference.
func (d *Device) Supports(op *tensor.Op) bool { return tensor.OpNamed(op.Name) == op }

// Close stops the workers.
func (d *Device) Close() { d.pool.Close() }

var _ device.Device = (*Device)(nil)
