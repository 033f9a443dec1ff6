//go:build (!amd64 && !arm64) || purego

package par

import "unsafe"

func prefetch(unsafe.Pointer, int) {}
