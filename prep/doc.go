// Package prep prepares data: transforms that are fitted on the training data, saved with the model and part of its program,
// so that training, evaluation and prediction apply the same numbers.
//
//	p := prep.Pipeline{
//		&prep.Rescale{Scale: 1. / 255},  // uint8 pixels to 0..1
//		&prep.Normalize{},               // mean 0, variance 1, column by column
//		&prep.OneHot{On: data.Y},        // of another field than "x"
//	}
//	err := p.Fit(ctx, train)             // training data only; Normalize sees what Rescale gives
//	x = p.Apply(data.X, x)               // inside a trace
//
//	b, err := json.Marshal(p)            // [{"rescale":{"scale":0.00392156862745098}}, ...] with the fitted numbers
//	err = json.Unmarshal(b, &p)          // strict
//
// A transform is a type with a traced Forward. One that learns numbers has Fit as well (Fitter), one for another field
// than "x" has Field (Fielder); Transforms.Register makes a type of one's own known to files. uint8 images stay uint8
// until the program casts them.
//
// Package prep may import data, array, tensor and nn (for its registry).
package prep
