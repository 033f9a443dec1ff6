//go:build !purego

package kernel

import "github.com/kun-ml/kun/internal/cpu"

func vectorRows() (levels [numLevels]func(*Rows)) {
	levels[cpu.NEON] = rowsNEON
	return levels
}
