package main

import (
	"time"

	"golang.org/x/sys/unix"
)

// threadClock is the processor time of this thread, which does not run while others are served.
func threadClock() time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t); err != nil {
		return wall()
	}
	return time.Duration(t.Nano())
}
