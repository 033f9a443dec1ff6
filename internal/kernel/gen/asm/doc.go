// Package asm writes vector assembly for the kernels: a body of arithmetic on lanes is recorded once and written for
// AVX-512, AVX2 and NEON, so that every level rounds in the same places.
//
//	b := asm.New(asm.AVX512, "square", asm.Tile)
//	x := b.Load("a", asm.F32)
//	b.Store("dst", b.Mul(x, x), asm.F32)
//	file.Add(b)
//
// A Builder holds straight-line code for one vector of lanes. The frame around it (arguments, constants, the loop and its
// tail) and the registers are found when the code is written. Bodies may ask the Target what it can do, as long as the
// bits stay the same.
package asm
