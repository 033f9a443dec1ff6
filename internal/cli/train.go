package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/kun-ml/kun/data"
	"github.com/kun-ml/kun/dataset"
	"github.com/kun-ml/kun/store"
)

// trainFlags are those of kun train.
type trainFlags struct {
	changes
	cmd             *cobra.Command
	data, out, from string
	resume          string
	show, dry       bool
}

func (a *app) trainCommand() *cobra.Command {
	var x trainFlags
	c := &cobra.Command{
		Use:   "train CONFIG.yaml",
		Short: "train the model that a configuration describes",
		Long: "Reads the data, trains, evaluates on the test data and saves the model. Ctrl-C ends it after the running step and saves what was learnt; " +
			"--resume goes on from there, or from a checkpoint, to the same weights bit for bit. " +
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
				return a.showPlan(p)
			}
			x.cmd = cmd
			return a.train(cmd.Context(), p, x, begin)
		},
	}
	f := c.Flags()
	f.StringVar(&x.data, "data", "", "folder with the files of the data set; default: KUN_DATA, then the cache")
	f.StringVar(&x.out, "out", "", "folder for the model; default: runs/NAME for NAME.yaml")
	f.StringArrayVar(&x.sets, "set", nil, "change a setting, such as optimizer.learning_rate=3e-4")
	f.IntVar(&x.epochs, "epochs", 0, "how often to go through the data; 0: as configured")
	f.StringVar(&x.from, "from", "", "begin with the weights of this model")
	f.StringVar(&x.resume, "resume", "", "go on with the training of this model or checkpoint as if it had never stopped")
	f.BoolVar(&x.show, "print-config", false, "show every setting and where it comes from; train nothing")
	f.BoolVar(&x.dry, "dry-run", false, "try two steps, an evaluation, and saving and loading; keep nothing")
	f.BoolVar(&a.offline, "offline", false, "download nothing")
	return c
}

// showPlan prints every setting and where it came from.
func (a *app) showPlan(p *plan) error {
	var b strings.Builder
	if err := p.dec.Print(&b, p.recipe, p.origins); err != nil {
		return err
	}
	a.printf("%s", b.String())
	origins := map[string]string{}
	for path, o := range p.origins {
		origins[path] = o.Where
	}
	return a.emit(struct {
		envelope
		Config  string            `json:"config"`  // YAML
		Origins map[string]string `json:"origins"` // of every setting that has not its default, by path
	}{envelope{jsonVersion, "train"}, b.String(), origins})
}

// train does what kun train does with a configuration.
func (a *app) train(ctx context.Context, p *plan, x trainFlags, begin time.Time) error {
	if x.out == "" {
		x.out = filepath.Join("runs", p.name)
	}
	x.out = filepath.Clean(x.out)
	if err := checkTarget(x.out); err != nil {
		return err
	}
	if err := p.checkCallbacks(x.out); err != nil {
		return err
	}
	if x.from != "" && x.resume != "" {
		return fail(Usage, "--resume goes on with a training, --from begins one", "--from and --resume: one of them")
	}
	x.from = or(x.from, x.resume)
	m, err := a.start(p, x.from, x.resume != "")
	if err != nil {
		return err
	}
	w := want{folder: p.folder, dir: x.data, classes: classes(m)}
	if x.from != "" {
		w.like = noteOf(m).like()
	}
	ps, err := p.Data.load(ctx, a, w)
	if err != nil {
		return p.absent(err, or(x.data, p.folder))
	}
	if err := a.inspectData(ctx, m, ps); err != nil {
		return err
	}
	t := &training{verb: "train", model: m, parts: ps, options: p.fitOptions(), plan: p, out: x.out, begin: begin}
	t.options.Resume = x.resume != ""
	t.again = commandLine(x.cmd, map[string]string{"from": "", "resume": x.out, "out": x.out})
	if t.options.Validate, err = p.validation(ps); err != nil {
		return err
	}
	if x.from != "" {
		if err := continues(m, ps, x.from); err != nil {
			return err
		}
	}
	of, err := p.foresee(ctx, m, ps, x.from == "")
	if err != nil {
		return coded(Data, err)
	}
	if err := checkTest(ctx, m, ps, of); err != nil {
		return err
	}
	if t.options.ClassWeight, err = p.classWeights(ctx, ps.train, of); err != nil {
		return err
	}
	p.attach(a, t, x.dry)
	if t.note, err = p.remember(w, ps); err != nil {
		return err
	}
	a.detailf("data      %s: %d training samples of %v", ps.name, ps.train.Len(), ps.train.Fields())
	if x.dry {
		return a.tryOut(ctx, t)
	}
	res, err := a.fit(ctx, t)
	if err != nil {
		return err
	}
	return a.emit(res)
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

// classWeights are the weights of classes by number, of so many classes; 0: not known. The configuration may name them.
func (p *plan) classWeights(ctx context.Context, src data.Source, of int) (map[int]float64, error) {
	t := p.Train
	if t.BalanceClasses {
		if len(t.ClassWeight) > 0 {
			return nil, p.doc.Find("train", "balance_classes").Errorf("keep one of them", "balance_classes and class_weight contradict each other")
		}
		w, err := data.ClassWeights(ctx, src)
		return w, coded(Data, err)
	}
	names, out := data.ClassesOf(src), map[int]float64{}
	if of == 0 {
		of = mostClasses
	}
	for name, w := range t.ClassWeight {
		at := p.doc.Find("train", "class_weight", name)
		k, err := strconv.Atoi(name)
		for i, n := range names {
			if n == name {
				k, err = i, nil
			}
		}
		switch {
		case err != nil || k < 0 || len(names) > 0 && k >= len(names) || k >= of:
			hint := fmt.Sprintf("classes without names are numbered from 0, here to %d", of-1)
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

// mostClasses bounds the number of a class where the model does not tell how many there are.
const mostClasses = 1 << 16

// absent says of a file that is not there where it was looked for.
func (p *plan) absent(err error, folder string) error {
	if hintOf(err) != "" || !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	full, absErr := filepath.Abs(folder)
	if absErr != nil {
		return err
	}
	return &Exit{Code: Code(err), Err: err, Hint: "the paths in data of " + p.doc.Src.Name + " begin in " + full + "; --data names another folder"}
}

// remember makes the note of the run. Paths stay as the configuration has them, with the folder in which they begin.
func (p *plan) remember(w want, ps *parts) (note, error) {
	n := note{Data: p.Data, Table: ps.table}
	folder := w.dir
	if _, registered := dataset.Describe(string(p.Data.Source)); folder == "" && !registered {
		folder = p.folder
	}
	if folder != "" {
		var err error
		if n.Folder, err = filepath.Abs(folder); err != nil {
			return n, coded(Resources, err)
		}
	}
	var b strings.Builder
	err := p.dec.Print(&b, p.recipe, p.origins)
	n.Config = b.String()
	return n, err
}
