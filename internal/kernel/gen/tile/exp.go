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

func exps(o *out) {
	o.unary("Exp", exp)
	// e^-|x| cannot overflow, and numbers below -88 keep all their digits.
	o.unary("Sigmoid", func(b *asm.Builder, x asm.V) asm.V {
		e := exp(b, b.Or(x, b.Bits(signBit)))
		top := b.Select(b.LT(x, b.Bits(0)), e, b.C(1))
		return b.Div(top, b.Add(e, b.C(1)))
	})
}
