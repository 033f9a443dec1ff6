package cli

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/kun-ml/kun"
	"github.com/kun-ml/kun/array"
	"github.com/kun-ml/kun/data"
	"github.com/kun-ml/kun/dataset"
	"github.com/kun-ml/kun/internal/cli/term"
	"github.com/kun-ml/kun/loss"
	"github.com/kun-ml/kun/metric"
	"github.com/kun-ml/kun/nn"
	"github.com/kun-ml/kun/optim"
	"github.com/kun-ml/kun/prep"
	"github.com/kun-ml/kun/store"
)

func (a *app) demoCommand() *cobra.Command {
	var out string
	c := &cobra.Command{
		Use:   "demo",
		Short: "the whole journey on embedded digits: load, prepare, build, train, evaluate, use",
		Args:  args(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			begin := time.Now()
			if err := store.CheckTarget(out); err != nil {
				return coded(Resources, err)
			}
			tr, te, err := dataset.Digits(cmd.Context())
			if err != nil {
				return err
			}
			a.printf("load      digits: %s training and %s test images of 28x28, drawn by a generator\n", term.Thousands(int64(tr.Len())), term.Thousands(int64(te.Len())))
			a.printf("prepare   pixels 0..255 become 0..1\n")
			m := &kun.Model{
				Prepare:   prep.Pipeline{&prep.Rescale{Scale: 1. / 255}},
				Net:       nn.Sequential{&nn.Flatten{}, &nn.Dense{Units: 128, Activation: nn.ReLU}, &nn.Dropout{Rate: 0.2}, &nn.Dense{Units: 10, Activation: nn.Softmax}},
				Loss:      loss.SparseCategoricalCrossEntropy{},
				Optimizer: optim.Adam{},
				Metrics:   []metric.Metric{metric.Accuracy{}},
				Threads:   a.threads,
			}
			o := kun.FitOptions{Epochs: 5, Validate: te, Seed: a.seed.value}
			if err := m.Build(o.Seed, data.Field{Name: data.X, DType: array.Uint8, Shape: array.Shape{28, 28}}); err != nil {
				return err
			}
			a.printf("build\n")
			if !a.json {
				if err := m.Summary(a.out); err != nil {
					return err
				}
			}
			a.printf("train     5 epochs in batches of 32\n")
			if err := a.fit(cmd.Context(), m, tr, te, o, out, begin, "demo", false); err != nil {
				return err
			}
			if a.json {
				return nil
			}
			a.printf("evaluate\n")
			if err := a.showConfusion(cmd.Context(), m, te); err != nil {
				return err
			}
			a.printf("use       a few test images and what the model says\n\n")
			if err := a.showDigits(cmd, m, te); err != nil {
				return err
			}
			a.printf("\n%.1f s in all. Next:\n  kun inspect %s\n  kun eval %s\n  kun predict %s FILE.png\n", time.Since(begin).Seconds(), out, out, out)
			return nil
		},
	}
	c.Flags().StringVar(&out, "out", "demo-model", "folder for the model")
	return c
}

// showDigits draws the first test images with their predictions.
func (a *app) showDigits(cmd *cobra.Command, m *kun.Model, te *data.Set) error {
	const n = 6
	x := te.Array(data.X).Rows(0, n)
	out, err := m.Predict(cmd.Context(), x)
	if err != nil {
		return err
	}
	var ps []term.Picture
	for i := range n {
		b := best(array.Data[float32](out)[i*10 : (i+1)*10])
		ps = append(ps, term.Picture{Pix: x.Bytes()[i*784 : (i+1)*784], H: 28, W: 28, Caption: fmt.Sprintf("%d (is %d)", b, te.Array(data.Y).Bytes()[i])})
	}
	return term.Pictures(a.out, ps)
}
