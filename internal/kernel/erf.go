package kernel

import (
	"math"

	"github.com/kun-ml/kun/internal/cpu"
)

func init() { register(cpu.Go, "Erf", wide(math.Erf)) }
