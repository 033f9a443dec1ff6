//go:build !linux && !darwin && !windows

package machine

import (
	"errors"
	"runtime"
)

// MemoryNow is not known here.
func MemoryNow() Memory { return Memory{} }

// PeakRSS is what the Go runtime has taken from the system, in bytes.
func PeakRSS() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.Sys
}

// RSS is what the Go runtime has taken from the system, in bytes.
func RSS() uint64 { return PeakRSS() }

// DiskFree is not known here.
func DiskFree(string) (uint64, error) {
	return 0, errors.New("machine: the room on a disk is not known on this system")
}

// CPUName is not known here.
func CPUName() string { return "" }
