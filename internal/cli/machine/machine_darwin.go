package machine

import "golang.org/x/sys/unix"

// MemoryNow asks sysctl; what is available is not told.
func MemoryNow() Memory {
	n, _ := unix.SysctlUint64("hw.memsize")
	return Memory{Total: n}
}

// PeakRSS is the most memory that this process has held at once, in bytes.
func PeakRSS() uint64 {
	var r unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &r) != nil {
		return 0
	}
	return uint64(r.Maxrss)
}

// RSS is not told here; the peak stands for it.
func RSS() uint64 { return PeakRSS() }

// DiskFree is the room for this user on the disk of a folder, in bytes.
func DiskFree(dir string) (uint64, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return 0, err
	}
	return s.Bavail * uint64(s.Bsize), nil
}

// CPUName is the name that the processor gives itself.
func CPUName() string {
	s, _ := unix.Sysctl("machdep.cpu.brand_string")
	return s
}
