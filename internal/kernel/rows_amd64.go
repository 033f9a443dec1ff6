//go:build !purego

package kernel

import "github.com/kun-ml/kun/internal/cpu"

func vectorRows() (levels [numLevels]func(*Rows)) {
	levels[cpu.AVX512], levels[cpu.AVX2] = rowsAVX512, rowsAVX2
	return levels
}
