package par

import "unsafe"

// Prefetch asks for the lines of b, so that they lie in the second-level cache when they are read a little later.
func Prefetch(b []byte) {
	if len(b) > 0 {
		prefetch(unsafe.Pointer(unsafe.SliceData(b)), len(b))
	}
}
