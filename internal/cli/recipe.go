package cli

import (
	"path/filepath"
	"strconv"
	"strings"

	"github.com/kun-ml/kun"
	"github.com/kun-ml/kun/internal/config"
	"github.com/kun-ml/kun/loss"
	"github.com/kun-ml/kun/metric"
	"github.com/kun-ml/kun/nn"
	"github.com/kun-ml/kun/optim"
	"github.com/kun-ml/kun/prep"
	"github.com/kun-ml/kun/train"
)

// recipe is a training configuration.
type recipe struct {
	Data      dataRecipe `config:"required"`
	Prepare   []prep.Transform
	Model     []nn.Layer `config:"required"`
	Loss      loss.Loss  `config:"required"`
	Optimizer optim.Optimizer
	Metrics   []metric.Metric
	Train     trainRecipe
	Callbacks []train.Callback
}

// trainRecipe says how it is trained.
type trainRecipe struct {
	Epochs          int                `config:"min=1,default=1"`
	BatchSize       int                `config:"min=1,default=32"`
	Seed            uint64             `config:"default=0"`
	Shuffle         bool               `config:"default=true"`
	Validate        bool               `config:"default=true"`  // look at data that are not trained on after every epoch: those set aside, else the test data
	ValidationSplit float64            `config:"min=0,below=1"` // share of the training data that is set aside for it
	KerasSplit      bool               `config:"default=false"` // set aside the last rows, as Keras does, instead of a share of every class
	Freeze          string             `config:"default=\"\""`  // pattern of parameters that do not learn
	BalanceClasses  bool               `config:"default=false"` // all classes count alike, however many samples they have
	ClassWeight     map[string]float64 // how much the samples of a class count, by its name or number
	KeepGoing       bool               `config:"default=false"` // go on when the loss is not a number
}

// plan is a recipe with the places that its parts were read from.
type plan struct {
	*recipe
	name    string // of the run: the file's name without its ending
	folder  string // of the file
	doc     *config.Node
	dec     *config.Decoder
	origins config.Origins
}

// changes are what the command line changes in a recipe.
type changes struct {
	sets   []string // --set
	epochs int      // --epochs
}

// readPlan reads a configuration: file, then environment, then flags.
func (a *app) readPlan(path string, c changes) (*plan, error) {
	if c.epochs < 0 {
		return nil, fail(Usage, "0 takes what is configured", "--epochs is %d; it must be at least 0", c.epochs)
	}
	doc, err := config.ReadFile(path)
	if err != nil {
		return nil, err
	}
	// KUN_DATA and KUN_MODEL would be paths, not sections
	if err := doc.SetEnv(a.environ, "loss", "optimizer"); err != nil {
		return nil, err
	}
	if a.seed.set {
		if err := doc.SetAt(a.seed.from, "train.seed", a.seed.String()); err != nil {
			return nil, err
		}
	}
	if c.epochs > 0 {
		n := strconv.Itoa(c.epochs)
		if err := doc.SetAt("--epochs "+n, "train.epochs", n); err != nil {
			return nil, err
		}
	}
	for _, s := range c.sets {
		if err := doc.Set(s); err != nil {
			return nil, &Exit{Code: Usage, Err: err}
		}
	}
	base := filepath.Base(path)
	p := &plan{recipe: new(recipe), doc: doc, dec: newDecoder(), folder: filepath.Dir(path), name: strings.TrimSuffix(base, filepath.Ext(base))}
	if p.origins, err = p.dec.Decode(doc, p.recipe); err != nil {
		return nil, err
	}
	if err := p.Data.check(doc.Get("data")); err != nil {
		return nil, err
	}
	return p, nil
}

// model makes the model of a recipe.
func (r *recipe) model(threads int) *kun.Model {
	return &kun.Model{Prepare: r.Prepare, Net: nn.Sequential(r.Model), Loss: r.Loss, Optimizer: r.Optimizer, Metrics: r.Metrics, Threads: threads}
}

// fitOptions are those of the recipe that the data have no part in.
func (r *recipe) fitOptions() kun.FitOptions {
	t := r.Train
	return kun.FitOptions{Epochs: t.Epochs, Batch: t.BatchSize, Seed: t.Seed, NoShuffle: !t.Shuffle, Freeze: t.Freeze, KeepGoing: t.KeepGoing}
}
