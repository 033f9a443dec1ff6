//go:build purego || !(amd64 || arm64)

package kernel

func vectorRows() (levels [numLevels]func(*Rows)) { return levels }
