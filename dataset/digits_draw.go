package dataset

import "math"

// Products are rounded before they are added (mul), and nothing but + - * / and the square root is used, which IEEE 754
// defines to the last bit: the same images come out on every processor, fused multiply-add or not.

// mul is a*b, rounded: the conversion keeps the compiler from fusing it with an addition.
func mul(a, b float64) float64 { return float64(a * b) }

// mix is a at t = 0 and b at t = 1.
func mix(a, b, t float64) float64 { return a + mul(b-a, t) }

// clamp is v between 0 and 1.
func clamp(v float64) float64 { return max(0, min(1, v)) }

type point struct{ x, y float64 }

// mark is a place of the pen on the paper, in pixels, with the radius of its tip and how dark it writes.
type mark struct {
	point
	radius, dark float64
}

// canvas is an image of size x size pixels in the making; 0 is paper, 1 is ink.
type canvas struct {
	ink  [digitSize * digitSize]float64
	soft float64 // width of a stroke's blurred edge, in pixels
}

// line draws the pen's way between two marks: each pixel takes the darkest of what passes over it.
func (c *canvas) line(a, b mark) {
	reach := max(a.radius, b.radius) + c.soft/2
	x0, x1 := span(min(a.x, b.x)-reach, max(a.x, b.x)+reach)
	y0, y1 := span(min(a.y, b.y)-reach, max(a.y, b.y)+reach)
	dx, dy := b.x-a.x, b.y-a.y
	scale := 0.0
	if l := mul(dx, dx) + mul(dy, dy); l > 1e-9 {
		scale = 1 / l
	}
	edge := 1 / c.soft
	for y := y0; y <= y1; y++ {
		py := float64(y) + 0.5 - a.y
		for x := x0; x <= x1; x++ {
			px := float64(x) + 0.5 - a.x
			t := clamp(mul(mul(px, dx)+mul(py, dy), scale))
			qx, qy := px-mul(dx, t), py-mul(dy, t)
			d := mul(qx, qx) + mul(qy, qy)
			if d >= mul(reach, reach) {
				continue
			}
			cover := clamp(mul(mix(a.radius, b.radius, t)-math.Sqrt(d), edge) + 0.5)
			at := &c.ink[y*digitSize+x]
			*at = max(*at, mul(cover, mix(a.dark, b.dark, t)))
		}
	}
}

// span is the first and last pixel that reach from lo to hi, inside the canvas.
func span(lo, hi float64) (first, last int) {
	return int(max(0, lo)), int(min(digitSize-1, max(-1, hi)))
}
