// Package cpu says what the processor can do: which level of kernels runs on it, its name and its cache sizes.
//
// The level is the best that processor and operating system both support. The environment variable KUN_CPU
// (avx512, avx2, neon or go) lowers it, for tests and for reports of faults; the build tag purego leaves only Go.
//
// It imports golang.org/x/sys/cpu, nothing of this module.
package cpu
