package kernel

import (
	"math"
	"unsafe"
)

var inf32 = float32(math.Inf(1))

// lanes are the 16 partial sums of a row.
type lanes [16]float32

// sum is the fixed tree over the lanes.
func (l *lanes) sum() float32 {
	for half := 8; half > 0; half /= 2 {
		for i := range half {
			l[i] += l[i+half]
		}
	}
	return l[0]
}

func sumGo(x unsafe.Pointer, n int) float32 {
	var l lanes
	for i, v := range floats(x, n) {
		l[i&15] += v
	}
	return l.sum()
}

func sumSquaresGo(x unsafe.Pointer, n int) float32 { return dotGo(x, x, n) }

func dotGo(x, y unsafe.Pointer, n int) float32 {
	var l lanes
	b := floats(y, n)
	for i, v := range floats(x, n) {
		l[i&15] += float32(v * b[i])
	}
	return l.sum()
}

func maxGo(x unsafe.Pointer, n int) float32 {
	m := -inf32
	for _, v := range floats(x, n) {
		m = max(m, v)
	}
	return m
}

func minGo(x unsafe.Pointer, n int) float32 {
	m := inf32
	for _, v := range floats(x, n) {
		m = min(m, v)
	}
	return m
}

func addToGo(dst, x unsafe.Pointer, n int) {
	d := floats(dst, n)
	for i, v := range floats(x, n) {
		d[i] += v
	}
}

func axpyGo(dst, x unsafe.Pointer, n int, a float32) {
	d := floats(dst, n)
	for i, v := range floats(x, n) {
		d[i] += float32(a * v)
	}
}
