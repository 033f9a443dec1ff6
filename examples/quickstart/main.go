// Command quickstart is the quick-start of Keras in Go: it learns to read handwritten digits.
package main

import (
	"context"
	"fmt"
	"log"

	"github.com/kun-ml/kun"
	"github.com/kun-ml/kun/dataset"
	"github.com/kun-ml/kun/loss"
	"github.com/kun-ml/kun/metric"
	"github.com/kun-ml/kun/nn"
	"github.com/kun-ml/kun/optim"
	"github.com/kun-ml/kun/prep"
)

func main() {
	ctx := context.Background()
	train, test, err := dataset.MNIST(ctx)
	check(err)
	model := &kun.Model{
		Prepare: prep.Pipeline{&prep.Rescale{Scale: 1. / 255}},
		Net: nn.Sequential{
			&nn.Flatten{},
			&nn.Dense{Units: 128, Activation: nn.ReLU},
			&nn.Dropout{Rate: 0.2},
			&nn.Dense{Units: 10, Activation: nn.Softmax},
		},
		Loss:      loss.SparseCategoricalCrossEntropy{},
		Optimizer: optim.Adam{},
		Metrics:   []metric.Metric{metric.Accuracy{}},
	}
	_, err = model.Fit(ctx, train, kun.FitOptions{Epochs: 5, Validate: test})
	check(err)
	report, err := model.Evaluate(ctx, test)
	check(err)
	fmt.Println(report)
	check(model.Save("mnist"))
	model, err = kun.Load("mnist")
	check(err)
	digits, err := model.Predict(ctx, test.Array("x").Rows(0, 1))
	check(err)
	fmt.Println(digits)
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
