// Package kernel holds the loops that computations run: over raw memory, for one element type, on one goroutine.
//
// There are three kinds. A Tile computes a stretch of an elementwise operation, found by the operation's name; Rows reduce or rewrite
// one row; products multiply blocks of matrices. Each has a plain Go version that is its reference, and faster ones in assembly for AVX2,
// AVX-512 and NEON, chosen by the level in force (internal/cpu). The assembly is written by internal/kernel/gen and committed:
//
//	go generate ./internal/kernel
//
// What a kernel computes, bit by bit, is said at its Go version and does not depend on the level, but for the plain Go level itself, which has
// no fused multiply-add. The caller sees to lengths, alignment of shapes and overlap; nothing is checked here.
//
// Tests compare the levels of one machine with each other and every machine with testdata/bits.txt. Sine and cosine beyond 48,000 are
// computed by package math, whose last bit of float64 may differ between architectures.
//
// Package kernel imports internal/cpu and internal/rng; it knows no tensors.
package kernel
