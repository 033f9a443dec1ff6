package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"unsafe"

	"github.com/kun-ml/kun/internal/cpu"
)

// rowCase is a kernel of rows, run on memories: the result first if there is one; the float that it returns.
type rowCase struct {
	name string
	run  func(k *Rows, m []*memory, n int) float32
	args int
	out  int // the first out memories are written
	// oracle gives what the run should write to memory 0 and return, and the error allowed; nil: the bits of level Go.
	oracle func(m []*memory, n int) (write []float64, ret, tolerance float64)
	any    bool // operands of any bits, not only of ordinary size
}

var rowCases = []rowCase{
	{name: "Sum", args: 1, any: true, run: func(k *Rows, m []*memory, n int) float32 { return k.Sum(m[0].at(), n) }},
	{name: "Max", args: 1, any: true, run: func(k *Rows, m []*memory, n int) float32 { return k.Max(m[0].at(), n) }},
	{name: "Min", args: 1, any: true, run: func(k *Rows, m []*memory, n int) float32 { return k.Min(m[0].at(), n) }},
	{name: "AddTo", args: 2, out: 1, any: true, run: func(k *Rows, m []*memory, n int) float32 { k.AddTo(m[0].at(), m[1].at(), n); return 0 }},
	{name: "Axpy", args: 2, out: 1, any: true, run: func(k *Rows, m []*memory, n int) float32 { k.Axpy(m[0].at(), m[1].at(), n, 0.3); return 0 }},
	{name: "Adam", args: 4, out: 3, any: true, run: func(k *Rows, m []*memory, n int) float32 {
		k.Adam(m[0].at(), m[1].at(), m[2].at(), m[3].at(), n, &AdamScalars{0.1, 0.001, 0.02, 1e-7, 0})
		return 0
	}},
	{name: "AdamW", args: 4, out: 3, run: func(k *Rows, m []*memory, n int) float32 {
		k.Adam(m[0].at(), m[1].at(), m[2].at(), m[3].at(), n, &AdamScalars{0.1, 0.001, 0.02, 1e-7, 0.01})
		return 0
	}},
	{name: "SGD", args: 2, out: 1, any: true, run: func(k *Rows, m []*memory, n int) float32 { k.SGD(m[0].at(), m[1].at(), n, 0.1); return 0 }},
	{name: "Momentum", args: 3, out: 2, any: true, run: func(k *Rows, m []*memory, n int) float32 {
		k.Momentum(m[0].at(), m[1].at(), m[2].at(), n, 0.1, 0.9, false)
		return 0
	}},
	{name: "Nesterov", args: 3, out: 2, any: true, run: func(k *Rows, m []*memory, n int) float32 {
		k.Momentum(m[0].at(), m[1].at(), m[2].at(), n, 0.1, 0.9, true)
		return 0
	}},
	{name: "Dot", args: 2, run: func(k *Rows, m []*memory, n int) float32 { return k.Dot(m[0].at(), m[1].at(), n) },
		oracle: func(m []*memory, n int) ([]float64, float64, float64) { return dotOracle(m[0].floats(), m[1].floats()) }},
	{name: "SumSquares", args: 1, run: func(k *Rows, m []*memory, n int) float32 { return k.SumSquares(m[0].at(), n) },
		oracle: func(m []*memory, n int) ([]float64, float64, float64) { return dotOracle(m[0].floats(), m[0].floats()) }},
	{name: "Softmax", args: 2, out: 1, run: func(k *Rows, m []*memory, n int) float32 { k.Softmax(m[0].at(), m[1].at(), n); return 0 },
		oracle: func(m []*memory, n int) ([]float64, float64, float64) {
			p, _ := softmaxOracle(m[1].floats())
			return p, 0, 0
		}},
	{name: "LogSoftmax", args: 2, out: 1, run: func(k *Rows, m []*memory, n int) float32 { k.LogSoftmax(m[0].at(), m[1].at(), n); return 0 },
		oracle: func(m []*memory, n int) ([]float64, float64, float64) {
			x := m[1].floats()
			_, l := softmaxOracle(x)
			w := make([]float64, n)
			for i := range w {
				w[i] = float64(x[i]) - l
			}
			return w, 0, 3e-7
		}},
	{name: "LogSumExp", args: 1, run: func(k *Rows, m []*memory, n int) float32 { return k.LogSumExp(m[0].at(), n) },
		oracle: func(m []*memory, n int) ([]float64, float64, float64) {
			_, l := softmaxOracle(m[0].floats())
			return nil, l, 3e-7 * (1 + math.Abs(l))
		}},
	{name: "SoftmaxGrad", args: 3, out: 1, run: func(k *Rows, m []*memory, n int) float32 {
		k.SoftmaxGrad(m[0].at(), m[1].at(), m[2].at(), n)
		return 0
	}, oracle: func(m []*memory, n int) ([]float64, float64, float64) {
		y, dy := m[1].floats(), m[2].floats()
		_, s, tol := dotOracle(y, dy)
		w := make([]float64, n)
		for i := range w {
			w[i] = float64(y[i]) * (float64(dy[i]) - s)
			tol = max(tol, tol*math.Abs(float64(y[i])))
		}
		return w, 0, tol
	}},
	{name: "SparseCrossEntropy", args: 2, out: 1, run: func(k *Rows, m []*memory, n int) float32 {
		if n == 0 {
			return 0
		}
		loss := k.SparseCrossEntropy(m[0].at(), m[1].at(), n, n/3)
		if alone := k.SparseCrossEntropy(nil, m[1].at(), n, n/3); m[0] != m[1] && alone != loss {
			return float32(math.NaN())
		}
		return loss
	}, oracle: func(m []*memory, n int) ([]float64, float64, float64) {
		if n == 0 {
			return nil, 0, 0
		}
		p, l := softmaxOracle(m[1].floats())
		return p, l - float64(m[1].floats()[n/3]), 1e-6 * (1 + math.Abs(l))
	}},
}

