// Package optim holds optimizers, schedules of the learning rate, and the clipping and decay that stand around them.
//
//	o := optim.AdamW{LearningRate: 3e-4, WeightDecay: 0.01, NoDecay: "**.Bias", GlobalClipNorm: 1}
//	control := new(optim.Control)
//	// inside the trace of a step:
//	optim.Apply(o, control, weights, tensor.Grad(loss, weights...))
//	// between steps:
//	control.SetFactor(0.5)
//
// Apply records clipping, weight decay and the update of every weight; the results are assignments that the program
// makes at its end. What an optimizer remembers (moments, velocities) lies in variables of role Slot with the paths
// "optimizer/<path of the weight>/<name>". Numbers that follow the step counter (the learning rate, the bias corrections
// of Adam) are computed on the host in float64 and enter as one scalar per step.
//
// An optimizer of one's own is any type with the method Update; with the method Settings as well it takes part in
// clipping, weight decay, LearningRate and schedules. Formulas and defaults are those of Keras 3. In fields where 0 means
// the default, Zero means 0.
//
// Optimizers and Schedules are registries: they write and read configurations such as {"adam": {"learning_rate": 0.01}}.
//
// Package optim imports packages tensor, array and nn, nothing else of Kun.
package optim
