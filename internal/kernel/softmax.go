package kernel

import (
	"fmt"
	"math"
	"unsafe"
)

func exp32(x float32) float32 { return float32(math.Exp(float64(x))) }

func log32(x float32) float32 { return float32(math.Log(float64(x))) }

// sumExp is the maximum of x (0 if it is infinite and finite is set) and the sum of exp(x - maximum).
func sumExp(x []float32, finite bool) (m, s float32) {
	m = maxGo(unsafe.Pointer(unsafe.SliceData(x)), len(x))
	if finite && math.IsInf(float64(m), 0) {
		m = 0
	}
	var l lanes
	for i, v := range x {
		l[i&15] += exp32(v - m)
	}
	return m, l.sum()
}

func softmaxGo(dst, x unsafe.Pointer, n int) {
	d, v := floats(dst, n), floats(x, n)
	m, s := sumExp(v, false)
	r := 1 / s
	for i := range d {
		d[i] = exp32(v[i]-m) * r
	}
}

func logSoftmaxGo(dst, x unsafe.Pointer, n int) {
	d, v := floats(dst, n), floats(x, n)
	m, s := sumExp(v, false)
	r := log32(s)
	for i := range d {
		d[i] = (v[i] - m) - r
	}
}

func softmaxGradGo(dst, y, dy unsafe.Pointer, n int) {
	d, v, g := floats(dst, n), floats(y, n), floats(dy, n)
	s := dotGo(y, dy, n)
	for i := range d {
		d[i] = v[i] * (g[i] - s)
	}
}

func logSumExpGo(x unsafe.Pointer, n int) float32 {
	m, s := sumExp(floats(x, n), true)
	return m + log32(s)
}

func sparseCrossEntropyGo(dst, x unsafe.Pointer, n, class int) float32 {
	checkClass(n, class)
	v := floats(x, n)
	m, s := sumExp(v, false)
	loss := log32(s) - (v[class] - m)
	if dst != nil {
		d, r := floats(dst, n), 1/s
		for i := range d {
			d[i] = exp32(v[i]-m) * r
		}
	}
	return loss
}

func checkClass(n, class int) {
	if uint(class) >= uint(n) {
		panic(fmt.Sprintf("kernel: SparseCrossEntropy: class %d is not below %d", class, n))
	}
}
