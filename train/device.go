package train

import (
	"runtime"
	"sync"

	"github.com/kun-ml/kun/device"
	"github.com/kun-ml/kun/device/cpu"
)

var devices struct {
	sync.Mutex
	byThreads map[int]device.Device
}

// CPU is the processor with that many threads, 0: GOMAXPROCS. All callers that ask for one number share one device, which
// lives as long as the program: do not close it, the others would compute on one thread from then on.
func CPU(threads int) device.Device {
	if threads <= 0 {
		threads = runtime.GOMAXPROCS(0)
	}
	devices.Lock()
	defer devices.Unlock()
	d := devices.byThreads[threads]
	if d == nil {
		if devices.byThreads == nil {
			devices.byThreads = map[int]device.Device{}
		}
		d = cpu.New(cpu.Options{Threads: threads})
		devices.byThreads[threads] = d
	}
	return d
}
