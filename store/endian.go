package store

import "encoding/binary"

// bigEndian reports whether this machine stores the most significant byte first.
var bigEndian = binary.NativeEndian.Uint16([]byte{1, 0}) != 1

// swap reverses the bytes of every element of size bytes, in place.
func swap(b []byte, size int) {
	for ; len(b) >= size; b = b[size:] {
		for i, j := 0, size-1; i < j; i, j = i+1, j-1 {
			b[i], b[j] = b[j], b[i]
		}
	}
}
