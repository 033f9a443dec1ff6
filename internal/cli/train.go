package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/kun-ml/kun"
	"github.com/kun-ml/kun/data"
	"github.com/kun-ml/kun/store"
	"github.com/kun-ml/kun/train"
)

// trainFlags are those of kun train.
type trainFlags struct {
	changes
	data, out, from string
	show, dry       bool
}

func (a *app) trainCommand() *cobra.Command {
	var x trainFlags
	c := &cobra.Command{
		Use:   "train CONFIG.yaml",
		Short: "train the model that a configuration describes",
		Long: "Reads the data, trains, evaluates on the test data and saves the model. Ctrl-C ends it after the running step and saves what was learnt. " +
			"Every setting can also come from the environment: KUN_TRAIN__EPOCHS=3 is --set train.epochs=3.",
		Example: "kun train examples/mnist.yaml --data mnist-files --out mnist\nkun train examples/mnist.yaml --set model.1.units=256 --epochs 10\nkun train examples/mnist.yaml --print-config",
		Args:    args("CONFIG.yaml"),
		RunE: func(cmd *cobra.Command, arg []string) error {
			begin := time.Now()
			p, err := a.readPlan(arg[0], x.changes)
			if err != nil {
				return err
			}
			if x.show {
				return p.dec.Print(a.out, p.recipe, p.origins)
			}
			return a.train(cmd.Context(), p, x, begin)
		},
	}
	f := c.Flags()
	f.StringVar(&x.data, "data", "", "folder with the files of the data set; default: KUN_DATA, then the cache")
	f.StringVar(&x.out, "out", "", "folder for the model; default: runs/NAME for NAME.yaml")
	f.StringArrayVar(&x.sets, "set", nil, "change a setting, such as optimizer.learning_rate=3e-4")
	f.IntVar(&x.epochs, "epochs", 0, "how often to go through the data; 0: as configured")
	f.StringVar(&x.from, "from", "", "begin with the weights of this model")
	f.BoolVar(&x.show, "print-config", false, "show every setting and where it comes from; train nothing")
	f.BoolVar(&x.dry, "dry-run", false, "try two steps, an evaluation, and saving and loading; keep nothing")
	f.BoolVar(&a.offline, "offline", false, "download nothing")
	return c
}

// train does what kun train does with a configuration.
func (a *app) train(ctx context.Context, p *plan, x trainFlags, begin time.Time) error {
	if x.out == "" {
		x.out = filepath.Join("runs", p.name)
	}
	if err := checkTarget(x.out); err != nil {
		return err
	}
	m, err := p.start(a.threads, x.from)
	if err != nil {
		return err
	}
	w := want{folder: p.folder, dir: x.data, classes: classes(m)}
	ps, err := p.Data.load(ctx, a, w)
	if err != nil {
		return err
	}
	if err := a.inspectData(ctx, ps); err != nil {
		return err
	}
	t := &training{verb: "train", model: m, parts: ps, options: p.fitOptions(), plan: p, out: x.out, begin: begin}
	t.again = fmt.Sprintf("kun train %s --from %s --out %s", p.doc.Src.Name, x.out, x.out)
	if t.options.Validate, err = p.validation(ps); err != nil {
		return err
	}
	if t.options.ClassWeight, err = p.classWeights(ctx, ps.train); err != nil {
		return err
	}
	if x.from == "" { // else the model is there already
		if err := p.checkRoom(ctx, ps); err != nil {
			return coded(Data, err)
		}
	}
	p.attach(a, t, x.dry)
	if t.note, err = p.remember(w, ps); err != nil {
		return err
	}
	a.detailf("data      %s: %d training samples of %v", ps.name, ps.train.Len(), ps.train.Fields())
	if x.dry {
		return a.tryOut(ctx, t)
	}
	return a.fit(ctx, t)
}

// checkTarget says, before anything takes time, whether a model could be saved to dir.
func checkTarget(dir string) error {
	if err := store.CheckTarget(dir); err != nil {
		return &Exit{Code: Resources, Err: err, Hint: "choose another folder with --out DIR"}
	}
	if _, ok := probe(filepath.Dir(filepath.Clean(dir))); !ok {
		return fail(Resources, "choose a folder that you may write to, with --out DIR", "%s: no file can be made there", dir)
	}
	return nil
}

