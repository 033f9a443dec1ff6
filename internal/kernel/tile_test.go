package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"unsafe"

	"github.com/kun-ml/kun/internal/cpu"
)

// oracles are the ops of tiles in float64, and how far a level may be from the rounded result, in units in the last place.
var oracles = map[string]struct {
	f   func(x, y float64, s *[4]float64) float64
	ulp float64
}{
	"Neg":        {func(x, _ float64, _ *[4]float64) float64 { return -x }, 0},
	"Abs":        {func(x, _ float64, _ *[4]float64) float64 { return math.Abs(x) }, 0},
	"Sign":       {func(x, _ float64, _ *[4]float64) float64 { return float64(sign(float32(x))) }, 0},
	"Square":     {func(x, _ float64, _ *[4]float64) float64 { return x * x }, 0},
	"Reciprocal": {func(x, _ float64, _ *[4]float64) float64 { return 1 / x }, 0},
	"Sqrt":       {func(x, _ float64, _ *[4]float64) float64 { return math.Sqrt(x) }, 0},
	"Rsqrt":      {func(x, _ float64, _ *[4]float64) float64 { return 1 / math.Sqrt(x) }, 1},
	"Floor":      {func(x, _ float64, _ *[4]float64) float64 { return math.Floor(x) }, 0},
	"Round":      {func(x, _ float64, _ *[4]float64) float64 { return math.RoundToEven(x) }, 0},
	"Exp":        {func(x, _ float64, _ *[4]float64) float64 { return math.Exp(x) }, 1},
	"Expm1":      {func(x, _ float64, _ *[4]float64) float64 { return math.Expm1(x) }, 2},
	"Log":        {func(x, _ float64, _ *[4]float64) float64 { return math.Log(x) }, 1},
	"Log1p":      {func(x, _ float64, _ *[4]float64) float64 { return math.Log1p(x) }, 1.5},
	"Sin":        {func(x, _ float64, _ *[4]float64) float64 { return math.Sin(x) }, 1.5},
	"Cos":        {func(x, _ float64, _ *[4]float64) float64 { return math.Cos(x) }, 1.5},
	"Tanh":       {func(x, _ float64, _ *[4]float64) float64 { return math.Tanh(x) }, 2},
	"Erf":        {func(x, _ float64, _ *[4]float64) float64 { return math.Erf(x) }, 1.5},
	"Sigmoid":    {func(x, _ float64, _ *[4]float64) float64 { return 1 / (1 + math.Exp(-x)) }, 2.5},
	"Relu":       {func(x, _ float64, _ *[4]float64) float64 { return max(x, 0) }, 0},

	"Add":     {func(x, y float64, _ *[4]float64) float64 { return x + y }, 0},
	"Sub":     {func(x, y float64, _ *[4]float64) float64 { return x - y }, 0},
	"Mul":     {func(x, y float64, _ *[4]float64) float64 { return x * y }, 0},
	"Div":     {func(x, y float64, _ *[4]float64) float64 { return x / y }, 0},
	"Maximum": {func(x, y float64, _ *[4]float64) float64 { return max(x, y) }, 0},
	"Minimum": {func(x, y float64, _ *[4]float64) float64 { return min(x, y) }, 0},
	"Pow":     {func(x, y float64, _ *[4]float64) float64 { return math.Pow(x, y) }, 2},
	"ReluGrad": {func(x, y float64, _ *[4]float64) float64 {
		return float64(reluGrad(float32(x), float32(y)))
	}, 0},

	"AddScalar":     {func(x, _ float64, s *[4]float64) float64 { return x + s[0] }, 0},
	"Scale":         {func(x, _ float64, s *[4]float64) float64 { return x * s[0] }, 0},
	"PowScalar":     {func(x, _ float64, s *[4]float64) float64 { return math.Pow(x, s[0]) }, 2},
	"MaximumScalar": {func(x, _ float64, s *[4]float64) float64 { return max(x, s[0]) }, 0},
	"MinimumScalar": {func(x, _ float64, s *[4]float64) float64 { return min(x, s[0]) }, 0},

	"Equal":        {func(x, y float64, _ *[4]float64) float64 { return truth(x == y) }, 0},
	"NotEqual":     {func(x, y float64, _ *[4]float64) float64 { return truth(x != y) }, 0},
	"Less":         {func(x, y float64, _ *[4]float64) float64 { return truth(x < y) }, 0},
	"LessEqual":    {func(x, y float64, _ *[4]float64) float64 { return truth(x <= y) }, 0},
	"Greater":      {func(x, y float64, _ *[4]float64) float64 { return truth(x > y) }, 0},
	"GreaterEqual": {func(x, y float64, _ *[4]float64) float64 { return truth(x >= y) }, 0},
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// form says which elements an op takes and gives: f for float32, b for bytes; the result first.
func form(op string) string {
	switch op {
	case "Equal", "NotEqual", "Less", "LessEqual", "Greater", "GreaterEqual":
		return "bff"
	case "And", "Or":
		return "bbb"
	case "Not":
		return "bb"
	case "Where":
		return "fbff"
	case "MaskScale":
		return "ffb"
	case "Add", "Sub", "Mul", "Div", "Maximum", "Minimum", "Pow", "ReluGrad":
		return "fff"
	}
	return "ff"
}

// edges are numbers where kernels go wrong.
var edges = []float32{0, float32(math.Copysign(0, -1)), 1, -1, 0.5, -0.5, 2, -2, inf32, -inf32, float32(math.NaN()), -float32(math.NaN()),
	math.Float32frombits(0x7f800001), math.Float32frombits(0xffc12345), math.MaxFloat32, -math.MaxFloat32,
	math.SmallestNonzeroFloat32, -math.SmallestNonzeroFloat32, 0x1p-126, -0x1p-126, 0x1p-127, -0x1.8p-130, 88.72283, 88.72284, 89, 90, -87.33655,
	-88, -103.27893, -103.97208, -104, -105, -106, 1e9, -1e9, 0x1p23, 0x1.8p23, -0x1p23, 8388607.5, 2.5, 3.5, -2.5, 1e-20, -1e-20, -0.99999994, 0.99999994,
	1.0000001, 0.6666667, 1.3333334, 0.55, -0.55, 0.9277344, 3.9, 4, 10, -17.5, 1e-3, -1e-3, 9.01, 20, 127, 128, -126, -150, 0.3333333, 3, -3, 1.5707964, 3.1415927}

// someFloats are n numbers: edges, random bits, and numbers of ordinary size.
func someFloats(r *rand.Rand, n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		switch r.IntN(8) {
		case 0:
			x[i] = edges[r.IntN(len(edges))]
		case 1, 2, 3:
			x[i] = math.Float32frombits(r.Uint32())
		case 4:
			x[i] = float32(r.NormFloat64() * 50)
		default:
			x[i] = float32(r.NormFloat64() * math.Exp2(float64(r.IntN(12)-8)))
		}
	}
	return x
}

