// Package prep prepares data: transforms that are fitted on the training data, saved with the model and part of its program,
// so that training, evaluation and prediction apply the same numbers.
//
//	p := prep.Pipeline{&prep.Rescale{Scale: 1. / 255}}
//	err := p.Fit(ctx, train)      // training data only
//	x = p.Apply(data.X, x)        // inside a trace
//
// A transform is traced: uint8 images stay uint8 until the program casts them. Package prep may import data, array, tensor
// and nn (for its registry).
package prep
