package main

import (
	"runtime"
	"slices"
	"time"
)

var start = time.Now()

// wall is the time that passes.
func wall() time.Duration { return time.Since(start) }

// warm is how many calls go before those that are timed.
const warm = 20

// time is the median time of n calls of f, after some that warm up, and the allocations of one call.
func (p *peer) time(n int, f func() error) (reply, error) {
	for range warm {
		if err := f(); err != nil {
			return reply{}, err
		}
	}
	n = max(n, 1)
	ts := make([]time.Duration, n)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for i := range ts {
		t := p.clock()
		err := f()
		ts[i] = p.clock() - t
		if err != nil {
			return reply{}, err
		}
	}
	runtime.ReadMemStats(&after)
	slices.Sort(ts)
	return reply{Seconds: ts[n/2].Seconds(), Allocations: float64(after.Mallocs-before.Mallocs) / float64(n)}, nil
}

// timeFor is time for short calls: batches of at least 50 us, for that long and at least three times.
func (p *peer) timeFor(d time.Duration, f func()) reply {
	f()
	t := p.clock()
	f()
	one := p.clock() - t
	batch := 1
	if one < 50*time.Microsecond {
		batch = int(50*time.Microsecond/(one+1)) + 1
	}
	var ts []time.Duration
	for begin := time.Now(); len(ts) < 3 || time.Since(begin) < d; {
		t := p.clock()
		for range batch {
			f()
		}
		ts = append(ts, p.clock()-t)
	}
	slices.Sort(ts)
	return reply{Seconds: ts[len(ts)/2].Seconds() / float64(batch)}
}
