package train

import (
	"fmt"
	"math"
)

// TerminateOnNaN ends training without an error when the loss of a batch is not a finite number, so that the callbacks
// after it still see the end of the epoch. It is of use with Options.KeepGoing: without that a loss that is not finite
// ends training with a *DivergedError already.
type TerminateOnNaN struct {
	Base `json:"-"`
}

// EndStep looks at the loss.
func (TerminateOnNaN) EndStep(r *Run) error {
	if x := r.StepLoss; math.IsNaN(x) || math.IsInf(x, 0) {
		r.Stop(fmt.Sprintf("the loss is %v at epoch %d, step %d", x, r.Epoch+1, r.Step))
	}
	return nil
}
