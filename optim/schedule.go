package optim

// Schedule is a learning rate that follows the step counter. It runs on the host before each step, in float64.
type Schedule interface {
	// At is the rate of a step; the first step is 0. It must not allocate.
	At(step int64) float64
}

// Constant is a learning rate that stays.
type Constant struct {
	// Rate is the learning rate.
	Rate float64
}

// At is Rate.
func (c Constant) At(int64) float64 { return c.Rate }

func (c Constant) check() error { return notNegative("constant", "Rate", c.Rate) }
