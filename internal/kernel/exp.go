package kernel

import (
	"math"

	"github.com/kun-ml/kun/internal/cpu"
)

func init() {
	register(cpu.Go, "Exp", wide(math.Exp))
	register(cpu.Go, "Expm1", wide(math.Expm1))
	register(cpu.Go, "Sigmoid", wide(func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }))
}
