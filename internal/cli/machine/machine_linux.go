package machine

import (
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// MemoryNow reads /proc/meminfo and the limit of the control group.
func MemoryNow() Memory {
	m := Memory{Total: procField("/proc/meminfo", "MemTotal:"), Available: procField("/proc/meminfo", "MemAvailable:")}
	for _, base := range []string{"/sys/fs/cgroup/memory.", "/sys/fs/cgroup/memory/memory."} {
		limit := number(base+"max", base+"limit_in_bytes")
		if limit == 0 || limit >= m.Total {
			continue
		}
		m.Total = limit
		if used := number(base+"current", base+"usage_in_bytes"); used < limit {
			m.Available = min(m.Available, limit-used)
		}
	}
	return m
}

// PeakRSS is the most memory that this process has held at once, in bytes.
func PeakRSS() uint64 { return procField("/proc/self/status", "VmHWM:") }

// RSS is the memory that this process holds now, in bytes.
func RSS() uint64 { return procField("/proc/self/status", "VmRSS:") }

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
	raw, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return ""
	}
	for l := range strings.Lines(string(raw)) {
		if k, v, ok := strings.Cut(l, ":"); ok && strings.TrimSpace(k) == "model name" {
			return strings.TrimSpace(v)
		}
	}
	return ""
}

// procField reads a line "Name:   123 kB", in bytes.
func procField(path, name string) uint64 {
	raw, err := os.ReadFile(path)
	if err != nil {
		return 0
	}
	for l := range strings.Lines(string(raw)) {
		f := strings.Fields(l)
		if len(f) >= 2 && f[0] == name {
			n, _ := strconv.ParseUint(f[1], 10, 64)
			return n * 1024
		}
	}
	return 0
}

// number reads the first of the files that holds a number.
func number(paths ...string) uint64 {
	for _, p := range paths {
		if raw, err := os.ReadFile(p); err == nil {
			n, _ := strconv.ParseUint(strings.TrimSpace(string(raw)), 10, 64)
			return n
		}
	}
	return 0
}