// ulps is how far got is from want in units in the last place of want as a float32; 0 for the same special value.
func ulps(got float32, want float64) float64 {
	w := float32(want)
	g := float64(got)
	switch {
	case math.IsNaN(want) && got != got:
		return 0
	case math.IsNaN(want) != (got != got):
		return math.Inf(1)
	case got == w:
		if got == 0 && math.Signbit(want) != math.Signbit(g) {
			return math.Inf(1)
		}
		if math.IsInf(g, 0) || math.IsInf(want, 0) {
			return 0
		}
		return math.Abs(g-want) / unit(w)
	case math.IsInf(float64(w), 0): // a number for an infinity
		return math.Abs(g-math.Copysign(0x1p128, want)) / unit(w)
	case math.IsInf(g, 0):
		return math.Abs(math.Copysign(0x1p128, g)-want) / unit(w)
	}
	return math.Abs(g-want) / unit(w)
}

func unit(x float32) float64 {
	u := math.Float32bits(x) & 0x7f800000
	return math.Ldexp(1, max(int(u>>23), 1)-150)
}

const guard = 128 // bytes around an array that must not change

// memory is n elements of size bytes between guards.
type memory struct {
	all  []byte
	size int
	n    int
}

func newMemory(n, size, shift int) *memory {
	m := &memory{make([]byte, 2*guard+n*size+shift), size, n}
	for i := range m.all {
		m.all[i] = byte(0xa5 + i)
	}
	m.all = m.all[shift:]
	return m
}

func (m *memory) at() unsafe.Pointer { return unsafe.Pointer(&m.all[guard]) }

func (m *memory) floats() []float32 { return floats(m.at(), m.n) }

func (m *memory) bytes() []byte { return bytes(m.at(), m.n) }

func (m *memory) intact(t *testing.T, before *memory) {
	t.Helper()
	for i := range m.all {
		if (i < guard || i >= guard+m.n*m.size) && m.all[i] != before.all[i] {
			t.Fatalf("byte %d of %d bytes was overwritten", i-guard, m.n*m.size)
		}
	}
}

func (m *memory) clone() *memory { return &memory{append([]byte(nil), m.all...), m.size, m.n} }

// fill puts random elements of kind f or b into m.
func fill(r *rand.Rand, m *memory, kind byte) {
	if kind == 'f' {
		copy(m.floats(), someFloats(r, m.n))
		return
	}
	for i := range m.bytes() {
		m.bytes()[i] = byte(r.IntN(2))
	}
}

func sizeOf(kind byte) int {
	if kind == 'f' {
		return 4
	}
	return 1
}

func lengths() []int {
	var ns []int
	for n := range 71 {
		ns = append(ns, n)
	}
	return append(ns, 127, 128, 129, 1000, 4096, 8192)
}

// operands makes the operands of an op of n elements; the first is dst.
func operandsOf(r *rand.Rand, op string, n int) []*memory {
	f := form(op)
	var ms []*memory
	for i := range f {
		m := newMemory(n, sizeOf(f[i]), 4*r.IntN(3))
		fill(r, m, f[i])
		if op == "Where" && i == 1 || op == "MaskScale" && i == 2 {
			for j := range m.bytes() {
				m.bytes()[j] *= byte(1 + r.IntN(255)) // any byte but 0 is true
			}
		}
		ms = append(ms, m)
	}
	return ms
}

