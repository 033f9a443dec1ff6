package cli

import (
	"context"
	"fmt"
	"io/fs"
	"reflect"
	"strings"

	"github.com/kun-ml/kun"
	"github.com/kun-ml/kun/array"
	"github.com/kun-ml/kun/data"
	"github.com/kun-ml/kun/dataset"
	"github.com/kun-ml/kun/internal/config"
	"github.com/kun-ml/kun/loss"
	"github.com/kun-ml/kun/metric"
	"github.com/kun-ml/kun/nn"
	"github.com/kun-ml/kun/optim"
	"github.com/kun-ml/kun/prep"
	"github.com/kun-ml/kun/tensor"
)

// recipe is a training configuration.
type recipe struct {
	Data      dataRecipe
	Prepare   []prep.Transform
	Model     []nn.Layer `config:"required"`
	Loss      loss.Loss  `config:"required"`
	Optimizer optim.Optimizer
	Metrics   []metric.Metric
	Train     trainRecipe
}

// dataRecipe says what is trained on: a data set by name, or files of images (or rows) and labels in IDX.
type dataRecipe struct {
	Source     string `config:"required"`
	Train      int    `config:"min=0"` // use that many training samples only; 0: all
	Images     string // with source "idx": the file of the inputs
	Labels     string
	TestImages string
	TestLabels string
}

type trainRecipe struct {
	Epochs    int    `config:"min=1,default=1"`
	BatchSize int    `config:"min=1,default=32"`
	Seed      uint64 `config:"default=0"`
	NoShuffle bool
	Freeze    string
}

// newDecoder knows every registered layer, loss, optimizer, metric, transform, initialiser and regulariser.
func newDecoder() *config.Decoder {
	d := config.NewDecoder()
	config.Variants(d, "layer", registryOf(nn.Layers.Names(), nn.Layers.Make))
	config.Variants(d, "initialiser", registryOf(nn.Initializers.Names(), nn.Initializers.Make))
	config.Variants(d, "regulariser", registryOf(nn.Regularizers.Names(), nn.Regularizers.Make))
	config.Variants(d, "loss", registryOf(loss.Names(), loss.Named))
	config.Variants(d, "optimizer", registryOf(optim.Optimizers.Names(), optim.Optimizers.Make))
	config.Variants(d, "schedule", registryOf(optim.Schedules.Names(), optim.Schedules.Make))
	config.Variants(d, "metric", registryOf(metric.Metrics.Names(), metric.Metrics.Make))
	config.Variants(d, "transform", registryOf(prep.Transforms.Names(), prep.Transforms.Make))
	names := nn.Activations()
	acts := make([]nn.Activation, len(names))
	for i, n := range names {
		acts[i] = nn.Activation(n)
	}
	config.Enum(d, "activation", acts...)
	holder := reflect.TypeFor[tensor.Holder]()
	d.Skip = func(t reflect.Type) bool { return reflect.PointerTo(t).Implements(holder) }
	d.Zero = func(_ string, f reflect.StructField) (float64, bool) {
		_, has := f.Tag.Lookup("default")
		return nn.Zero, has
	}
	return d
}

func registryOf[T any](names []string, get func(name string) (T, error)) config.Registry[T] {
	r := config.Registry[T]{}
	for _, n := range names {
		r[n] = func() T {
			v, err := get(n)
			if err != nil {
				panic(err) // a name that the registry has just given
			}
			return v
		}
	}
	return r
}

// readRecipe reads a configuration: file, then environment, then --set.
func (a *app) readRecipe(path string, sets []string) (*recipe, *config.Decoder, config.Origins, error) {
	doc, err := config.ReadFile(path)
	if err != nil {
		if strings.Contains(err.Error(), "no such file") {
			return nil, nil, nil, fail(Config, "examples/mnist.yaml is one to start from", "%s: no such file: %w", path, fs.ErrNotExist)
		}
		return nil, nil, nil, coded(Config, err)
	}
	for _, s := range sets {
		if err := doc.Set(s); err != nil {
			return nil, nil, nil, coded(Usage, err)
		}
	}
	r, d := new(recipe), newDecoder()
	origins, err := d.Decode(doc, r)
	if err != nil {
		return nil, nil, nil, coded(Config, err)
	}
	if a.seed.set {
		r.Train.Seed = a.seed.value
	}
	return r, d, origins, nil
}

// model makes the model of a configuration.
func (r *recipe) model(threads int) *kun.Model {
	return &kun.Model{Prepare: r.Prepare, Net: nn.Sequential(r.Model), Loss: r.Loss, Optimizer: r.Optimizer, Metrics: r.Metrics, Threads: threads}
}

// load gives the training and the test data; test is nil when there is none.
func (d dataRecipe) load(ctx context.Context, a *app, dir string) (train, test data.Source, err error) {
	if d.Source == "idx" {
		train, test, err = d.files()
	} else {
		var tr, te *data.Set
		if _, ok := dataset.Describe(d.Source); !ok {
			return nil, nil, fail(Config, config.DidYouMean(d.Source, append(dataset.Names(), "idx")), "unknown data source %q", d.Source)
		}
		tr, te, err = dataset.Load(ctx, d.Source, dataset.Options{Dir: dir, Progress: a.downloading()})
		train, test = tr, te
	}
	if err != nil {
		return nil, nil, coded(Data, err)
	}
	if d.Train > 0 {
		train = data.Head(train, d.Train)
	}
	return train, test, nil
}

func (d dataRecipe) files() (train, test data.Source, err error) {
	if d.Images == "" || d.Labels == "" {
		return nil, nil, fail(Config, "data: {source: idx, images: FILE, labels: FILE}", "data of source idx need images and labels")
	}
	read := func(images, labels string) (data.Source, error) {
		x, err := data.ReadIDXFile(images)
		if err != nil {
			return nil, err
		}
		y, err := data.ReadIDXFile(labels)
		if err != nil {
			return nil, err
		}
		if x.Rank() == 0 || x.Dim(0) == 0 {
			return nil, fmt.Errorf("%s holds no samples", images)
		}
		return fromArrays(images, x, y)
	}
	if train, err = read(d.Images, d.Labels); err != nil || d.TestImages == "" {
		return train, nil, err
	}
	test, err = read(d.TestImages, d.TestLabels)
	return train, test, err
}

func fromArrays(path string, x, y *array.Array) (data.Source, error) {
	s, err := data.FromArrays(x, y)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	s.Name = path
	return s, nil
}

// downloading shows how a download goes, a line every quarter.
func (a *app) downloading() func(file string, done, total int64) {
	last := int64(-1)
	return func(file string, done, total int64) {
		if total > 0 && done*4/total != last {
			last = done * 4 / total
			a.logf("%s: %d of %d bytes", file, done, total)
		}
	}
}
