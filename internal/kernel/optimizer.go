package kernel

import "unsafe"

func adamGo(w, m, v, g unsafe.Pointer, n int, h *AdamScalars) {
	ws, ms, vs, gs := floats(w, n), floats(m, n), floats(v, n), floats(g, n)
	for i, d := range gs {
		d = above(d, leastGradient)
		a := above(ms[i]+float32((d-ms[i])*h.OneMinusBeta1), leastM)
		b := above(vs[i]+float32((float32(d*d)-vs[i])*h.OneMinusBeta2), leastV)
		ms[i], vs[i] = a, b
		p := ws[i] - float32(h.Decay*ws[i])
		ws[i] = p - float32(h.Alpha*a)/(sqrt32(b)+h.Eps)
	}
}

// What Adam takes for zero. A gradient that stays zero lets the moments fade to denormal numbers, with which processors are
// many times slower; so far below Eps they have no effect on a weight.
const (
	leastGradient = 0x1p-56
	leastM        = 0x1p-100
	leastV        = 0x1p-112
)

// above is x, or 0 when it is not larger than least in absolute value. NaN stays.
func above(x, least float32) float32 {
	if x <= least && x >= -least {
		return 0
	}
	return x
}

func sgdGo(w, g unsafe.Pointer, n int, lr float32) {
	ws := floats(w, n)
	for i, d := range floats(g, n) {
		ws[i] -= float32(lr * d)
	}
}

func momentumGo(w, v, g unsafe.Pointer, n int, lr, mu float32, nesterov bool) {
	ws, vs := floats(w, n), floats(v, n)
	for i, d := range floats(g, n) {
		step := float32(lr * d)
		vs[i] = float32(mu*vs[i]) - step
		if nesterov {
			ws[i] += float32(mu*vs[i]) - step
		} else {
			ws[i] += vs[i]
		}
	}
}
