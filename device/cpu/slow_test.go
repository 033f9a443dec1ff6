package cpu_test

import (
	"slices"
	"testing"

	"github.com/kun-ml/kun/array"
	"github.com/kun-ml/kun/device/cpu"
	"github.com/kun-ml/kun/program"
	"github.com/kun-ml/kun/tensor"
	"github.com/kun-ml/kun/tensortest"
)

// byReference are the operations that still run by their float64 reference in float32. The list only shrinks.
var byReference = []string{}

func TestOps_RunByReferenceOnlyAsListed(t *testing.T) {
	d := cpu.New(cpu.Options{Threads: 1})
	defer d.Close()
	seen := map[string]bool{}
	for _, op := range tensor.Ops() {
		for _, c := range op.Cases {
			g, err := tensor.Trace(tensor.Options{}, func(x []*tensor.Tensor) []*tensor.Tensor { return op.ApplyAll(c.Attr, x...) }, tensortest.Specs(c, array.Float32)...)
			if err != nil {
				t.Fatal(err)
			}
			exe, err := d.Compile(program.Optimize(g))
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range exe.Stats().SlowOps {
				seen[s] = true
				if !slices.Contains(byReference, s) {
					t.Errorf("%s has no kernel for %v", s, c.In)
				}
			}
		}
	}
	for _, s := range byReference {
		if !seen[s] {
			t.Errorf("%s has a kernel for all its cases: take it off the list", s)
		}
	}
}
