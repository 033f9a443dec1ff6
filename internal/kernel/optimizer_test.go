package kernel

import (
	"math"
	"testing"
	"unsafe"

	"github.com/kun-ml/kun/internal/cpu"
)

// TestAdam_MomentsFadeToZero: with gradients that stay zero, or so small that they cannot matter, the moments become exactly
// zero before they become denormal numbers; NaN stays NaN. The same at every level.
func TestAdam_MomentsFadeToZero(t *testing.T) {
	const n = 37 // whole vectors and a rest
	for _, level := range cpu.Levels() {
		w, m, v, g := make([]float32, n), make([]float32, n), make([]float32, n), make([]float32, n)
		for i := range w {
			w[i], m[i], v[i] = 1, 0x1p-90, 0x1p-100
			if i%2 == 1 {
				g[i] = 0x1p-56
			}
		}
		g[5] = float32(math.NaN())
		for step := range 20000 {
			RowsOf(level).Adam(unsafe.Pointer(&w[0]), unsafe.Pointer(&m[0]), unsafe.Pointer(&v[0]), unsafe.Pointer(&g[0]), n, &AdamScalars{0.1, 0.001, 1e-3, 1e-7, 0})
			for i := range m {
				for _, x := range []float32{m[i], v[i]} {
					if a := math.Abs(float64(x)); a > 0 && a < 0x1p-126 {
						t.Fatalf("%v: step %d: element %d has the denormal moment %v", level, step, i, x)
					}
				}
			}
		}
		for i := range m {
			if i == 5 {
				if w[i] == w[i] {
					t.Errorf("%v: NaN in the gradient was lost", level)
				}
				continue
			}
			if m[i] != 0 || v[i] != 0 || w[i] != 1 {
				t.Errorf("%v: element %d ends with m %v, v %v, w %v", level, i, m[i], v[i], w[i])
			}
		}
	}
}