// start makes the model, new or with the weights of another.
func (p *plan) start(threads int, from string) (*kun.Model, error) {
	m := p.model(threads)
	if from == "" {
		return m, nil
	}
	old, err := kun.LoadInto(from, m.Net)
	if err != nil {
		return nil, coded(Config, err)
	}
	old.Loss, old.Optimizer, old.Metrics, old.Threads, old.Notes = m.Loss, m.Optimizer, m.Metrics, threads, nil
	return old, nil
}

// validation is what the model is measured on after every epoch: a share of the training data when one is asked for, else
// the test data.
func (p *plan) validation(ps *parts) (data.Source, error) {
	t := p.Train
	if t.ValidationSplit == 0 || !t.Validate {
		if t.Validate {
			return ps.test, nil
		}
		return nil, nil
	}
	rest, aside, err := data.Split(ps.train, data.SplitOptions{Fraction: t.ValidationSplit, Seed: t.Seed, Keras: t.KerasSplit})
	if err != nil {
		return nil, coded(Data, err)
	}
	ps.train = rest
	return aside, nil
}

// classWeights are the weights of classes by number. The configuration may name them.
func (p *plan) classWeights(ctx context.Context, src data.Source) (map[int]float64, error) {
	t := p.Train
	if t.BalanceClasses {
		if len(t.ClassWeight) > 0 {
			return nil, p.doc.Find("train", "balance_classes").Errorf("keep one of them", "balance_classes and class_weight contradict each other")
		}
		w, err := data.ClassWeights(ctx, src)
		return w, coded(Data, err)
	}
	names, out := data.ClassesOf(src), map[int]float64{}
	for name, w := range t.ClassWeight {
		at := p.doc.Find("train", "class_weight", name)
		k, err := strconv.Atoi(name)
		for i, n := range names {
			if n == name {
				k, err = i, nil
			}
		}
		switch {
		case err != nil || k < 0 || len(names) > 0 && k >= len(names):
			hint := "classes without names are numbered from 0"
			if len(names) > 0 {
				hint = "the classes are " + strings.Join(names, ", ")
			}
			return nil, at.Errorf(hint, "unknown class %q in class_weight", name)
		case !(w >= 0):
			return nil, at.Errorf("", "the weight of class %q is %v; weights are 0 or more", name, w)
		}
		out[k] = w
	}
	return out, nil
}

// attach gives the run its callbacks. Files that they write and that have no name lie beside the model.
func (p *plan) attach(a *app, t *training, dry bool) {
	full := func(err error) bool {
		if !errors.Is(err, syscall.ENOSPC) && !errors.Is(err, syscall.EDQUOT) {
			return false
		}
		a.logf("%s %v; training goes on, what was saved before is still valid", a.warning(), err)
		return true
	}
	for i, c := range p.Callbacks {
		switch c := c.(type) {
		case *train.Checkpoint:
			if c.Dir == "" {
				c.Dir = t.out + ".checkpoint"
			}
		case *train.CSVLog:
			if c.Path == "" {
				c.Path = t.out + ".csv"
			}
			if !dry {
				_ = os.MkdirAll(filepath.Dir(c.Path), 0o755) // what is wrong with it shows when the file is made
			}
		}
		t.options.Callbacks = append(t.options.Callbacks, &placed{Callback: c, plan: p, at: i, dry: dry, full: full})
	}
}

// remember makes the note of the run.
func (p *plan) remember(w want, ps *parts) (note, error) {
	n := note{Data: p.Data, Table: ps.table, Folder: w.dir}
	if w.dir != "" {
		w.folder = w.dir
	}
	for _, path := range []*string{&n.Data.Path, &n.Data.Labels, &n.Data.TestPath, &n.Data.TestLabels} {
		*path = w.at(*path)
	}
	var b strings.Builder
	err := p.dec.Print(&b, p.recipe, p.origins)
	n.Config = b.String()
	return n, err
}
