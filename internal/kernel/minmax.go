package kernel

import "github.com/kun-ml/kun/internal/cpu"

// Maximum and minimum give NaN where an operand is NaN, as NumPy; +0 counts as greater than -0. Go's max and min do the same.
func init() {
	register(cpu.Go, "Maximum", binary(func(x, y float32) float32 { return max(x, y) }))
	register(cpu.Go, "Minimum", binary(func(x, y float32) float32 { return min(x, y) }))
	register(cpu.Go, "MaximumScalar", scalar(func(x, s float32) float32 { return max(x, s) }))
	register(cpu.Go, "MinimumScalar", scalar(func(x, s float32) float32 { return min(x, s) }))
	register(cpu.Go, "Relu", unary(func(x float32) float32 { return max(x, 0) }))
	register(cpu.Go, "ReluGrad", binary(reluGrad))
}

// reluGrad is dy where y (the input or the result of relu) is positive.
func reluGrad(dy, y float32) float32 {
	if y > 0 {
		return dy
	}
	return 0
}
