//go:build !purego

package kernel

import "github.com/kun-ml/kun/internal/cpu"

func init() {
	randomLevels[cpu.AVX512] = randomKernels{bernoulliAVX512, uniformAVX512}
	randomLevels[cpu.AVX2] = randomKernels{bernoulliAVX2, uniformAVX2}
}
