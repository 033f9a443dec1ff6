package main

import (
	"math"

	"github.com/kun-ml/kun/internal/kernel/gen/asm"
)

// logNear is log(1+m) for m from -1/3 to 1/3, plus e ln 2 (polynomial after Juffa).
func logNear(b *asm.Builder, m, e asm.V) asm.V {
	s := b.Mul(m, m)
	odd := horner(b, s, 0x1.208p-3, 0x1.1e574p-3, 0x1.99d8b2p-3)
	even := horner(b, s, -0x1.0aep-3, -0x1.f1988ap-4, -0x1.55b36cp-3, -0x1.fffe02p-3)
	p := b.FMA(odd, m, even)
	p = b.FMA(p, m, b.C(0x1.5554fap-2))
	p = b.FMA(p, m, b.C(-0.5))
	return b.FMA(e, b.C(math.Ln2), b.FMA(p, s, m))
}

func ln(b *asm.Builder, x asm.V) asm.V {
	small := b.LT(x, b.C(0x1p-126)) // scale numbers with missing digits
	y := b.Select(small, b.Mul(x, b.C(0x1p23)), x)
	e := b.And(b.SubI(y, b.C(2.0/3)), b.Bits(0xff800000))
	m := b.Sub(b.SubI(y, e), b.C(1))
	power := b.Mul(b.FromInt(e), b.C(0x1p-23))
	power = b.Sub(power, b.Keep(small, b.C(23)))
	return logEdges(b, x, logNear(b, m, power), b.Bits(0))
}

// log1p is log(2^e (1+m)), where m comes from x without the rounding of 1+x.
func log1p(b *asm.Builder, x asm.V) asm.V {
	u := b.Add(x, b.C(1))
	e := b.And(b.SubI(u, b.C(2.0/3)), b.Bits(0xff800000))
	scale := b.SubI(b.C(4), e) // 4 / 2^e
	m := b.Add(b.SubI(x, e), b.FMA(b.C(0.25), scale, b.C(-1)))
	r := logNear(b, m, b.Mul(b.FromInt(e), b.C(0x1p-23)))
	return tiny(b, x, logEdges(b, x, r, b.C(-1)))
}

// logEdges puts the values at and beyond the ends: infinity for infinity, -infinity at zero, which is -1 for log1p, NaN below.
func logEdges(b *asm.Builder, x, r, zero asm.V) asm.V {
	inside := b.Both(b.GT(x, zero), b.LT(x, b.Bits(infinity)))
	edge := b.Select(b.EQ(x, zero), b.C(math.Inf(-1)), b.Bits(quietNaN))
	edge = b.Select(b.GT(x, zero), x, edge)
	return b.Select(inside, r, edge)
}

func logs(o *out) {
	o.unary("Log", ln)
	o.unary("Log1p", log1p)
	o.kernel("logScalar", asm.Signature{Scalars: []string{"x"}, Result: true}, func(b *asm.Builder) { b.Return(ln(b, b.Scalar(0))) })
}
