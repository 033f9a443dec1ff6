package cli

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/kun-ml/kun/internal/cli/machine"
	"github.com/kun-ml/kun/internal/cli/term"
	"github.com/kun-ml/kun/internal/cpu"
)

// checkup is what `kun doctor` found.
type checkup struct {
	Processor     string   `json:"processor"`
	Cores         int      `json:"cores"`
	Threads       int      `json:"threads"`
	Platform      string   `json:"platform"`
	MemoryBytes   uint64   `json:"memory_bytes"`
	MemoryFree    uint64   `json:"memory_available_bytes"`
	CacheDir      string   `json:"cache_dir"`
	CacheFree     uint64   `json:"cache_free_bytes"`
	CacheWritable bool     `json:"cache_writable"`
	Level         string   `json:"cpu_level"`
	Levels        []string `json:"cpu_levels"` // that this processor can run
	speeds
	Warnings []string `json:"warnings"`
}

const (
	doctorMeasure = 150 * time.Millisecond // of each speed
	leastMemory   = 512 << 20
	leastDisk     = 1 << 30
	leastShare    = 0.5 // of the expected speed
)

func (a *app) doctorCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "doctor",
		Short: "look at this machine: processor, memory, disk, and how fast it is",
		Args:  args(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := a.examine(cmd.Context())
			if err != nil {
				return err
			}
			a.showCheckup(c)
			return a.emit(struct {
				envelope
				checkup
			}{envelope{jsonVersion, "doctor"}, c})
		},
	}
}

// examine asks the machine and measures it; it takes about a second.
func (a *app) examine(ctx context.Context) (checkup, error) {
	m := machine.MemoryNow()
	c := checkup{
		Processor: machine.CPUName(), Cores: runtime.NumCPU(), Threads: a.threadCount(), Platform: runtime.GOOS + "/" + runtime.GOARCH,
		MemoryBytes: m.Total, MemoryFree: m.Available, Warnings: []string{}, Level: cpu.InForce().String(),
	}
	for _, l := range cpu.Levels() {
		c.Levels = append(c.Levels, l.String())
	}
	warn := func(format string, args ...any) { c.Warnings = append(c.Warnings, fmt.Sprintf(format, args...)) }
	if m.Available > 0 && m.Available < leastMemory {
		warn("only %s of memory is free", term.Bytes(m.Available))
	}
	var err error
	if c.CacheDir, err = a.cacheDir(); err != nil {
		warn("no folder for downloaded data: %v; name one with KUN_CACHE", err)
	} else {
		c.CacheFree, c.CacheWritable = probe(c.CacheDir)
		if !c.CacheWritable {
			warn("%s cannot be written to; name another folder with KUN_CACHE", c.CacheDir)
		} else if c.CacheFree > 0 && c.CacheFree < leastDisk {
			warn("only %s are free on the disk of %s", term.Bytes(c.CacheFree), c.CacheDir)
		}
	}
	if w := cpu.Warning(); w != "" {
		warn("%s", w)
	}
	if c.speeds, err = a.measure(ctx); err != nil {
		return c, err
	}
	if c.FlopsOne < leastShare*c.FlopsExpect {
		warn("matrix products reach %.0f %% of what they should: is something else running?", 100*c.FlopsOne/c.FlopsExpect)
	}
	return c, nil
}

// threadCount is how many threads compute.
func (a *app) threadCount() int {
	if a.threads > 0 {
		return a.threads
	}
	return runtime.GOMAXPROCS(0)
}

// cacheDir is where downloaded data lies.
func (a *app) cacheDir() (string, error) {
	if d := a.getenv("KUN_CACHE"); d != "" {
		return d, nil
	}
	d, err := os.UserCacheDir()
	return filepath.Join(d, "kun"), err
}

// probe looks at the nearest folder above dir that exists: how much room its disk has, and whether a file can be made.
func probe(dir string) (free uint64, writable bool) {
	for {
		if st, err := os.Stat(dir); err == nil && st.IsDir() {
			break
		} else if err == nil {
			return 0, false // a file, below which there is nothing
		}
		up := filepath.Dir(dir)
		if up == dir {
			return 0, false
		}
		dir = up
	}
	free, _ = machine.DiskFree(dir)
	f, err := os.CreateTemp(dir, ".kun-doctor-*")
	if err != nil {
		return free, false
	}
	_ = f.Close()
	return free, os.Remove(f.Name()) == nil
}

func (a *app) showCheckup(c checkup) {
	name := c.Processor
	if name == "" {
		name = "unknown"
	}
	a.printf("processor  %s, %d cores, %s\n", name, c.Cores, c.Platform)
	a.printf("kernels    %s of %s; %d threads\n", c.Level, strings.Join(c.Levels, ", "), c.Threads)
	if c.MemoryBytes > 0 {
		a.printf("memory     %s", term.Bytes(c.MemoryBytes))
		if c.MemoryFree > 0 {
			a.printf(", %s free", term.Bytes(c.MemoryFree))
		}
		a.printf("\n")
	}
	a.printf("cache      %s", c.CacheDir)
	if c.CacheFree > 0 {
		a.printf(", %s free", term.Bytes(c.CacheFree))
	}
	a.printf("\nclock      %.2f GHz\n", c.Clock/1e9)
	a.printf("products   %.0f GFLOP/s on one thread, %.0f %% of the %.0f of %s at this clock\n",
		c.FlopsOne/1e9, 100*c.FlopsOne/c.FlopsExpect, c.FlopsExpect/1e9, c.Level)
	a.printf("           %.0f GFLOP/s on %d threads\n", c.Flops/1e9, c.Threads)
	a.printf("training   %.0f us per step of the quick-start model, %s samples/s\n", c.Step*1e6, term.Thousands(int64(32/c.Step)))
	a.printf("copy       %.1f GB/s\n", c.CopyBytes/1e9)
	for _, w := range c.Warnings {
		a.printf("%s %s\n", a.out.Style(term.Yellow, "warning:"), w)
	}
	if len(c.Warnings) == 0 {
		a.printf("%s\n", a.out.Style(term.Green, "all is well"))
	}
}
