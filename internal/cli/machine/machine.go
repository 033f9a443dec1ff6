package machine

import (
	"runtime"
	"time"
)

// Memory is the memory of the machine, or of the container that the process runs in, in bytes.
type Memory struct {
	Total     uint64
	Available uint64 // without pushing anything out
}

// CopyBandwidth measures how fast memory is copied, in bytes read and written per second, for about so long.
func CopyBandwidth(d time.Duration) float64 {
	const size = 64 << 20 // larger than the caches
	workers := runtime.GOMAXPROCS(0)
	piece := size / workers
	src, dst := make([]byte, size), make([]byte, size)
	for i := range src {
		src[i] = byte(i)
	}
	copy(dst, src) // touch every page first
	done := make(chan struct{})
	start := time.Now()
	rounds := 0
	for time.Since(start) < d || rounds == 0 {
		for w := range workers {
			go func() {
				copy(dst[w*piece:(w+1)*piece], src[w*piece:(w+1)*piece])
				done <- struct{}{}
			}()
		}
		for range workers {
			<-done
		}
		rounds++
	}
	return 2 * float64(rounds) * float64(workers*piece) / time.Since(start).Seconds()
}