func dotOracle(x, y []float32) (_ []float64, sum, tolerance float64) {
	for i := range x {
		p := float64(x[i]) * float64(y[i])
		sum += p
		tolerance += math.Abs(p)
	}
	return nil, sum, tolerance * 1.2e-7 * (6 + float64(len(x))/16)
}

// softmaxOracle is the softmax of x and the logarithm of the sum of its exponentials.
func softmaxOracle(x []float32) (p []float64, l float64) {
	m, s := math.Inf(-1), 0.0
	for _, v := range x {
		m = max(m, float64(v))
	}
	for _, v := range x {
		s += math.Exp(float64(v) - m)
	}
	if len(x) == 0 {
		return nil, math.Inf(-1)
	}
	for _, v := range x {
		p = append(p, math.Exp(float64(v)-m)/s)
	}
	return p, m + math.Log(s)
}

func rowOperands(r *rand.Rand, c *rowCase, n int) []*memory {
	var ms []*memory
	for range c.args {
		m := newMemory(n, 4, 4*r.IntN(3))
		scale := math.Exp2(float64(r.IntN(6) - 2))
		for i := range m.floats() {
			m.floats()[i] = float32(r.NormFloat64() * scale)
		}
		if c.any && r.IntN(2) == 0 {
			fill(r, m, 'f')
		}
		ms = append(ms, m)
	}
	return ms
}

func cloneAll(ms []*memory) (c []*memory) {
	for _, m := range ms {
		c = append(c, m.clone())
	}
	return c
}

// TestRows_MatchOracle checks the kernels of rows at each level of the machine, against float64 or, where every operation
// rounds once, against the bits of plain Go.
func TestRows_MatchOracle(t *testing.T) {
	for _, level := range cpu.Levels() {
		for _, c := range rowCases {
			t.Run(fmt.Sprintf("%v/%s", level, c.name), func(t *testing.T) {
				r := rand.New(rand.NewPCG(5, uint64(len(c.name))))
				for _, n := range lengths() {
					for range 4 {
						checkRow(t, r, &c, level, n)
					}
				}
			})
		}
	}
}

