//go:build arm64 && !purego

package cpu

// levels: Advanced SIMD is part of every arm64 processor that Go supports.
func levels() []Level { return []Level{Go, NEON} }
