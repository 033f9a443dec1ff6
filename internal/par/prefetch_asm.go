//go:build (amd64 || arm64) && !purego

package par

import "unsafe"

//go:noescape
func prefetch(p unsafe.Pointer, n int)
