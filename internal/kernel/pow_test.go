package kernel

import (
	"math"
	"math/rand/v2"
	"testing"
	"unsafe"

	"github.com/kun-ml/kun/internal/cpu"
)

// TestPow_Accurate takes bases over the whole range and near 1, and exponents that bring the results to every size, where
// errors of the logarithm are magnified most.
func TestPow_Accurate(t *testing.T) {
	rounds := 50
	if testing.Short() {
		rounds = 5
	}
	const n = 4096
	for _, level := range cpu.Levels()[1:] {
		r := rand.New(rand.NewPCG(41, 42))
		var x, y, z [n]float32
		worst := 0.0
		for range rounds {
			for i := range x {
				x[i] = math.Float32frombits(r.Uint32() & 0x7fffffff)
				if i%2 == 0 {
					x[i] = float32(math.Exp(r.NormFloat64() * 0.3))
				}
				y[i] = float32((r.Float64()*200 - 105) / math.Log(float64(x[i])))
			}
			TileOf("Pow", level)(unsafe.Pointer(&z), unsafe.Pointer(&x), unsafe.Pointer(&y), nil, n, nil)
			for i := range x {
				u := ulps(z[i], math.Pow(float64(x[i]), float64(y[i])))
				if u > 1.6 {
					t.Fatalf("%v: pow(%g, %g) is %g, %.2f ulp off", level, x[i], y[i], z[i], u)
				}
				worst = max(worst, u)
			}
		}
		t.Logf("%v: at most %.3f ulp", level, worst)
	}
}
