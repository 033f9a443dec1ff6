package input

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	_ "image/jpeg" // pictures in these two formats
	_ "image/png"

	"golang.org/x/image/draw"

	"github.com/kun-ml/kun/array"
)

// Grey and colour pictures as models take them.
type frame struct {
	h, w, channels int
}

// frameOf reads a picture's size from the shape of a sample: (H, W), (H, W, 1), (H, W, 3), or (n,) for a square.
func frameOf(shape array.Shape) (frame, error) {
	switch len(shape) {
	case 1:
		for s := 1; s*s <= shape[0]; s++ {
			if s*s == shape[0] {
				return frame{s, s, 1}, nil
			}
		}
	case 2:
		return frame{shape[0], shape[1], 1}, nil
	case 3:
		if c := shape[2]; c == 1 || c == 3 {
			return frame{shape[0], shape[1], c}, nil
		}
	}
	return frame{}, fmt.Errorf("is a picture; the model takes samples of shape %v", shape)
}

func (b *Batch) picture(raw []byte, spec Spec) error {
	f, err := frameOf(spec.Shape)
	if err != nil {
		return err
	}
	if f.h <= 0 || f.w <= 0 || f.h*f.w > MaxPixels {
		return fmt.Errorf("the model takes pictures of %d x %d, which cannot be made", f.w, f.h)
	}
	c, _, err := image.DecodeConfig(bytes.NewReader(raw))
	if err != nil {
		return fmt.Errorf("cannot be decoded: %w", err)
	}
	if c.Width <= 0 || c.Height <= 0 || c.Width > MaxPixels/c.Height {
		return fmt.Errorf("a picture of %d x %d is larger than %d megapixels", c.Width, c.Height, MaxPixels/1_000_000)
	}
	img, _, err := image.Decode(bytes.NewReader(raw))
	if err != nil {
		return fmt.Errorf("cannot be decoded: %w", err)
	}
	size := img.Bounds().Size()
	if size.X*f.h != size.Y*f.w {
		b.Notes = append(b.Notes, fmt.Sprintf("%d x %d was stretched to %d x %d", size.X, size.Y, f.w, f.h))
	} else if size.X != f.w {
		b.Notes = append(b.Notes, fmt.Sprintf("%d x %d was resized to %d x %d", size.X, size.Y, f.w, f.h))
	}
	b.X = array.New(array.Uint8, append(array.Shape{1}, spec.Shape...)...)
	pix := array.Data[uint8](b.X)
	fill(pix, resize(img, f), f)
	if spec.Invert {
		for i, v := range pix {
			pix[i] = 255 - v
		}
	}
	if f.channels == 1 && border(pix, f) >= 160 {
		b.Notes = append(b.Notes, "the background is light; if the model learned light strokes on dark, as MNIST's are, add --invert")
	}
	return nil
}

// resize scales with a triangle filter as wide as the step, so that no pixel of a larger picture is skipped.
func resize(img image.Image, f frame) image.Image {
	if img.Bounds().Size() == (image.Point{X: f.w, Y: f.h}) {
		return img
	}
	dst := image.NewRGBA64(image.Rect(0, 0, f.w, f.h))
	draw.BiLinear.Scale(dst, dst.Bounds(), img, img.Bounds(), draw.Src, nil)
	return dst
}

// fill writes the grey or colour values; what is transparent shows white, as viewers show it.
func fill(pix []uint8, img image.Image, f frame) {
	o := img.Bounds().Min
	i := 0
	for y := range f.h {
		for x := range f.w {
			c := img.At(o.X+x, o.Y+y)
			if g, ok := c.(color.Gray); ok && f.channels == 1 {
				pix[i] = g.Y
				i++
				continue
			}
			r, g, bl, a := c.RGBA() // 16 bits, multiplied by a
			r, g, bl = r+0xffff-a, g+0xffff-a, bl+0xffff-a
			if f.channels == 1 {
				pix[i] = uint8((19595*r + 38470*g + 7471*bl + 1<<15) >> 24) // ITU-R 601, as PIL's "L"
				i++
				continue
			}
			pix[i], pix[i+1], pix[i+2] = uint8(r>>8), uint8(g>>8), uint8(bl>>8)
			i += 3
		}
	}
}

// border is the mean of the outermost pixels of a grey picture.
func border(pix []uint8, f frame) int {
	sum, n := 0, 0
	for y := range f.h {
		for x := range f.w {
			if y == 0 || x == 0 || y == f.h-1 || x == f.w-1 {
				sum += int(pix[y*f.w+x])
				n++
			}
		}
	}
	return sum / max(1, n)
}
