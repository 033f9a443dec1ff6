package machine

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// MemoryNow reads /proc/meminfo and the limit of the control group.
func MemoryNow() Memory { return memoryBelow("/") }

// memoryBelow is MemoryNow with the files of the system below root.
func memoryBelow(root string) Memory {
	info := filepath.Join(root, "proc/meminfo")
	m := Memory{Total: procField(info, "MemTotal:"), Available: procField(info, "MemAvailable:")}
	for _, g := range []struct{ base, current, limit, stat, inactive string }{
		{"sys/fs/cgroup", "memory.current", "memory.max", "memory.stat", "inactive_file"},
		{"sys/fs/cgroup/memory", "memory.usage_in_bytes", "memory.limit_in_bytes", "memory.stat", "total_inactive_file"},
	} {
		base := filepath.Join(root, g.base)
		limit := number(filepath.Join(base, g.limit))
		if limit == 0 || limit >= m.Total {
			continue
		}
		m.Total = limit
		used := number(filepath.Join(base, g.current))
		used -= min(used, field(filepath.Join(base, g.stat), g.inactive)) // copies of files, given up when memory is wanted
		m.Available = min(m.Available, limit-min(limit, used))
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
func procField(path, name string) uint64 { return field(path, name) * 1024 }

// field reads the number of a line that begins with a name.
func field(path, name string) uint64 {
	raw, err := os.ReadFile(path)
	if err != nil {
		return 0
	}
	for l := range strings.Lines(string(raw)) {
		f := strings.Fields(l)
		if len(f) >= 2 && f[0] == name {
			n, _ := strconv.ParseUint(f[1], 10, 64)
			return n
		}
	}
	return 0
}

// number reads a file that holds a number; 0 for none.
func number(path string) uint64 {
	raw, err := os.ReadFile(path)
	if err != nil {
		return 0
	}
	n, _ := strconv.ParseUint(strings.TrimSpace(string(raw)), 10, 64)
	return n
}
