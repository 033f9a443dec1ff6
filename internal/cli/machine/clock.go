package machine

import (
	"runtime"
	"time"
)

// Clock measures the processor's clock in Hz for about so long: a chain of additions and exclusive ors, each of which waits
// for the one before, takes one cycle for each.
func Clock(d time.Duration) float64 {
	const chain = 32 // steps of two operations per round
	c, e := uint64(time.Now().UnixNano())|1, uint64(0x9e3779b97f4a7c15)
	x, best := c, 0.
	for begin := time.Now(); time.Since(begin) < d; {
		const rounds = 20_000
		start := time.Now()
		for range rounds {
			x = (x + c) ^ e
			x = (x + c) ^ e
			x = (x + c) ^ e
			x = (x + c) ^ e
			x = (x + c) ^ e
			x = (x + c) ^ e
			x = (x + c) ^ e
			x = (x + c) ^ e
			x = (x + c) ^ e
			x = (x + c) ^ e
			x = (x + c) ^ e
			x = (x + c) ^ e
			x = (x + c) ^ e
			x = (x + c) ^ e
			x = (x + c) ^ e
			x = (x + c) ^ e
			x = (x + c) ^ e
			x = (x + c) ^ e
			x = (x + c) ^ e
			x = (x + c) ^ e
			x = (x + c) ^ e
			x = (x + c) ^ e
			x = (x + c) ^ e
			x = (x + c) ^ e
			x = (x + c) ^ e
			x = (x + c) ^ e
			x = (x + c) ^ e
			x = (x + c) ^ e
			x = (x + c) ^ e
			x = (x + c) ^ e
			x = (x + c) ^ e
			x = (x + c) ^ e
		}
		best = max(best, 2*chain*rounds/time.Since(start).Seconds())
	}
	runtime.KeepAlive(x) // or the work would be left out
	return best
}
