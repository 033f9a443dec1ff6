package main

import (
	"fmt"
	"math"

	"github.com/kun-ml/kun/internal/kernel/gen/asm"
)

// sine is sin(x + quarter*pi/2) for |x| up to 48,000: pi/2 is split in three, so that the rest of the division is right to
// the last digits (Cody and Waite 1980, polynomials after Juffa).
func sine(b *asm.Builder, x asm.V, quarter uint32) asm.V {
	n := b.Round(b.Mul(x, b.C(2/math.Pi)))
	r := x
	for _, c := range []float64{1.57079601e+00, 3.13916473e-07, 5.39030253e-15} {
		r = b.FNMA(n, b.C(c), r)
	}
	s := b.Mul(r, r)
	odd := horner(b, s, 2.86567956e-6, -1.98559923e-4, 8.33338592e-3, -1.66666672e-1)
	odd = b.FMA(b.Mul(odd, s), r, r)
	even := horner(b, s, 2.44677067e-5, -1.38877297e-3, 4.16666567e-2, -0.5, 1)
	k := b.ToInt(n)
	if quarter != 0 {
		k = b.AddI(k, b.Bits(quarter))
	}
	one := b.Bits(1)
	y := b.Select(b.EqI(b.And(k, one), one), even, odd)
	y = b.Xor(y, b.Shl(b.And(k, b.Bits(2)), 30))
	if quarter == 0 {
		return b.Select(b.LT(abs(b, x), b.C(0x1p-12)), x, y) // also keeps -0
	}
	return y
}

func sincos(o *out) {
	f := func(quarter uint32) func(b *asm.Builder) {
		return func(b *asm.Builder) { b.Store("dst", sine(b, b.Load("a", asm.F32), quarter), asm.F32) }
	}
	o.kernel("sinNear", asm.Tile, f(0))
	o.kernel("cosNear", asm.Tile, f(1))
	o.kernel("largestAbs", sig(true, []string{"x"}), func(b *asm.Builder) {
		b.Unroll = 4
		a := b.LargestNumber()
		// With a NaN, AVX keeps a and NEON gives NaN, which is not below any limit; both are right for registerSine.
		b.SetAcc(a, b.Max(abs(b, b.Load("x", asm.F32)), a))
	})
	s := o.Suffix()
	fmt.Fprintf(&o.tables, "\tregisterSines(cpu.%s, sinNear%s, cosNear%s, largestAbs%s)\n", s, s, s, s)
}