func run(t Tile, ms []*memory, s *Scalars) {
	var p [4]unsafe.Pointer
	for i, m := range ms {
		p[i] = m.at()
	}
	t(p[0], p[1], p[2], p[3], ms[0].n, s)
}

var someScalars = []Scalars{{0.7, 1.3}, {0, 0}, {-1.5, 6}, {float32(math.Copysign(0, -1)), 0x1p-130}, {inf32, -inf32}, {float32(math.NaN()), 1}, {2, 3}, {-2, 0.5}, {0.5, 9}}

// TestTiles_MatchOracle checks each op at each level of the machine: accuracy over the whole range, every length, in place and
// not, and that nothing else is written.
func TestTiles_MatchOracle(t *testing.T) {
	for _, level := range cpu.Levels() {
		for _, op := range TileNames() {
			t.Run(fmt.Sprintf("%v/%s", level, op), func(t *testing.T) {
				r := rand.New(rand.NewPCG(1, uint64(len(op))))
				worst := 0.0
				for _, n := range lengths() {
					for trial := range 3 {
						worst = max(worst, checkTile(t, r, op, level, n, &someScalars[(trial+n)%len(someScalars)]))
					}
				}
				if o, ok := oracles[op]; ok && worst > o.ulp+0.51 {
					t.Errorf("is %.2f ulp off, more than 0.5 + %.1f", worst, o.ulp)
				}
				if testing.Verbose() {
					t.Logf("%.2f ulp", worst)
				}
			})
		}
	}
}

func checkTile(t *testing.T, r *rand.Rand, op string, level cpu.Level, n int, s *Scalars) (worst float64) {
	t.Helper()
	tile := TileOf(op, level)
	ms := operandsOf(r, op, n)
	before := make([]*memory, len(ms))
	for i, m := range ms {
		before[i] = m.clone()
	}
	run(tile, ms, s)
	for i, m := range ms {
		m.intact(t, before[i])
		if i > 0 && string(m.all) != string(before[i].all) {
			t.Fatalf("n %d: operand %d was changed", n, i)
		}
	}
	// In place gives the same.
	f := form(op)
	for i := 1; i < len(f); i++ {
		if f[i] == f[0] {
			in := append([]*memory(nil), before...)
			in[i] = before[i].clone()
			in[0] = in[i]
			run(tile, in, s)
			if string(in[0].all[guard:guard+n*in[0].size]) != string(ms[0].all[guard:guard+n*in[0].size]) {
				t.Fatalf("n %d: in place of operand %d the result differs", n, i)
			}
			in[0].intact(t, before[i])
		}
	}
	o, ok := oracles[op]
	if !ok {
		return exactly(t, op, ms, s)
	}
	wide := [4]float64{float64(s[0]), float64(s[1])}
	for i := range n {
		x, y := float64(ms[1].floats()[i]), 0.0
		if len(ms) > 2 {
			y = float64(ms[2].floats()[i])
		}
		want := o.f(x, y, &wide)
		if o.ulp == 0 {
			want = float64(float32(want))
		}
		got := float32(0)
		if f[0] == 'f' {
			got = ms[0].floats()[i]
		} else {
			got = float32(ms[0].bytes()[i])
		}
		u := ulps(got, want)
		if u > o.ulp+0.51 {
			t.Fatalf("n %d element %d: op(%g, %g; %v) = %g (%#08x), want %g (%#08x): %.2f ulp", n, i, x, y, *s, got, math.Float32bits(got), want, math.Float32bits(float32(want)), u)
		}
		worst = max(worst, u)
	}
	return worst
}

// exactly checks the ops on bytes.
func exactly(t *testing.T, op string, ms []*memory, s *Scalars) float64 {
	t.Helper()
	for i := range ms[0].n {
		switch op {
		case "Where":
			want := ms[3].floats()[i]
			if ms[1].bytes()[i] != 0 {
				want = ms[2].floats()[i]
			}
			if got := ms[0].floats()[i]; math.Float32bits(got) != math.Float32bits(want) {
				t.Fatalf("element %d is %g, want %g", i, got, want)
			}
		case "MaskScale":
			want := float32(0)
			if ms[2].bytes()[i] != 0 {
				want = ms[1].floats()[i] * s[0]
			}
			if got := ms[0].floats()[i]; !sameBits(got, want) {
				t.Fatalf("element %d is %g, want %g", i, got, want)
			}
		case "And", "Or", "Not":
			x := ms[1].bytes()[i]
			want := x ^ 1
			if op == "And" {
				want = x & ms[2].bytes()[i]
			} else if op == "Or" {
				want = x | ms[2].bytes()[i]
			}
			if got := ms[0].bytes()[i]; got != want {
				t.Fatalf("element %d is %d, want %d", i, got, want)
			}
		default:
			t.Fatalf("no oracle for %s", op)
		}
	}
	return 0
}

// sameBits takes all NaN for one.
func sameBits(x, y float32) bool {
	return math.Float32bits(x) == math.Float32bits(y) || x != x && y != y
}
