package array

import "math"

// BF16 is a bfloat16: the upper half of a float32 (8 exponent bits, 7 fraction bits).
type BF16 uint16

// F16 is an IEEE 754 binary16 (5 exponent bits, 10 fraction bits).
type F16 uint16

// ToBF16 rounds to nearest, ties to even; a NaN stays a NaN.
func ToBF16(f float32) BF16 {
	u := math.Float32bits(f)
	if f != f {
		return BF16(u>>16 | 0x40)
	}
	return BF16((u + 0x7fff + u>>16&1) >> 16)
}

// Float32 is the exact value.
func (b BF16) Float32() float32 { return math.Float32frombits(uint32(b) << 16) }

// ToF16 rounds to nearest, ties to even; values too large become infinities, a NaN stays a NaN.
func ToF16(f float32) F16 {
	u := math.Float32bits(f)
	sign := F16(u >> 16 & 0x8000)
	u &= 0x7fffffff
	switch {
	case u > 0x7f800000:
		return sign | 0x7e00 | F16(u>>13&0x1ff)
	case u >= 0x477ff000: // rounds to 65536 or more
		return sign | 0x7c00
	case u < 0x33000000: // below half of the smallest subnormal; the half itself ties to zero
		return sign
	case u < 0x38800000: // subnormal
		e := 126 - u>>23 // number of bits shifted out of the 24-bit significand
		m := u&0x7fffff | 0x800000
		h := m >> e
		rest, half := m&(1<<e-1), uint32(1)<<(e-1)
		if rest > half || rest == half && h&1 == 1 {
			h++
		}
		return sign | F16(h)
	}
	u -= 112 << 23
	return sign | F16((u+0xfff+u>>13&1)>>13)
}

// Float32 is the exact value.
func (h F16) Float32() float32 {
	sign, e, m := uint32(h&0x8000)<<16, uint32(h>>10&0x1f), uint32(h&0x3ff)
	switch e {
	case 0:
		f := float32(m) * (1.0 / (1 << 24))
		return math.Float32frombits(math.Float32bits(f) | sign)
	case 31:
		return math.Float32frombits(sign | 0x7f800000 | m<<13)
	}
	return math.Float32frombits(sign | (e+112)<<23 | m<<13)
}
