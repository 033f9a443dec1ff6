package kernel

import (
	"math"

	"github.com/kun-ml/kun/internal/cpu"
)

func init() {
	register(cpu.Go, "Log", wide(math.Log))
	register(cpu.Go, "Log1p", wide(math.Log1p))
}
