package main

import (
	"fmt"
	"math"

	"github.com/kun-ml/kun/internal/kernel/gen/asm"
)

// logPair is log x for x > 0 as a sum of two numbers, the second much smaller: 2 atanh(f) for f = (m-1)/(m+1), with the rest
// of the division, plus e ln 2.
func logPair(b *asm.Builder, x asm.V) (high, low asm.V) {
	small := b.LT(x, b.C(0x1p-126))
	y := b.Select(small, b.Mul(x, b.C(0x1p23)), x)
	e := b.And(b.SubI(y, b.C(2.0/3)), b.Bits(0xff800000))
	m := b.SubI(y, e)
	power := b.Sub(b.Mul(b.FromInt(e), b.C(0x1p-23)), b.Keep(small, b.C(23)))

	top, bottom := b.Sub(m, b.C(1)), b.Add(m, b.C(1))
	lost := b.Sub(m, b.Sub(bottom, b.C(1))) // what m+1 lost when it was rounded
	inverse := b.Div(b.C(1), bottom)
	f := b.Mul(top, inverse)
	rest := b.Mul(b.FNMA(f, lost, b.FNMA(f, bottom, top)), inverse)
	f2, rest2 := b.Add(f, f), b.Add(rest, rest)
	// 2f + 2f v with v = f^2 (1/3 + f^2 (1/5 + ...)), each of the first products with what its rounding lost. FNMA gives the
	// loss of a product turned round.
	s := b.Mul(f, f)
	sLow := b.Sub(b.Mul(f2, rest), b.FNMA(f, f, s))
	p := horner(b, s, 0.0974368290896, 0.110943800229, 0.142858502773, 0.199999998281)
	third := b.C(1.0 / 3)
	q := b.FMA(s, p, third)
	qLow := b.Add(b.FMA(sLow, p, b.FMA(s, p, b.Sub(third, q))), b.C(-9.934107e-9))
	v := b.Mul(s, q)
	vLow := b.Sub(b.FMA(sLow, q, b.Mul(s, qLow)), b.FNMA(s, q, v))
	t := b.Mul(f2, v)
	tLow := b.Sub(b.FMA(rest2, v, b.Mul(f2, vLow)), b.FNMA(f2, v, t))

	whole := b.Mul(power, b.C(0.693359375)) // exact
	h := b.Add(whole, f2)
	hLow := b.Sub(f2, b.Sub(h, whole))
	k := b.Add(h, t)
	kLow := b.Sub(t, b.Sub(k, h))
	low = b.FMA(power, b.C(-2.12194440e-4), b.Add(b.Add(hLow, kLow), b.Add(tLow, rest2)))
	high = b.Add(k, low)
	low = b.Sub(low, b.Sub(high, k))
	return high, low
}

// pow is e^(y log|x|) with the sign and the special values of IEEE 754-2008.
func pow(b *asm.Builder, x, y asm.V) asm.V {
	zero, inf, one := b.Bits(0), b.Bits(infinity), b.C(1)
	a := abs(b, x)
	high, low := logPair(b, a)
	high = b.Select(b.EQ(a, zero), b.C(math.Inf(-1)), high)
	high = b.Select(b.EQ(a, inf), inf, high)
	product := b.Mul(y, high)
	lost := b.Sub(b.Mul(y, low), b.FNMA(y, high, product))
	lost = b.Keep(b.LT(abs(b, product), b.C(110)), lost)
	z := b.Max(b.C(-105), b.Min(b.C(89), product))
	n, r := reduceExp(b, z)
	r = b.Add(r, lost)
	power := b.Ldexp(horner(b, r, append(expPoly, 1, 1)...), n)
	power = b.Select(b.EQ(a, one), one, power) // 1^inf

	half := b.Mul(y, b.C(0.5))
	whole := b.EQ(b.Floor(y), y)
	odd := b.Both(whole, b.NE(b.Floor(half), half))
	power = b.Or(power, b.Keep(odd, b.And(x, b.Bits(signBit))))
	outside := b.Both(b.Both(b.LT(x, zero), b.GT(x, b.C(math.Inf(-1)))), b.Not(whole))
	power = b.Select(outside, b.Bits(quietNaN), power)
	power = b.Select(b.Unordered(x, y), b.Bits(quietNaN), power)
	return b.Select(b.Either(b.EQ(x, one), b.EQ(y, zero)), one, power)
}

func pows(o *out) {
	o.binary("Pow", pow)
	o.kernel("powScalar", asm.Tile, func(b *asm.Builder) {
		b.Store("dst", pow(b, b.Load("a", asm.F32), b.Scalar(0)), asm.F32)
	})
	s := o.Suffix()
	fmt.Fprintf(&o.tables, "\tregisterPowScalar(cpu.%s, square%s, powScalar%s)\n", s, s, s)
}
