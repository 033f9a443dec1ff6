package main

import (
	"fmt"

	"github.com/kun-ml/kun/internal/kernel/gen/asm"
)

// cast writes the conversion from src to dst, types of package kernel, and registers it.
func (o *out) cast(dst, src string, body func(b *asm.Builder)) {
	name := "cast" + src + dst
	o.kernel(name, sig(false, []string{"dst", "src"}), func(b *asm.Builder) {
		b.Unroll = 4
		body(b)
	})
	fmt.Fprintf(&o.tables, "\tregisterCast(cpu.%s, %s, %s, %s%s)\n", o.Suffix(), dst, src, name, o.Suffix())
}

func casts(o *out) {
	copyAs := func(from, to asm.Kind) func(b *asm.Builder) {
		return func(b *asm.Builder) { b.Store("dst", b.Load("src", from), to) }
	}
	fromInt := func(from asm.Kind) func(b *asm.Builder) {
		return func(b *asm.Builder) { b.Store("dst", b.FromInt(b.Load("src", from)), asm.F32) }
	}
	o.cast("F32", "U8", fromInt(asm.U8))
	o.cast("F32", "I8", fromInt(asm.I8))
	o.cast("F32", "I32", fromInt(asm.I32))
	o.cast("F32", "F16", copyAs(asm.F16, asm.F32))
	o.cast("F16", "F32", copyAs(asm.F32, asm.F16))
	o.cast("F32", "F64", copyAs(asm.F64, asm.F32))
	o.cast("F64", "F32", copyAs(asm.F32, asm.F64))
	o.cast("F32", "BF16", func(b *asm.Builder) {
		b.Store("dst", b.Shl(b.Load("src", asm.U16), 16), asm.F32)
	})
	// Half of the last bit kept is added, less one if that bit is 0: ties go to even.
	o.cast("BF16", "F32", func(b *asm.Builder) {
		x := b.Load("src", asm.F32)
		even := b.And(b.Shr(x, 16), b.Bits(1))
		r := b.Shr(b.AddI(b.AddI(x, b.Bits(0x7fff)), even), 16)
		nan := b.Or(b.Shr(x, 16), b.Bits(0x40))
		b.Store("dst", b.Select(b.Unordered(x, x), nan, r), asm.U16)
	})
	o.cast("Bool", "F32", func(b *asm.Builder) {
		b.Store("dst", b.NE(b.Load("src", asm.F32), b.Bits(0)), asm.Mask8)
	})
}
