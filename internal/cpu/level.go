package cpu

import (
	"fmt"
	"os"
	"strings"
	"sync"
)

// Level is a set of vector instructions that kernels are written for. On one architecture the levels are ordered: what runs
// at a level runs at every higher one.
type Level uint8

// The levels.
const (
	Go     Level = iota // plain Go, on any processor
	NEON                // arm64: Advanced SIMD, 128 bits
	AVX2                // amd64: AVX2 and FMA, 256 bits
	AVX512              // amd64: AVX-512 F, BW, DQ and VL, 512 bits
)

var levelNames = [...]string{Go: "go", NEON: "neon", AVX2: "avx2", AVX512: "avx512"}

// String is the name of the level as KUN_CPU takes it.
func (l Level) String() string {
	if int(l) < len(levelNames) {
		return levelNames[l]
	}
	return fmt.Sprintf("Level(%d)", uint8(l))
}

// Levels lists the levels that this machine can run, Go first, the best last.
func Levels() []Level { return levels() }

// Best is the highest level that this machine can run.
func Best() Level {
	all := Levels()
	return all[len(all)-1]
}

type choice struct {
	level   Level
	warning string
}

var inForce = sync.OnceValue(func() choice { return choose(os.Getenv("KUN_CPU"), Levels()) })

// InForce is the level that kernels run at: Best, or what KUN_CPU asked for when the program began.
func InForce() Level { return inForce().level }

// Warning says why the value of KUN_CPU could not be obeyed; it is empty if all is well.
func Warning() string { return inForce().warning }

// choose gives the level for the wish, among the levels of the machine.
func choose(wish string, have []Level) choice {
	best := have[len(have)-1]
	if wish == "" {
		return choice{level: best}
	}
	for _, l := range have {
		if strings.EqualFold(wish, l.String()) {
			return choice{level: l}
		}
	}
	names := make([]string, len(have))
	for i, l := range have {
		names[i] = l.String()
	}
	return choice{best, fmt.Sprintf("KUN_CPU=%s is not a level of this machine; it has %s; using %v", wish, strings.Join(names, ", "), best)}
}
