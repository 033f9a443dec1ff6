// Package loss holds losses: how far a model's output is from the target, one number per sample.
//
//	l := loss.SparseCategoricalCrossEntropy{}
//	perSample := l.Loss(net.Forward(x), classes) // (B,10) and (B) to (B)
//
// A loss gives (B), or (B,T) where a sample is a sequence; the training step weighs, masks and averages. The result
// carries a mask when some of its numbers do not count (masked steps, ignored classes).
//
// A loss never broadcasts: the shapes of output and target must agree. As in Keras, a rank that differs by one is
// mended when the last axis has size 1; anything else is a *tensor.ShapeError that names both shapes and what to do.
// Formulas and constants are those of Keras 3.
//
// A loss of one's own is any type with the method Loss. Named finds a loss by its Keras name; Marshal and Unmarshal
// write and read configurations.
//
// Package loss imports packages tensor and array, nothing else of Kun.
package loss
