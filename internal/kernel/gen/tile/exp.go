package main

import (
	"math"

	"github.com/kun-ml/kun/internal/kernel/gen/asm"
)

// horner is the polynomial with these coefficients, the highest power first.
func horner(b *asm.Builder, x asm.V, coefficients ...float64) asm.V {
	p := b.C(coefficients[0])
	for _, c := range coefficients[1:] {
		p = b.FMA(p, x, b.C(c))
	}
	return p
}

// expPoly are the coefficients of (exp(r) - 1 - r) / r^2 for |r| <= ln 2 / 2 (Cephes, Moshier 1989).
var expPoly = []float64{1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1}

// reduceExp gives the whole number n and r with x = n ln 2 + r; ln 2 is split in two so that the first product is exact.
func reduceExp(b *asm.Builder, x asm.V) (n, r asm.V) {
	n = b.Round(b.Mul(x, b.C(math.Log2E)))
	r = b.FNMA(n, b.C(0.693359375), x)
	return n, b.FNMA(n, b.C(-2.12194440e-4), r)
}

// exp is e^x; beyond the clamps the result is 0 or infinite.
func exp(b *asm.Builder, x asm.V) asm.V {
	x = b.Max(b.C(-105), b.Min(b.C(89), x))
	n, r := reduceExp(b, x)
	return b.Ldexp(horner(b, r, append(expPoly, 1, 1)...), n)
}

// expm1 is 2^n (e^r - 1) + (2^n - 1), computed at half its size so that 2^128 does not appear.
func expm1(b *asm.Builder, x asm.V) asm.V {
	y := b.Max(b.C(-20), b.Min(b.C(89), x))
	n, r := reduceExp(b, y)
	p := b.FMA(b.Mul(horner(b, r, expPoly...), r), r, r)
	half := b.Ldexp(b.C(0.5), n)
	h := b.FMA(p, half, b.Sub(half, b.C(0.5)))
	return tiny(b, x, b.Add(h, h))
}

// tiny is x itself where it is so small that f(x) rounds to x, with all digits and the sign of zero; else r.
func tiny(b *asm.Builder, x, r asm.V) asm.V {
	return b.Select(b.LT(abs(b, x), b.C(0x1p-24)), x, r)
}

// copysign gives the magnitude r, which is not negative, the sign of x.
func copysign(b *asm.Builder, r, x asm.V) asm.V { return b.Or(r, b.And(x, b.Bits(signBit))) }

// tanh is x + x^3 P(x^2) near zero (Chebyshev fit) and 1 - 2/(e^2|x| + 1) elsewhere.
func tanh(b *asm.Builder, x asm.V) asm.V {
	s := b.Mul(x, x)
	p := horner(b, s, -0.006610227831, 0.02130938866, -0.05390942883, 0.1333311373, -0.3333333201)
	near := b.FMA(b.Mul(p, s), x, x)
	t := abs(b, x)
	y := b.Min(b.C(20), b.Add(t, t))
	n, r := reduceExp(b, y)
	e := b.Ldexp(horner(b, r, append(expPoly, 1, 1)...), n)
	far := b.Sub(b.C(1), b.Div(b.C(2), b.Add(e, b.C(1))))
	return tiny(b, x, b.Select(b.LT(t, b.C(0.55)), near, copysign(b, far, x)))
}

// erf is x + x P(x^2) near zero and 1 - e^Q(|x|) elsewhere (polynomials after Juffa).
func erf(b *asm.Builder, x asm.V) asm.V {
	s := b.Mul(x, x)
	p := horner(b, s, -5.96761703e-4, 4.99119423e-3, -2.67681349e-2, 1.12819925e-1, -3.76125336e-1, 1.28379166e-1)
	near := b.FMA(p, x, x)
	t := b.Min(b.C(4), abs(b, x))
	u := b.Mul(t, t)
	q := b.FMA(b.C(-1.72853470e-5), t, b.C(3.83197126e-4))
	q = b.FMA(q, u, b.FMA(b.C(-3.88396438e-3), t, b.C(2.42546219e-2)))
	for _, c := range []float64{-1.06777877e-1, -6.34846687e-1, -1.28717512e-1} {
		q = b.FMA(q, t, b.C(c))
	}
	q = b.FMA(q, t, b.Xor(t, b.Bits(signBit)))
	n, r := reduceExp(b, q)
	e := b.Ldexp(horner(b, r, append(expPoly, 1, 1)...), n)
	far := copysign(b, b.Sub(b.C(1), e), x)
	return b.Select(b.LE(abs(b, x), b.C(0.927734375)), near, far)
}

func exps(o *out) {
	o.unary("Exp", exp)
	o.unary("Expm1", expm1)
	// e^-|x| cannot overflow, and numbers below -88 keep all their digits.
	o.unary("Sigmoid", func(b *asm.Builder, x asm.V) asm.V {
		e := exp(b, b.Or(x, b.Bits(signBit)))
		top := b.Select(b.LT(x, b.Bits(0)), e, b.C(1))
		return b.Div(top, b.Add(e, b.C(1)))
	})
}

func tanhs(o *out) { o.unary("Tanh", tanh) }

func erfs(o *out) { o.unary("Erf", erf) }
