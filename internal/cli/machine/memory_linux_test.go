package machine

import (
	"os"
	"path/filepath"
	"testing"
)

func TestMemory_OfAContainerCountsWhatFilesLeft(t *testing.T) {
	for name, files := range map[string]map[string]string{
		"v2": {"sys/fs/cgroup/memory.max": "1000000\n", "sys/fs/cgroup/memory.current": "900000\n", "sys/fs/cgroup/memory.stat": "anon 100\ninactive_file 300000\n"},
		"v1": {"sys/fs/cgroup/memory/memory.limit_in_bytes": "1000000\n", "sys/fs/cgroup/memory/memory.usage_in_bytes": "900000\n", "sys/fs/cgroup/memory/memory.stat": "total_inactive_file 300000\n"},
	} {
		root := t.TempDir()
		files["proc/meminfo"] = "MemTotal:  4000 kB\nMemAvailable:  3000 kB\n"
		for path, text := range files {
			path = filepath.Join(root, path)
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if m := memoryBelow(root); m != (Memory{1000000, 400000}) {
			t.Errorf("%s: %+v", name, m)
		}
	}
}
