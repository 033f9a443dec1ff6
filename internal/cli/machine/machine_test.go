package machine

import (
	"runtime"
	"testing"
	"time"
)

func TestMemory_IsPlausible(t *testing.T) {
	if runtime.GOOS != "linux" && runtime.GOOS != "windows" {
		t.Skip("this system does not tell")
	}
	m := MemoryNow()
	if m.Total < 16<<20 || m.Available > m.Total {
		t.Errorf("%+v", m)
	}
	before := PeakRSS()
	b := make([]byte, 32<<20)
	for i := range b {
		b[i] = 1
	}
	if after := PeakRSS(); after < before || after < 32<<20 || after > m.Total {
		t.Errorf("peak %d, then %d", before, after)
	}
	runtime.KeepAlive(b)
	if free, err := DiskFree(t.TempDir()); err != nil || free == 0 {
		t.Errorf("%d %v", free, err)
	}
	if _, err := DiskFree(t.TempDir() + "/missing"); err == nil {
		t.Error("a missing folder has a disk")
	}
}

func TestCopyBandwidth_IsPlausible(t *testing.T) {
	if b := CopyBandwidth(time.Millisecond); b < 1e6 || b > 1e13 {
		t.Errorf("%v bytes/s", b)
	}
}
