package cpu_test

import (
	"bytes"
	"math"
	"strings"
	"testing"

	"github.com/kun-ml/kun/array"
	"github.com/kun-ml/kun/device"
	"github.com/kun-ml/kun/device/cpu"
	"github.com/kun-ml/kun/device/ref"
	lvl "github.com/kun-ml/kun/internal/cpu"
	"github.com/kun-ml/kun/internal/kernel"
	"github.com/kun-ml/kun/program"
	"github.com/kun-ml/kun/tensor"
	"github.com/kun-ml/kun/tensortest"
)

// tolerance is the relative difference allowed between the device and the float64 reference, by element type.
var tolerance = map[array.DType]float64{array.Float32: 4e-6, array.Float64: 1e-12, array.BFloat16: 1.6e-2, array.Float16: 2e-3}

// TestOps_MatchReference runs every case of every operation, at every level of this machine, for every float type, and
// compares with the reference.
func TestOps_MatchReference(t *testing.T) {
	count := map[string]int{}
	for _, level := range lvl.Levels() {
		d := cpu.New(cpu.Options{Threads: 2, Level: level.String()})
		eachCase(t, func(op *tensor.Op, c tensor.Case, g *tensor.Graph, in []*array.Array) {
			want, got := run(t, ref.New(), g, in), run(t, d, program.Optimize(g), in)
			for k := range want {
				compare(t, op.Name+" on "+d.Name(), g.Outs[k].DType(), got[k].Float64s(), want[k].Float64s())
			}
			count[d.Name()]++
		})
		d.Close()
	}
	total := 0
	for name, n := range count {
		t.Logf("%s: %d cases of %d operations equal the reference", name, n, len(tensor.Ops()))
		total += n
	}
	if total < 300*len(lvl.Levels()) {
		t.Errorf("only %d cases ran", total)
	}
}

// TestOps_SameBitsAtVectorLevels compares AVX-512 with AVX2 bit by bit and holds docs/ops.md to what it finds.
func TestOps_SameBitsAtVectorLevels(t *testing.T) {
	levels := lvl.Levels()
	if levels[len(levels)-1] != lvl.AVX512 {
		t.Skip("this processor has no AVX-512")
	}
	wide, narrow := cpu.New(cpu.Options{Threads: 1, Level: "avx512"}), cpu.New(cpu.Options{Threads: 1, Level: "avx2"})
	defer wide.Close()
	defer narrow.Close()
	differ := map[string]bool{}
	count := 0
	eachCase(t, func(op *tensor.Op, c tensor.Case, g *tensor.Graph, in []*array.Array) {
		a, b := run(t, wide, program.Optimize(g), in), run(t, narrow, program.Optimize(g), in)
		for k := range a {
			if !bytes.Equal(a[k].Bytes(), b[k].Bytes()) {
				differ[op.Name] = true
			}
		}
		count++
	})
	for _, op := range tensor.Ops() {
		if len(op.Cases) > 0 && cpu.SameBits(op) == differ[op.Name] {
			t.Errorf("%s: SameBits says %v, the levels say %v", op.Name, cpu.SameBits(op), !differ[op.Name])
		}
	}
	t.Logf("%d cases compared; %d operations differ", count, len(differ))
}

// eachCase traces every case of every operation in every float type.
func eachCase(t *testing.T, f func(op *tensor.Op, c tensor.Case, g *tensor.Graph, in []*array.Array)) {
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
				f(op, c, g, in)
			}
		}
	}
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
	if strings.HasPrefix(name, "MatMul") { // float32 sums of up to 800 products
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

// TestKCut_IsTheSameInBothPackages: the table states the cut of K, the kernels make it.
func TestKCut_IsTheSameInBothPackages(t *testing.T) {
	for k := range 20000 {
		b, n := tensor.KCut(k)
		if c, m := kernel.KCut(k); b != c || n != m {
			t.Fatalf("K = %d: %d blocks of %d, and %d of %d", k, n, b, m, c)
		}
	}
}
