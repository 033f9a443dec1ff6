package dataset

import "github.com/kun-ml/kun/internal/rng"

// How much the hands differ: the farthest that one image's own numbers go from the middle, most being much nearer.
// They are chosen so that a linear model stays below 0.92 and a small network passes 0.975.
const (
	handJitter  = 0.036 // of each point of a style, in parts of the digit's box
	handTurn    = 0.10  // tangent of half the angle of rotation: 11.4 degrees
	handShear   = 0.52  // slant: x per y
	handShift   = 4.52  // of the whole digit, in pixels
	handElastic = 0.06  // of the knots of a smooth field, in parts of the box; these are uniform
	gapChance   = 0.06  // that the pen hardly writes for a moment, for each stroke
	spanSteps   = 5     // lines per span of a curve
	mostPoints  = 32    // of a stroke
)

// stream reads the random numbers of one image.
type stream struct {
	key, image, next uint64
	block            [4]uint32
	left             int
	spare            uint32 // what the grain of the paper has left of its last number
}

func (s *stream) uint32() uint32 {
	if s.left == 0 {
		s.block = rng.Block(s.key, s.image, s.next)
		s.next++
		s.left = 4
	}
	s.left--
	return s.block[3-s.left]
}

// uniform is a number in [lo, hi).
func (s *stream) uniform(lo, hi float64) float64 { return mix(lo, hi, rng.Uniform(s.uint32())) }

// bell is a number in (-1, 1), most often near 0: the mean of three uniform ones.
func (s *stream) bell() float64 {
	return (s.uniform(-1, 1) + s.uniform(-1, 1) + s.uniform(-1, 1)) / 3
}

// pick is one of n.
func (s *stream) pick(n int) int { return int(uint64(s.uint32()) * uint64(n) >> 32) }

// hand is what one image has of its own: how the box lies on the paper, and the pen.
type hand struct {
	s              *stream
	xx, xy, yx, yy float64 // the box about its centre, to pixels
	cx, cy         float64 // where its centre lies, in pixels
	knots          [fieldKnots][fieldKnots]point
	radius, dark   float64
}

// newHand draws the image's own numbers.
func newHand(s *stream) *hand {
	h := &hand{s: s}
	t := mul(s.bell(), handTurn)
	n := 1 + mul(t, t)
	cos, sin := (1-mul(t, t))/n, (t+t)/n
	size := s.uniform(17.5, 20.5)
	w, ht := mul(size, s.uniform(0.82, 1.12)), mul(size, s.uniform(0.92, 1.04))
	shear := mul(s.bell()-0.12, handShear) // most hands lean to the right
	// (x, y) -> stretch, lean, turn
	h.xx, h.yx = mul(cos, w), mul(sin, w)
	h.xy = -mul(sin, ht) - mul(cos, mul(shear, ht))
	h.yy = mul(cos, ht) - mul(sin, mul(shear, ht))
	h.cx = digitSize/2.0 + mul(s.bell(), handShift)
	h.cy = digitSize/2.0 + mul(s.bell(), handShift)
	for i := range h.knots {
		for j := range h.knots[i] {
			h.knots[i][j] = point{s.uniform(-handElastic, handElastic), s.uniform(-handElastic, handElastic)}
		}
	}
	h.radius = s.uniform(1.0, 1.9)
	h.dark = s.uniform(0.82, 1.12)
	return h
}

// place maps a point of the unit box to pixels: the smooth field first, the affine map after it.
func (h *hand) place(p point) point {
	d := h.bend(p)
	x, y := p.x+d.x-0.5, p.y+d.y-0.5
	return point{h.cx + mul(h.xx, x) + mul(h.xy, y), h.cy + mul(h.yx, x) + mul(h.yy, y)}
}

const fieldKnots = 6 // the field has 3 x 3 cells over the box from -0.25 to 1.25

// bend is the displacement at p: a uniform cubic B-spline over the knots.
func (h *hand) bend(p point) point {
	i, wy := cell(p.y)
	j, wx := cell(p.x)
	var d point
	for a, ka := range wy {
		var r point
		for b, kb := range wx {
			k := &h.knots[i+a][j+b]
			r.x += mul(kb, k.x)
			r.y += mul(kb, k.y)
		}
		d.x += mul(ka, r.x)
		d.y += mul(ka, r.y)
	}
	return d
}

// cell is the first of four knots about v, and their weights.
func cell(v float64) (int, [4]float64) {
	u := max(0, min(2.999, (v+0.25)*2))
	i := int(u)
	t := u - float64(i)
	t2 := mul(t, t)
	t3 := mul(t2, t)
	r := 1 - t
	return i, [4]float64{
		mul(mul(r, r), r) / 6,
		(mul(3, t3) - mul(6, t2) + 4) / 6,
		(mul(3, t2) + mul(3, t) + 1 - mul(3, t3)) / 6,
		t3 / 6,
	}
}

// write draws a stroke of a style.
func (h *hand) write(c *canvas, stroke []int8) {
	s := h.s
	n := len(stroke) / 2
	var store [mostPoints]point
	pts := store[:n]
	for i := range pts {
		pts[i] = point{float64(stroke[2*i]) / 100, float64(stroke[2*i+1]) / 100}
		if i > 0 && stroke[2*i] == stroke[2*i-2] && stroke[2*i+1] == stroke[2*i-1] {
			pts[i] = pts[i-1] // a corner stays one
			continue
		}
		pts[i].x += mul(s.bell(), handJitter)
		pts[i].y += mul(s.bell(), handJitter)
	}
	p := newPen(h, (n-1)*spanSteps)
	last := p.mark(h.place(pts[0]), 0)
	for i := 0; i+1 < n; i++ {
		a, b := pts[max(0, i-1)], pts[min(n-1, i+2)]
		if pts[i] == pts[i+1] {
			continue
		}
		for k := 1; k <= spanSteps; k++ {
			next := p.mark(h.place(curve(a, pts[i], pts[i+1], b, float64(k)/spanSteps)), i*spanSteps+k)
			c.line(last, next)
			last = next
		}
	}
}

// curve is the point at t between b and c on the smooth curve through a, b, c and d.
func curve(a, b, c, d point, t float64) point {
	t2 := mul(t, t)
	t3 := mul(t2, t)
	wa := (2*t2 - t3 - t) / 2
	wb := (mul(3, t3) - mul(5, t2) + 2) / 2
	wc := (mul(4, t2) + t - mul(3, t3)) / 2
	wd := (t3 - t2) / 2
	return point{
		mul(wa, a.x) + mul(wb, b.x) + mul(wc, c.x) + mul(wd, d.x),
		mul(wa, a.y) + mul(wb, b.y) + mul(wc, c.y) + mul(wd, d.y),
	}
}
