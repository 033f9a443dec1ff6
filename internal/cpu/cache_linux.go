package cpu

import (
	"os"
	"strconv"
	"strings"
)

func caches() (c Cache) {
	const dir = "/sys/devices/system/cpu/cpu0/cache/index"
	for i := range 8 {
		read := func(name string) string {
			b, _ := os.ReadFile(dir + strconv.Itoa(i) + "/" + name)
			return strings.TrimSpace(string(b))
		}
		level := read("level")
		if level == "" {
			break
		}
		if read("type") == "Instruction" {
			continue
		}
		n := size(read("size"))
		switch level {
		case "1":
			c.L1 = n
		case "2":
			c.L2 = n
		case "3":
			c.L3 = n
		}
	}
	return c
}

// size reads the kernel's way to write a size: 1024K, 32M.
func size(s string) int {
	unit := 1
	switch {
	case strings.HasSuffix(s, "K"):
		unit = 1 << 10
	case strings.HasSuffix(s, "M"):
		unit = 1 << 20
	}
	n, err := strconv.Atoi(strings.TrimRight(s, "KM"))
	if err != nil || n < 0 || n > 1<<21 {
		return 0
	}
	return n * unit
}
