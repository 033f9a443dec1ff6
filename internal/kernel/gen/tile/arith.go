package main

import "github.com/kun-ml/kun/internal/kernel/gen/asm"

const (
	signBit  = 0x80000000
	notSign  = 0x7fffffff
	infinity = 0x7f800000
	quietNaN = 0x7fc00000
)

func abs(b *asm.Builder, x asm.V) asm.V { return b.And(x, b.Bits(notSign)) }

func arith(o *out) {
	o.unary("Neg", func(b *asm.Builder, x asm.V) asm.V { return b.Xor(x, b.Bits(signBit)) })
	o.unary("Abs", abs)
	o.unary("Sign", func(b *asm.Builder, x asm.V) asm.V {
		zero := b.Bits(0)
		s := b.Keep(b.GT(x, zero), b.C(1))
		s = b.Select(b.LT(x, zero), b.C(-1), s)
		return b.Select(b.Unordered(x, x), x, s)
	})
	o.unary("Square", func(b *asm.Builder, x asm.V) asm.V { return b.Mul(x, x) })
	o.unary("Reciprocal", func(b *asm.Builder, x asm.V) asm.V { return b.Div(b.C(1), x) })
	o.unary("Sqrt", (*asm.Builder).Sqrt)
	o.unary("Rsqrt", func(b *asm.Builder, x asm.V) asm.V { return b.Div(b.C(1), b.Sqrt(x)) })
	o.unary("Floor", (*asm.Builder).Floor)
	o.unary("Round", (*asm.Builder).Round)
	o.binary("Add", (*asm.Builder).Add)
	o.binary("Sub", (*asm.Builder).Sub)
	o.binary("Mul", (*asm.Builder).Mul)
	o.binary("Div", (*asm.Builder).Div)
	o.scalar("AddScalar", (*asm.Builder).Add)
	o.scalar("Scale", (*asm.Builder).Mul)
}

func compare(o *out) {
	cmp := func(op string, f func(b *asm.Builder, x, y asm.V) asm.V) {
		o.tile(op, func(b *asm.Builder) {
			x := b.Load("a", asm.F32)
			b.Store("dst", f(b, x, b.Load("b", asm.F32)), asm.Mask8)
		})
	}
	cmp("Equal", (*asm.Builder).EQ)
	cmp("NotEqual", (*asm.Builder).NE)
	cmp("Less", (*asm.Builder).LT)
	cmp("LessEqual", (*asm.Builder).LE)
	cmp("Greater", (*asm.Builder).GT)
	cmp("GreaterEqual", (*asm.Builder).GE)
	logic := func(op string, f func(b *asm.Builder, x, y asm.V) asm.V) {
		o.tile(op, func(b *asm.Builder) {
			x := b.Load("a", asm.Bytes)
			b.Store("dst", f(b, x, b.Load("b", asm.Bytes)), asm.Bytes)
		})
	}
	logic("And", (*asm.Builder).And)
	logic("Or", (*asm.Builder).Or)
	o.tile("Not", func(b *asm.Builder) {
		b.Store("dst", b.Xor(b.Load("a", asm.Bytes), b.Bits(0x01010101)), asm.Bytes)
	})
}

func minmax(o *out) {
	o.binary("Maximum", (*asm.Builder).Maximum)
	o.binary("Minimum", (*asm.Builder).Minimum)
	o.scalar("MaximumScalar", (*asm.Builder).Maximum)
	o.scalar("MinimumScalar", (*asm.Builder).Minimum)
	o.unary("Relu", func(b *asm.Builder, x asm.V) asm.V { return b.Keep(b.NLE(x, b.Bits(0)), x) })
	o.binary("ReluGrad", func(b *asm.Builder, dy, y asm.V) asm.V { return b.Keep(b.GT(y, b.Bits(0)), dy) })
}

func where(o *out) {
	o.tile("Where", func(b *asm.Builder) {
		m := b.Load("a", asm.Mask8)
		x := b.Load("b", asm.F32)
		b.Store("dst", b.Select(m, x, b.Load("c", asm.F32)), asm.F32)
	})
	o.tile("MaskScale", func(b *asm.Builder) {
		m := b.Load("b", asm.Mask8)
		b.Store("dst", b.Keep(m, b.Mul(b.Load("a", asm.F32), b.Scalar(0))), asm.F32)
	})
}
