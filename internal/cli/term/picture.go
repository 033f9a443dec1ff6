package term

import (
	"strconv"
	"strings"

	"github.com/kun-ml/kun/internal/config/width"
)

// Picture is a small grey picture, row by row, 0 black to 255 white, with a line of text below it.
type Picture struct {
	Pix     []uint8
	H, W    int
	Caption string
}

// ramp is how dark to bright looks in ASCII.
const ramp = " .:-=+*#%@"

// Pictures draws pictures side by side, as many in a row as the screen holds. Two pixels stand in one character, one
// above the other: with colours in shades of grey, otherwise in half blocks, or in ASCII where there is no Unicode.
// A border that is black in all pictures is left out.
func Pictures(s *Screen, ps []Picture) error {
	for len(ps) > 0 && (ps[0].H <= 0 || ps[0].W <= 0) {
		ps = ps[1:]
	}
	if len(ps) == 0 {
		return nil
	}
	top, bottom, left, right := trim(ps)
	cellW := right - left
	for _, p := range ps {
		cellW = max(cellW, width.Cells(plain(p.Caption)))
	}
	cellW = min(cellW, s.Width())
	per := max(1, (s.Width()+2)/(cellW+2))
	var b strings.Builder
	for from := 0; from < len(ps); from += per {
		row := ps[from:min(from+per, len(ps))]
		if from > 0 {
			b.WriteByte('\n')
		}
		for y := top; y < bottom; y += 2 {
			for i, p := range row {
				if i > 0 {
					b.WriteString("  ")
				}
				drawLine(&b, s, p, y, bottom, left, min(right, left+s.Width()))
				if i < len(row)-1 {
					b.WriteString(strings.Repeat(" ", max(0, cellW-(right-left))))
				}
			}
			b.WriteByte('\n')
		}
		var caps strings.Builder
		for i, p := range row {
			if i > 0 {
				caps.WriteString("  ")
			}
			c := s.Cut(plain(p.Caption), cellW)
			caps.WriteString(c + strings.Repeat(" ", cellW-width.Cells(c)))
		}
		if c := strings.TrimRight(caps.String(), " "); c != "" {
			b.WriteString(c + "\n")
		}
	}
	_, err := s.Write([]byte(b.String()))
	return err
}

// at is a pixel, black outside.
func (p *Picture) at(y, x int) uint8 {
	if y < 0 || x < 0 || y >= p.H || x >= p.W || y*p.W+x >= len(p.Pix) {
		return 0
	}
	return p.Pix[y*p.W+x]
}

// trim finds the rows and columns outside of which all pictures are black.
func trim(ps []Picture) (top, bottom, left, right int) {
	h, w := 0, 0
	for _, p := range ps {
		h, w = max(h, p.H), max(w, p.W)
	}
	top, bottom, left, right = h, 0, w, 0
	for i := range ps {
		for y := range h {
			for x := range w {
				if ps[i].at(y, x) >= 32 {
					top, bottom, left, right = min(top, y), max(bottom, y+1), min(left, x), max(right, x+1)
				}
			}
		}
	}
	if top >= bottom {
		return 0, h, 0, w
	}
	return top &^ 1, bottom, left, right
}

func drawLine(b *strings.Builder, s *Screen, p Picture, y, bottom, left, right int) {
	was := ""
	for x := left; x < right; x++ {
		hi, lo := p.at(y, x), uint8(0)
		if y+1 < bottom {
			lo = p.at(y+1, x)
		}
		switch {
		case s.Color && s.Unicode:
			style := "\x1b[38;5;" + grey(hi) + ";48;5;" + grey(lo) + "m"
			if style != was {
				b.WriteString(style)
				was = style
			}
			b.WriteString("▀")
		case s.Unicode:
			b.WriteString(half(hi >= 96, lo >= 96))
		default:
			b.WriteByte(ramp[(int(hi)+int(lo))*(len(ramp)-1)/510])
		}
	}
	if was != "" {
		b.WriteString("\x1b[0m")
	}
}

// grey is one of the 24 greys of a terminal with 256 colours, or its black or white.
func grey(v uint8) string {
	switch {
	case v < 4:
		return "16"
	case v > 246:
		return "231"
	}
	return strconv.Itoa(232 + min(23, (int(v)-3)/10))
}

func half(hi, lo bool) string {
	switch {
	case hi && lo:
		return "█"
	case hi:
		return "▀"
	case lo:
		return "▄"
	}
	return " "
}
