package main

import "github.com/kun-ml/kun/internal/kernel/gen/asm"

func sig(result bool, pointers []string, scalars ...string) asm.Signature {
	return asm.Signature{Pointers: pointers, Scalars: scalars, Result: result}
}

func reduce(o *out) {
	x, xy, dx := []string{"x"}, []string{"x", "y"}, []string{"dst", "x"}
	o.kernel("sum", sig(true, x), func(b *asm.Builder) {
		a := b.Sum()
		b.SetAcc(a, b.Add(a, b.Load("x", asm.F32)))
	})
	o.kernel("sumSquares", sig(true, x), func(b *asm.Builder) {
		a, v := b.Sum(), b.Load("x", asm.F32)
		b.SetAcc(a, b.FMA(v, v, a))
	})
	o.kernel("dot", sig(true, xy), func(b *asm.Builder) {
		a, v := b.Sum(), b.Load("x", asm.F32)
		b.SetAcc(a, b.FMA(v, b.Load("y", asm.F32), a))
	})
	o.kernel("max", sig(true, x), func(b *asm.Builder) {
		b.Unroll = 4
		a := b.Largest()
		b.SetAcc(a, b.Maximum(a, b.LoadFill("x", asm.F32, 0xff800000)))
	})
	o.kernel("min", sig(true, x), func(b *asm.Builder) {
		b.Unroll = 4
		a := b.Smallest()
		b.SetAcc(a, b.Minimum(a, b.LoadFill("x", asm.F32, infinity)))
	})
	o.kernel("addTo", sig(false, dx), func(b *asm.Builder) {
		d := b.Load("dst", asm.F32)
		b.Store("dst", b.Add(d, b.Load("x", asm.F32)), asm.F32)
	})
	o.kernel("axpy", sig(false, dx, "a"), func(b *asm.Builder) {
		d := b.Load("dst", asm.F32)
		b.Store("dst", b.Add(d, b.Mul(b.Load("x", asm.F32), b.Scalar(0))), asm.F32)
	})
}

// softmax writes the parts that the kernels of rows are made of.
func softmax(o *out) {
	x, dx := []string{"x"}, []string{"dst", "x"}
	o.kernel("largest", sig(true, x), func(b *asm.Builder) {
		b.Unroll = 4
		a := b.LargestNumber()
		b.SetAcc(a, b.Max(a, b.LoadFill("x", asm.F32, 0xff800000)))
	})
	// Lanes beyond the end hold minus infinity and add nothing.
	expSum := func(store bool) func(b *asm.Builder) {
		return func(b *asm.Builder) {
			a := b.Sum()
			e := exp(b, b.Sub(b.LoadFill("x", asm.F32, 0xff800000), b.Scalar(0)))
			if store {
				b.Store("dst", e, asm.F32)
			}
			b.SetAcc(a, b.Add(a, e))
		}
	}
	o.kernel("expSum", sig(true, dx, "m"), expSum(true))
	o.kernel("expSumOnly", sig(true, x, "m"), expSum(false))
	o.kernel("scaleRow", sig(false, dx, "a"), func(b *asm.Builder) {
		b.Store("dst", b.Mul(b.Load("x", asm.F32), b.Scalar(0)), asm.F32)
	})
	o.kernel("subTwice", sig(false, dx, "m", "r"), func(b *asm.Builder) {
		b.Store("dst", b.Sub(b.Sub(b.Load("x", asm.F32), b.Scalar(0)), b.Scalar(1)), asm.F32)
	})
	o.kernel("mulSub", sig(false, []string{"dst", "y", "dy"}, "s"), func(b *asm.Builder) {
		y := b.Load("y", asm.F32)
		b.Store("dst", b.Mul(y, b.Sub(b.Load("dy", asm.F32), b.Scalar(0))), asm.F32)
	})
}

func optimizer(o *out) {
	adam := sig(false, []string{"w", "m", "v", "grad"})
	adam.Table, adam.TableType = "h", "*AdamScalars"
	o.kernel("adam", adam, func(b *asm.Builder) {
		keep := func(x asm.V, above float64) asm.V { // NaN stays
			return b.Keep(b.NLE(b.And(x, b.Bits(0x7fffffff)), b.C(above)), x)
		}
		g, m, v := keep(b.Load("grad", asm.F32), 0x1p-56), b.Load("m", asm.F32), b.Load("v", asm.F32)
		m = keep(b.Add(m, b.Mul(b.Sub(g, m), b.Scalar(0))), 0x1p-100)
		b.Store("m", m, asm.F32)
		v = keep(b.Add(v, b.Mul(b.Sub(b.Mul(g, g), v), b.Scalar(1))), 0x1p-112)
		b.Store("v", v, asm.F32)
		w := b.Load("w", asm.F32)
		w = b.Sub(w, b.Mul(w, b.Scalar(4)))
		step := b.Div(b.Mul(m, b.Scalar(2)), b.Add(b.Sqrt(v), b.Scalar(3)))
		b.Store("w", b.Sub(w, step), asm.F32)
	})
	o.kernel("sgd", sig(false, []string{"w", "grad"}, "lr"), func(b *asm.Builder) {
		w := b.Load("w", asm.F32)
		b.Store("w", b.Sub(w, b.Mul(b.Load("grad", asm.F32), b.Scalar(0))), asm.F32)
	})
	momentum := func(nesterov bool) func(b *asm.Builder) {
		return func(b *asm.Builder) {
			step := b.Mul(b.Load("grad", asm.F32), b.Scalar(0))
			v := b.Sub(b.Mul(b.Load("v", asm.F32), b.Scalar(1)), step)
			b.Store("v", v, asm.F32)
			if nesterov {
				v = b.Sub(b.Mul(v, b.Scalar(1)), step)
			}
			b.Store("w", b.Add(b.Load("w", asm.F32), v), asm.F32)
		}
	}
	wvg := []string{"w", "v", "grad"}
	o.kernel("momentum", sig(false, wvg, "lr", "mu"), momentum(false))
	o.kernel("nesterov", sig(false, wvg, "lr", "mu"), momentum(true))
}
