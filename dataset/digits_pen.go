package dataset

// pen is how one stroke is pressed: the tip's radius and darkness swing between a few places, thin out at the ends, and
// now and then the ink fails for a moment.
type pen struct {
	h              *hand
	steps          float64
	press, dark    [5]float64 // at equal distances along the stroke
	start, end     float64    // the tip's part of its radius at the ends
	gapFrom, gapTo float64    // between 0 and 1 along the stroke
	gapInk         float64    // what is left of the ink there
}

// newPen draws the numbers of a stroke of so many steps.
func newPen(h *hand, steps int) pen {
	s := h.s
	p := pen{h: h, steps: float64(steps), start: s.uniform(0.6, 1.1), end: s.uniform(0.45, 1.1), gapFrom: 2}
	for i := range p.press {
		p.press[i] = s.uniform(0.78, 1.22)
		p.dark[i] = s.uniform(0.8, 1)
	}
	if s.uniform(0, 1) < gapChance {
		p.gapFrom = s.uniform(0.1, 0.85)
		p.gapTo = p.gapFrom + s.uniform(0.04, 0.12)
		p.gapInk = s.uniform(0.05, 0.5)
	}
	return p
}

// mark is the pen at a place, in pixels, after so many steps of the stroke.
func (p *pen) mark(at point, step int) mark {
	u := float64(step) / p.steps
	v := mul(u, float64(len(p.press)-1))
	i := min(int(v), len(p.press)-2)
	t := v - float64(i)
	m := mark{at, mul(p.h.radius, mix(p.press[i], p.press[i+1], t)), mul(p.h.dark, mix(p.dark[i], p.dark[i+1], t))}
	if u < 0.12 {
		m.radius = mul(m.radius, mix(p.start, 1, u/0.12))
	}
	if u > 0.85 {
		m.radius = mul(m.radius, mix(1, p.end, (u-0.85)/0.15))
	}
	if u >= p.gapFrom && u <= p.gapTo {
		m.dark = mul(m.dark, p.gapInk)
	}
	return m
}
