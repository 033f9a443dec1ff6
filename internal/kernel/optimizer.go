package kernel

import "unsafe"

func adamGo(w, m, v, g unsafe.Pointer, n int, h *AdamScalars) {
	ws, ms, vs, gs := floats(w, n), floats(m, n), floats(v, n), floats(g, n)
	for i, d := range gs {
		a := ms[i] + float32((d-ms[i])*h.OneMinusBeta1)
		b := vs[i] + float32((float32(d*d)-vs[i])*h.OneMinusBeta2)
		ms[i], vs[i] = a, b
		p := ws[i] - float32(h.Decay*ws[i])
		ws[i] = p - float32(h.Alpha*a)/(sqrt32(b)+h.Eps)
	}
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
