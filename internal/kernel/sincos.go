package kernel

import (
	"math"

	"github.com/kun-ml/kun/internal/cpu"
)

func init() {
	register(cpu.Go, "Sin", wide(math.Sin))
	register(cpu.Go, "Cos", wide(math.Cos))
}
