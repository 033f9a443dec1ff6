// Package kun is deep learning in Go, from raw data to a model in use: load, prepare, build, train, evaluate, use.
//
//	train, test, err := dataset.MNIST(ctx)
//	model := &kun.Model{
//		Prepare: prep.Pipeline{&prep.Rescale{Scale: 1. / 255}},
//		Net: nn.Sequential{
//			&nn.Flatten{},
//			&nn.Dense{Units: 128, Activation: nn.ReLU},
//			&nn.Dropout{Rate: 0.2},
//			&nn.Dense{Units: 10, Activation: nn.Softmax},
//		},
//		Loss:      loss.SparseCategoricalCrossEntropy{},
//		Optimizer: optim.Adam{},
//		Metrics:   []metric.Metric{metric.Accuracy{}},
//	}
//	history, err := model.Fit(ctx, train, kun.FitOptions{Epochs: 5, Validate: test})
//	report, err := model.Evaluate(ctx, test)
//	err = model.Save("mnist")
//
// A layer is a struct with its configuration, a model is a layer or any Go type with a Forward over tensors. Training is
// one compiled program per step; mistakes in shapes are errors of Fit, before training starts. Below this package and
// equally public: train (the step and the loop), nn, loss, metric, optim (what they are made of), tensor (tracing and
// gradients), program and device (compiling and running), data, dataset and prep.
package kun
