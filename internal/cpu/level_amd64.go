//go:build amd64 && !purego

package cpu

import "golang.org/x/sys/cpu"

// levels asks processor and operating system; x/sys/cpu reports AVX-512 only where the system saves its registers.
func levels() []Level {
	all := []Level{Go}
	x := &cpu.X86
	if x.HasAVX2 && x.HasFMA && x.HasBMI2 {
		all = append(all, AVX2)
		if x.HasAVX512F && x.HasAVX512BW && x.HasAVX512DQ && x.HasAVX512VL {
			all = append(all, AVX512)
		}
	}
	return all
}
