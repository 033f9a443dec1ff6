package cli

import (
	"context"
	"fmt"
	"image"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/kun-ml/kun"
	"github.com/kun-ml/kun/data"
	"github.com/kun-ml/kun/internal/cli/term"
	"github.com/kun-ml/kun/loss"
	"github.com/kun-ml/kun/metric"
	"github.com/kun-ml/kun/optim"
	"github.com/kun-ml/kun/prep"
	"github.com/kun-ml/kun/store"
)

const demoSource source = "digits"

func (a *app) demoCommand() *cobra.Command {
	var out string
	c := &cobra.Command{
		Use:   "demo",
		Short: "the whole journey on embedded digits: load, prepare, build, train, evaluate, use",
		Long:  "Needs no file and no network, and takes some seconds. It leaves a model in the folder of --out and a few pictures to predict on beside it.",
		Args:  args(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.demo(cmd, filepath.Clean(out))
		},
	}
	c.Flags().StringVar(&out, "out", filepath.Join("runs", "demo"), "folder for the model")
	return c
}

// stage begins a stage of the demo.
func (a *app) stage(name, format string, args ...any) {
	a.printf("%s"+format+"\n", append([]any{a.out.Style(term.Bold, fmt.Sprintf("%-10s", name))}, args...)...)
}

func (a *app) demo(cmd *cobra.Command, out string) error {
	ctx, begin := cmd.Context(), time.Now()
	if err := checkTarget(out); err != nil {
		return err
	}
	d := dataRecipe{Source: demoSource}
	p, err := d.load(ctx, a, want{})
	if err != nil {
		return err
	}
	a.stage("load", "%s: %s training and %s test images, drawn by a generator", p.name, term.Thousands(int64(p.train.Len())), term.Thousands(int64(p.test.Len())))
	a.stage("prepare", "pixels from 0..255 to 0..1, as part of the model")
	m := &kun.Model{
		Prepare:   prep.Pipeline{&prep.Rescale{Scale: 1. / 255}},
		Net:       quickStart(),
		Loss:      loss.SparseCategoricalCrossEntropy{},
		Optimizer: optim.Adam{},
		Metrics:   []metric.Metric{metric.Accuracy{}},
		Threads:   a.threads,
	}
	t := &training{verb: "demo", model: m, parts: p, out: out, begin: begin, note: note{Data: d}, again: commandLine(cmd, nil)}
	t.options = kun.FitOptions{Epochs: 5, Validate: p.test, Seed: a.seed.value}
	if err := m.Build(t.options.Seed, p.train.Fields()[0]); err != nil {
		return err
	}
	a.stage("build", "one hidden layer")
	if err := a.summary(m); err != nil {
		return err
	}
	a.stage("train", "%d epochs in batches of 32", t.options.Epochs)
	res, err := a.fit(ctx, t)
	if err != nil {
		return err
	}
	a.stage("evaluate", "rows are what the test images show, columns what the model says")
	v, err := a.verdicts(ctx, m, p.test, 3)
	if err != nil {
		return err
	}
	res.detail(v, m)
	if err := v.show(a); err != nil {
		return err
	}
	pictures := out + "-pictures"
	a.stage("\nuse", "the first test images, what the model says, and how sure it is\n")
	if err := a.usePictures(ctx, m, p.test.(*data.Set), pictures); err != nil {
		return err
	}
	a.printf("\n%.1f s in all. Next:\n", time.Since(begin).Seconds())
	a.printf("  kun predict %s %s\n  kun eval %s\n  kun inspect %s --weights\n", quoted(out), quoted(pictures), quoted(out), quoted(out))
	return a.emit(res)
}

// usePictures draws the first test images with their predictions and writes them as files to predict on.
func (a *app) usePictures(ctx context.Context, m *kun.Model, test *data.Set, dir string) error {
	const n = 6
	x := test.Array(data.X).Rows(0, n)
	out, err := m.Predict(ctx, x)
	if err != nil {
		return err
	}
	h, w := x.Dim(1), x.Dim(2)
	var ps []term.Picture
	for i := range n {
		row := out.Rows(i, i+1).Float64s()
		said, is := best(row), test.Array(data.Y).Bytes()[i]
		pix := x.Bytes()[i*h*w : (i+1)*h*w]
		ps = append(ps, term.Picture{Pix: pix, H: h, W: w, Caption: fmt.Sprintf("%s (%.0f%%), is %d", m.Classes[said], 100*row[said], is)})
		name := filepath.Join(dir, fmt.Sprintf("%d-is-%d.png", i, is))
		if err := writePicture(name, pix, h, w); err != nil {
			return coded(Resources, err)
		}
	}
	if a.json {
		return nil
	}
	return term.Pictures(a.out, ps)
}

// writePicture writes grey pixels as a PNG file.
func writePicture(path string, pix []byte, h, w int) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return store.WriteFile(path, func(out io.Writer) error {
		return png.Encode(out, &image.Gray{Pix: pix, Stride: w, Rect: image.Rect(0, 0, w, h)})
	})
}