func checkRow(t *testing.T, r *rand.Rand, c *rowCase, level cpu.Level, n int) {
	t.Helper()
	ms := rowOperands(r, c, n)
	before := cloneAll(ms)
	ret := c.run(RowsOf(level), ms, n)
	for i := range ms {
		ms[i].intact(t, before[i])
		if i >= c.out && string(ms[i].all) != string(before[i].all) {
			t.Fatalf("n %d: operand %d was changed", n, i)
		}
	}
	if c.oracle == nil {
		want := cloneAll(before)
		if w := c.run(RowsOf(cpu.Go), want, n); !sameBits(ret, w) {
			t.Fatalf("n %d: returns %g (%#x), want %g (%#x)", n, ret, math.Float32bits(ret), w, math.Float32bits(w))
		}
		for i := range ms {
			for j, w := range want[i].floats() {
				if g := ms[i].floats()[j]; !sameBits(g, w) {
					t.Fatalf("n %d operand %d element %d: %g, want %g", n, i, j, g, w)
				}
			}
		}
		return
	}
	write, wantRet, tol := c.oracle(before, n)
	if d := math.Abs(float64(ret) - wantRet); d > tol && float64(ret) != wantRet || ret != ret {
		t.Fatalf("n %d: returns %g, want %g, off by %g, more than %g", n, ret, wantRet, d, tol)
	}
	for i, w := range write {
		g := float64(ms[0].floats()[i])
		relative := 2e-6 + 1e-7*math.Abs(math.Log(math.Abs(w))) // x - max x rounds, the more the farther apart they are
		if w == 0 {
			relative = 0
		}
		if d := math.Abs(g - w); !(d <= tol+relative*math.Abs(w)+1e-44) {
			t.Fatalf("n %d element %d: %g, want %g", n, i, g, w)
		}
	}
	if c.out == 1 && c.args > 1 { // in place of the second operand
		in := cloneAll(before)
		in[0] = in[1]
		c.run(RowsOf(level), in, n)
		if string(in[0].all[guard:guard+4*n]) != string(ms[0].all[guard:guard+4*n]) {
			t.Fatalf("n %d: in place the result differs", n)
		}
	}
}

// TestRows_Edges checks the rows that hold infinities and NaN.
func TestRows_Edges(t *testing.T) {
	nan := float32(math.NaN())
	for _, level := range cpu.Levels() {
		k := RowsOf(level)
		for _, n := range []int{1, 2, 7, 16, 17, 40} {
			row := func(fill float32, at ...float32) unsafe.Pointer {
				x := make([]float32, n)
				for i := range x {
					x[i] = fill
				}
				copy(x[n-min(n, len(at)):], at)
				return unsafe.Pointer(&x[0])
			}
			check := func(what string, got, want float32) {
				t.Helper()
				if !sameBits(got, want) {
					t.Errorf("%v n %d: %s is %g, want %g", level, n, what, got, want)
				}
			}
			check("LogSumExp of -inf", k.LogSumExp(row(-inf32), n), -inf32)
			check("LogSumExp with inf", k.LogSumExp(row(1, inf32), n), inf32)
			check("LogSumExp with NaN", k.LogSumExp(row(1, nan), n), nan)
			check("Max with NaN", k.Max(row(1, nan), n), nan)
			check("Min with NaN", k.Min(row(inf32, -nan), n), nan)
			dst := row(0)
			k.Softmax(dst, row(-inf32, 3), n)
			check("Softmax of 3 beside -inf", floats(dst, n)[n-1], 1)
			if n > 1 {
				check("Softmax of -inf beside 3", floats(dst, n)[0], 0)
			}
			k.Softmax(dst, row(0, nan), n)
			check("Softmax with NaN", floats(dst, n)[0], nan)
			check("loss with NaN", k.SparseCrossEntropy(dst, row(0, nan), n, 0), nan)
			check("loss of the class at -inf", k.SparseCrossEntropy(nil, row(3, -inf32), n, n-1), map[bool]float32{true: nan, false: inf32}[n == 1])
		}
		check0 := []struct{ got, want float32 }{{k.Sum(nil, 0), 0}, {k.Max(nil, 0), -inf32}, {k.Min(nil, 0), inf32}, {k.Dot(nil, nil, 0), 0}, {k.LogSumExp(nil, 0), -inf32}}
		for i, c := range check0 {
			if c.got != c.want {
				t.Errorf("%v: kernel %d of an empty row gives %g, want %g", level, i, c.got, c.want)
			}
		}
	}
}

// TestSparseCrossEntropy_PanicsOutside: a class that does not exist must not read beside the row.
func TestSparseCrossEntropy_PanicsOutside(t *testing.T) {
	x := [3]float32{}
	for _, level := range cpu.Levels() {
		for _, class := range []int{-1, 3} {
			func() {
				defer func() {
					if recover() == nil {
						t.Errorf("%v: class %d of 3 did not panic", level, class)
					}
				}()
				RowsOf(level).SparseCrossEntropy(nil, unsafe.Pointer(&x), 3, class)
			}()
		}
	}
}
