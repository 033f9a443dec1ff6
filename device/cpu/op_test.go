package cpu_test

import (
	"math"
	"testing"

	"github.com/kun-ml/kun/array"
	"github.com/kun-ml/kun/device"
	"github.com/kun-ml/kun/device/cpu"
	"github.com/kun-ml/kun/device/ref"
	"github.com/kun-ml/kun/program"
	"github.com/kun-ml/kun/tensor"
	"github.com/kun-ml/kun/tensortest"
)

// tolerance is the relative difference allowed between the device and the float64 reference, by element type.
var tolerance = map[array.DType]float64{array.Float32: 4e-6, array.Float64: 1e-12, array.BFloat16: 1.6e-2, array.Float16: 2e-3}

// TestOps_MatchReference runs every case of every operation, for every float type, and compares with the reference.
func TestOps_MatchReference(t *testing.T) {
	d := cpu.New(cpu.Options{Threads: 2})
	defer d.Close()
	count := 0
	for _, op := range tensor.Ops() {
		for i, c := range op.Cases {
			for _, dt := range []array.DType{array.Float32, array.Float64, array.BFloat16, array.Float16} {
				if op.Name == "Cast" && dt != array.Float32 {
					continue // its cases name every type already
				}
				in := tensortest.Values(c, uint64(i+1))
				specs := tensortest.Specs(c, dt)
				if op.Name == "Cast" {
					for k := range specs {
						specs[k].DType = c.In[k].DType
					}
				}
				for k := range in {
					in[k] = in[k].To(specs[k].DType)
				}
				g, err := tensor.Trace(tensor.Options{}, func(x []*tensor.Tensor) []*tensor.Tensor { return op.ApplyAll(c.Attr, x...) }, specs...)
				if err != nil {
					if dt != array.Float32 {
						continue // an attribute of the case fixes the type
					}
					t.Fatalf("%s: %v", op.Name, err)
				}
				want, got := run(t, ref.New(), g, in), run(t, d, program.Optimize(g), in)
				for k := range want {
					compare(t, op.Name, g.Outs[k].DType(), got[k].Float64s(), want[k].Float64s())
				}
				count++
			}
		}
	}
	t.Logf("%d operations, %d cases compared with the reference on %s", len(tensor.Ops()), count, d.Name())
}

func run(t *testing.T, d device.Device, g *tensor.Graph, in []*array.Array) []*array.Array {
	t.Helper()
	exe, err := d.Compile(g)
	if err != nil {
		t.Fatal(err)
	}
	inst, err := exe.Instance(nil)
	if err != nil {
		t.Fatal(err)
	}
	out := make([]*array.Array, len(g.Outs))
	for i, o := range g.Outs {
		out[i] = array.New(o.DType(), o.Shape()...)
	}
	if err := inst.Run(&device.Run{Inputs: in, Outputs: out, Seed: 3, Step: 5}); err != nil {
		t.Fatal(err)
	}
	return out
}

func compare(t *testing.T, name string, d array.DType, got, want []float64) {
	t.Helper()
	tol := tolerance[d]
	if name == "MatMul" { // float32 sums of up to 800 products
		tol *= 8
	}
	for i := range want {
		if got[i] == want[i] || got[i] != got[i] && want[i] != want[i] {
			continue
		}
		if diff := math.Abs(got[i] - want[i]); !(diff <= tol*(1+math.Abs(want[i]))) {
			t.Errorf("%s (%v): element %d is %v, want %v", name, d, i, got[i], want[i])
			return
		}
	}
}
