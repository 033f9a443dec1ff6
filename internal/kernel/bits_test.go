package kernel

import (
	"flag"
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unsafe"

	"github.com/kun-ml/kun/internal/cpu"
)

var update = flag.Bool("update", false, "write testdata/bits.txt")

const bitsFile = "testdata/bits.txt"

// plainFloats are numbers made of random bits alone, the same on every machine: half of ordinary size, half any.
func plainFloats(r *rand.Rand, n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		u := r.Uint32()
		if i%2 == 0 {
			u = u&0x80ffffff | (0x38+uint32(r.IntN(10)))<<24
		}
		x[i] = math.Float32frombits(u)
	}
	return x
}

// digest is a hash of float32 or bytes; all NaN are one.
func digest(m *memory) uint64 {
	h := fnv.New64a()
	if m.size == 1 {
		h.Write(m.bytes())
		return h.Sum64()
	}
	for _, v := range m.floats() {
		u := math.Float32bits(v)
		if v != v {
			u = 0x7fc00000
		}
		h.Write([]byte{byte(u), byte(u >> 8), byte(u >> 16), byte(u >> 24)})
	}
	return h.Sum64()
}

// digests are the hashes of every kernel at a level, by its name.
func digests(level cpu.Level) map[string]uint64 {
	const n = 5003
	all := map[string]uint64{}
	for _, op := range TileNames() {
		r := rand.New(rand.NewPCG(11, uint64(len(op))))
		for i := range someScalars {
			ms := operandsOf(r, op, n)
			for j, m := range ms {
				if m.size == 4 {
					copy(m.floats(), plainFloats(r, n))
				}
				if op == "Sin" || op == "Cos" {
					for k, v := range m.floats() {
						if math.Abs(float64(v)) > sineLimit {
							m.floats()[k] = float32(j)
						}
					}
				}
			}
			run(TileOf(op, level), ms, &someScalars[i])
			all[op] = all[op]*31 + digest(ms[0])
		}
	}
	for _, c := range rowCases {
		r := rand.New(rand.NewPCG(12, uint64(len(c.name))))
		for _, n := range []int{0, 1, 10, 16, 100, 1003} {
			ms := rowOperands(r, &c, n)
			for _, m := range ms {
				for j := range m.floats() {
					m.floats()[j] = float32(int32(r.Uint32())) * 0x1p-29
				}
			}
			ret := newMemory(1, 4, 0)
			ret.floats()[0] = c.run(RowsOf(level), ms, n)
			all[c.name] = all[c.name]*31 + digest(ret)
			for _, m := range ms {
				all[c.name] = all[c.name]*31 + digest(m)
			}
		}
	}
	for _, c := range [][2]Type{{F32, U8}, {F32, I8}, {F32, I32}, {F32, F16}, {F32, BF16}, {F32, F64}, {Bool, F32}} {
		r := rand.New(rand.NewPCG(13, uint64(c[1])))
		src, dst := newMemory(n, c[1].Size(), 0), newMemory(n, c[0].Size(), 0)
		for i := range src.size * n {
			src.all[guard+i] = byte(r.Uint32())
		}
		CastOf(c[0], c[1], level)(dst.at(), src.at(), n)
		all["Cast"] = all["Cast"]*31 + digest(dst)
	}
	m := newMemory(n, 1, 0)
	Bernoulli(level, m.at(), 3, n, 0x123456789abcdef, 77, 1<<30)
	all["Bernoulli"] = digest(m)
	m = newMemory(n, 4, 0)
	Uniform(level, m.at(), 3, n, 0x123456789abcdef, 77)
	all["Uniform"] = digest(m)
	return all
}

