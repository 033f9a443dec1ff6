package cpu_test

import (
	"bytes"
	"slices"
	"testing"

	"github.com/kun-ml/kun/device"
	"github.com/kun-ml/kun/device/cpu"
	"github.com/kun-ml/kun/program"
)

// TestChain_ChangesNoBits: steps that run as a chain, products cut along K and gradients made beside Adam give on any number
// of threads what one thread gives, also when the rows do not come out even; and they are in use.
func TestChain_ChangesNoBits(t *testing.T) {
	for _, rows := range []int{8, 33} {
		g := network(t, rows, 900, 48, 5)
		in := batch(rows, 900, 5)
		one := cpu.New(cpu.Options{Threads: 1})
		defer one.Close()
		want, wantVars := train(t, one, program.Optimize(g), in, 5)
		for _, threads := range []int{2, 3, 8} {
			d := cpu.New(cpu.Options{Threads: threads, Profile: true})
			defer d.Close()
			got, vars := train(t, d, program.Optimize(g), in, 5)
			if got != want {
				t.Errorf("%d rows, %d threads: loss %v, want %v", rows, threads, got, want)
			}
			for p, v := range wantVars {
				if !bytes.Equal(vars[p].Value.Bytes(), v.Value.Bytes()) {
					t.Errorf("%d rows, %d threads: %s differs", rows, threads, p)
				}
			}
			exe, err := d.Compile(program.Optimize(g))
			if err != nil {
				t.Fatal(err)
			}
			inst, err := exe.Instance(variables(g))
			if err != nil {
				t.Fatal(err)
			}
			if !slices.ContainsFunc(inst.(device.Profiler).Profile(), func(s device.StepTime) bool { return s.Op == "rows" }) {
				t.Errorf("%d rows, %d threads: no chain", rows, threads)
			}
		}
	}
}
