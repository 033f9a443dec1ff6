package dataset

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/kun-ml/kun/internal/rng"
)

const (
	digitSize  = 28
	digitPiece = 64 // images that a goroutine takes at a time
)

// makeDigits writes n images and their labels. Image i depends on (seed, split, i) alone.
func makeDigits(ctx context.Context, seed uint64, split string, images, labels []byte) error {
	key := rng.Key(seed, "dataset/digits/"+split, 0)
	n := len(labels)
	pieces := (n + digitPiece - 1) / digitPiece
	var next atomic.Int64
	var work sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), pieces) {
		work.Go(func() {
			var c canvas
			for ctx.Err() == nil {
				from := int(next.Add(1)-1) * digitPiece
				if from >= n {
					return
				}
				for i := from; i < min(n, from+digitPiece); i++ {
					labels[i] = digitLabel(key, i)
					makeDigit(&c, key, i, int(labels[i]), images[i*digitSize*digitSize:][:digitSize*digitSize])
				}
			}
		})
	}
	work.Wait()
	return context.Cause(ctx)
}

// digitLabel is the label of image i: each ten images in a row are the ten digits in some order, so that every head of
// the set is balanced.
func digitLabel(key uint64, i int) byte {
	s := stream{key: ^key, image: uint64(i / 10)}
	order := [10]byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}
	for j := 9; j > 0; j-- {
		k := s.pick(j + 1)
		order[j], order[k] = order[k], order[j]
	}
	return order[i%10]
}

// makeDigit draws image i.
func makeDigit(c *canvas, key uint64, i, label int, dst []byte) {
	s := &stream{key: key, image: uint64(i)}
	h := newHand(s)
	clear(c.ink[:])
	c.soft = s.uniform(0.9, 1.7)
	for _, stroke := range pickStyle(s, styles[label]).strokes {
		h.write(c, stroke)
	}
	grain, dust := s.uniform(0, 0.12), s.uniform(0, 0.03)
	for j, ink := range c.ink {
		var bits uint32
		if j%2 == 0 { // two bell-shaped numbers of two bytes each from 32 bits
			bits = s.uint32()
			s.spare = bits >> 16
		} else {
			bits = s.spare
		}
		noise := float64(int(bits&255)+int(bits>>8&255)-255) / 255
		v := ink + mul(noise, dust) + mul(mul(noise, grain), ink)
		dst[j] = byte(mul(clamp(v), 255) + 0.5)
	}
}

// pickStyle chooses among the ways of writing a digit.
func pickStyle(s *stream, all []style) style {
	total := 0
	for _, one := range all {
		total += one.weight
	}
	at := s.pick(total)
	for _, one := range all {
		if at -= one.weight; at < 0 {
			return one
		}
	}
	return all[0]
}