// TestBits_AgreeAcrossLevels compares the bits of every kernel at each vector level with those written down, so also
// between processors.
func TestBits_AgreeAcrossLevels(t *testing.T) {
	levels := cpu.Levels()[1:]
	if len(levels) == 0 {
		t.Skip("this build has no vector level")
	}
	lines := func(level cpu.Level) []string {
		var l []string
		for name, h := range digests(level) {
			l = append(l, fmt.Sprintf("%s %016x", name, h))
		}
		slices.Sort(l)
		return l
	}
	if *update {
		if err := os.WriteFile(bitsFile, []byte(strings.Join(lines(levels[0]), "\n")+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	data, err := os.ReadFile(bitsFile)
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Fields(strings.ReplaceAll(string(data), " ", "="))
	for _, level := range levels {
		for i, l := range lines(level) {
			if i >= len(want) || strings.ReplaceAll(l, " ", "=") != want[i] {
				t.Errorf("%v: %s differs from %s; a change of bits on purpose is written down with -update", level, l, bitsFile)
			}
		}
	}
}

// TestBits_CoverEveryKernel: a kernel that is not compared may differ between processors.
func TestBits_CoverEveryKernel(t *testing.T) {
	data, err := os.ReadFile(bitsFile)
	if err != nil {
		t.Fatal(err)
	}
	have := map[string]bool{}
	for l := range strings.Lines(string(data)) {
		name, _, _ := strings.Cut(l, " ")
		have[name] = true
	}
	want := append(TileNames(), "Cast", "Bernoulli", "Uniform", "AdamW", "Nesterov")
	for i := range reflect.TypeFor[Rows]().NumField() {
		want = append(want, reflect.TypeFor[Rows]().Field(i).Name)
	}
	for _, name := range want {
		if !have[name] {
			t.Errorf("%s is not in %s", name, bitsFile)
		}
	}
	if len(want) != len(have) {
		t.Errorf("%s has %d kernels, there are %d", bitsFile, len(have), len(want))
	}
}

// TestTiles_AnyCut: an element's result does not depend on where the array is cut.
func TestTiles_AnyCut(t *testing.T) {
	const n = 777
	for _, level := range cpu.Levels() {
		for _, op := range TileNames() {
			r := rand.New(rand.NewPCG(21, uint64(len(op))))
			ms := operandsOf(r, op, n)
			whole := ms[0].clone()
			s := &someScalars[8]
			run(TileOf(op, level), ms, s)
			whole, ms[0] = ms[0], whole
			for from := 0; from < n; {
				to := min(n, from+1+r.IntN(60))
				var p [4]unsafe.Pointer
				for i, m := range ms {
					p[i] = unsafe.Add(m.at(), from*m.size)
				}
				TileOf(op, level)(p[0], p[1], p[2], p[3], to-from, s)
				from = to
			}
			if string(ms[0].all) != string(whole.all) && digest(ms[0]) != digest(whole) {
				t.Errorf("%v: %s in pieces differs from the whole", level, op)
			}
		}
	}
}

// TestTiles_WholeRange walks over all float32 in steps, for the functions that are approximated.
func TestTiles_WholeRange(t *testing.T) {
	step := uint64(20011)
	if testing.Short() {
		step = 200023
	}
	for _, level := range cpu.Levels()[1:] {
		for _, op := range []string{"Exp", "Expm1", "Log", "Log1p", "Sin", "Cos", "Tanh", "Erf", "Sigmoid"} {
			in, out := make([]float32, 4096), make([]float32, 4096)
			worst, at := 0.0, float32(0)
			for u := uint64(0); u < 1<<32; {
				n := 0
				for ; n < len(in) && u < 1<<32; n++ {
					in[n] = math.Float32frombits(uint32(u))
					u += step
				}
				TileOf(op, level)(unsafe.Pointer(&out[0]), unsafe.Pointer(&in[0]), nil, nil, n, nil)
				for i, y := range out[:n] {
					if d := ulps(y, oracles[op].f(float64(in[i]), 0, nil)); d > worst {
						worst, at = d, in[i]
					}
				}
			}
			t.Logf("%v %s: at most %.3f ulp, at %g", level, op, worst, at)
			if worst > oracles[op].ulp+0.51 {
				t.Errorf("%v: %s is %.2f ulp off at %g, more than 0.5 + %.1f", level, op, worst, at, oracles[op].ulp)
			}
		}
	}
}

// TestKernels_DoNotAllocate runs every kernel at every level.
func TestKernels_DoNotAllocate(t *testing.T) {
	r := rand.New(rand.NewPCG(31, 32))
	none := func(what string, f func()) {
		t.Helper()
		if a := testing.AllocsPerRun(5, f); a != 0 {
			t.Errorf("%s allocates %v times", what, a)
		}
	}
	for _, level := range cpu.Levels() {
		for _, op := range TileNames() {
			ms, tile := operandsOf(r, op, 100), TileOf(op, level)
			s := &someScalars[0]
			none(fmt.Sprintf("%v %s", level, op), func() { run(tile, ms, s) })
		}
		for _, c := range rowCases {
			if c.name == "Adam" || c.name == "AdamW" {
				continue // the case makes its scalars
			}
			ms := rowOperands(r, &c, 100)
			none(fmt.Sprintf("%v %s", level, c.name), func() { c.run(RowsOf(level), ms, 100) })
		}
		for dst := range numTypes {
			for src := range numTypes {
				to, from := newMemory(100, dst.Size(), 0), newMemory(100, src.Size(), 0)
				cast := CastOf(dst, src, level)
				none(fmt.Sprintf("%v cast %v to %v", level, src, dst), func() { cast(to.at(), from.at(), 100) })
			}
		}
		m := newMemory(200, 4, 0)
		none("Bernoulli", func() { Bernoulli(level, m.at(), 3, 200, 1, 2, 3) })
		none("Uniform", func() { Uniform(level, m.at(), 3, 200, 1, 2) })
	}
}
