//go:build purego || !(amd64 || arm64)

package par

import "runtime"

func pause(int) { runtime.Gosched() }
