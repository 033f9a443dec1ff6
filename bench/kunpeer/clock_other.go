//go:build !linux

package main

import "time"

// threadClock is the time that passes, where a thread has no clock of its own.
func threadClock() time.Duration { return wall() }
