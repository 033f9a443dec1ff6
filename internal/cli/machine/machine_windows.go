package machine

import (
	"os"
	"unsafe"

	"golang.org/x/sys/windows"
)

var (
	kernel32             = windows.NewLazySystemDLL("kernel32.dll")
	globalMemoryStatusEx = kernel32.NewProc("GlobalMemoryStatusEx")
	getProcessMemoryInfo = kernel32.NewProc("K32GetProcessMemoryInfo")
)

// MemoryNow asks the system.
func MemoryNow() Memory {
	var s struct {
		length, load                                 uint32
		totalPhys, availPhys, totalPage, availPage   uint64
		totalVirtual, availVirtual, availExtendedVir uint64
	}
	s.length = uint32(unsafe.Sizeof(s))
	if ok, _, _ := globalMemoryStatusEx.Call(uintptr(unsafe.Pointer(&s))); ok == 0 {
		return Memory{}
	}
	return Memory{s.totalPhys, s.availPhys}
}

type memoryCounters struct {
	size, faults                                                       uint32
	peakWorkingSet, workingSet                                         uintptr
	peakPaged, paged, peakNonPaged, nonPaged, pagefile, peakPagefileKB uintptr
}

func counters() memoryCounters {
	var c memoryCounters
	c.size = uint32(unsafe.Sizeof(c))
	if ok, _, _ := getProcessMemoryInfo.Call(uintptr(windows.CurrentProcess()), uintptr(unsafe.Pointer(&c)), uintptr(c.size)); ok == 0 {
		return memoryCounters{}
	}
	return c
}

// PeakRSS is the most memory that this process has held at once, in bytes.
func PeakRSS() uint64 { return uint64(counters().peakWorkingSet) }

// RSS is the memory that this process holds now, in bytes.
func RSS() uint64 { return uint64(counters().workingSet) }

// DiskFree is the room for this user on the disk of a folder, in bytes.
func DiskFree(dir string) (uint64, error) {
	p, err := windows.UTF16PtrFromString(dir)
	if err != nil {
		return 0, err
	}
	var free, total, all uint64
	err = windows.GetDiskFreeSpaceEx(p, &free, &total, &all)
	return free, err
}

// CPUName is the name that the system gives the processor.
func CPUName() string { return os.Getenv("PROCESSOR_IDENTIFIER") }
