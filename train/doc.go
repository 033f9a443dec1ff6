// Package train runs training: a step that is one compiled program (forward, loss, metrics, backward, update), the loop over
// epochs around it, callbacks and the history.
//
//	step, err := train.NewStep(train.Config{
//		Model:     net,
//		Optimizer: optim.Adam{},
//		Loss: func(in *train.Inputs) *tensor.Tensor {
//			return loss.SparseCategoricalCrossEntropy{}.Loss(net.Forward(in.X), in.Y)
//		},
//	}, batches.Fields())
//	for batch, err := range batches.Epoch(ctx, 0, 0) {
//		if err != nil {
//			return err
//		}
//		if _, err := step.Run(batch); err != nil {
//			return err
//		}
//	}
//
// Every mistake in shapes is an error of NewStep, before training starts. A step allocates nothing. Two optimizers over one
// model are two steps with different patterns in Only.
//
// Most programs use kun.Model, which stands above this package. Package train may import all packages on lower floors.
package train
