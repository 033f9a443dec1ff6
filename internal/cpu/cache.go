package cpu

import "sync"

// Cache holds the sizes of the data caches in bytes, as one core sees them.
type Cache struct{ L1, L2, L3 int }

// Caches asks the operating system for the cache sizes, once; what it does not say is filled with common values:
// 32 KiB, 512 KiB and 8 MiB. Kernels use the sizes to choose speed, never bits.
var Caches = sync.OnceValue(func() Cache {
	c := caches()
	if c.L1 <= 0 {
		c.L1 = 32 << 10
	}
	if c.L2 <= 0 {
		c.L2 = 512 << 10
	}
	if c.L3 <= 0 {
		c.L3 = 8 << 20
	}
	return c
})
