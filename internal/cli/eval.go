package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/kun-ml/kun"
	"github.com/kun-ml/kun/data"
	"github.com/kun-ml/kun/dataset"
	"github.com/kun-ml/kun/internal/cli/input"
	"github.com/kun-ml/kun/internal/config"
)

// evalFlags are those of kun eval.
type evalFlags struct {
	data, target, labels string
	require              []string
	worst                int
}

func (a *app) evalCommand() *cobra.Command {
	var x evalFlags
	c := &cobra.Command{
		Use:   "eval MODEL [DATA]",
		Short: "evaluate a model on test data",
		Long: "Prints the metrics, and of a classifier the confusion matrix, a line per class and the worst samples. " +
			"DATA is the name of a data set, a file (csv, npz, npy or IDX), or a configuration whose test data are taken; by default it is the test data of the training.",
		Example: "kun eval runs/mnist\nkun eval runs/mnist --data mnist-files --require 'accuracy>=0.97'\nkun eval runs/iris new.csv --target species",
		Args:    args("MODEL", "[DATA]"),
		RunE: func(cmd *cobra.Command, arg []string) error {
			return a.eval(cmd.Context(), arg, x)
		},
	}
	f := c.Flags()
	f.StringVar(&x.data, "data", "", "folder with the files of the data set")
	f.StringVar(&x.target, "target", "", "column of a csv file, or array of an npz file, that holds the answers")
	f.StringVar(&x.labels, "labels", "", "file with the answers for a DATA of npy or IDX")
	f.StringArrayVar(&x.require, "require", nil, "end with code 8 unless it holds, such as 'accuracy>=0.97'; may be repeated")
	f.IntVar(&x.worst, "worst", 5, "how many of the worst samples to list")
	f.BoolVar(&a.offline, "offline", false, "download nothing")
	return c
}

func (a *app) eval(ctx context.Context, arg []string, x evalFlags) error {
	begin := time.Now()
	if x.worst < 0 {
		return fail(Usage, "", "--worst is %d; it must be at least 0", x.worst)
	}
	var demands []demand
	for _, text := range x.require {
		d, err := parseDemand(text)
		if err != nil {
			return err
		}
		demands = append(demands, d)
	}
	m, err := a.open(arg[0])
	if err != nil {
		return err
	}
	if m.Loss == nil {
		return fail(Usage, "train it with a loss, or use kun predict", "%s has no loss to evaluate with", arg[0])
	}
	name := ""
	if len(arg) > 1 {
		name = arg[1]
	}
	src, name, err := a.testData(ctx, m, name, x)
	if err != nil {
		return err
	}
	r, err := m.Evaluate(ctx, a.watched("evaluating", src))
	a.err.Clear()
	if err != nil {
		return coded(Data, fmt.Errorf("%s: %w", name, err))
	}
	v, err := a.verdicts(ctx, m, a.watched("comparing", src), x.worst)
	a.err.Clear()
	if err != nil {
		return err
	}
	res := a.outcome("eval", m, arg[0], begin)
	res.Dataset, res.TestSamples = name, r.Samples
	res.judge(r.Figures)
	a.printf("%s  %s\n", name, r)
	if v != nil {
		res.detail(v, m)
		if err := v.show(a); err != nil {
			return err
		}
	}
	if err := a.emit(res); err != nil {
		return err
	}
	for _, d := range demands {
		if err := d.check(res.Figures); err != nil {
			return err
		}
	}
	return nil
}

// open loads a model.
func (a *app) open(dir string) (*kun.Model, error) {
	m, err := kun.Load(dir)
	st, serr := os.Stat(dir)
	switch {
	case serr == nil && !st.IsDir():
		return nil, fail(Data, "a model is a folder, such as runs/demo; it is named before the data", "%s: a file, not a model", dir)
	case errors.Is(err, fs.ErrNotExist):
		return nil, fail(Data, a.modelsNear(dir), "%s: there is no model: %w", dir, fs.ErrNotExist)
	case err != nil:
		return nil, coded(Data, err)
	}
	m.Threads = a.threads
	w, _ := m.Params()
	a.detailf("model     %s: %d weights, trained on %s", dir, w, or(m.Info().Dataset, "data without a name"))
	return m, nil
}

// modelsNear is a hint that names models beside a path that holds none.
func (a *app) modelsNear(dir string) string {
	var found []string
	for _, pattern := range []string{filepath.Join(filepath.Dir(dir), "*"), "*", filepath.Join("runs", "*")} {
		paths, _ := filepath.Glob(filepath.Join(pattern, "model.safetensors"))
		for _, p := range paths {
			found = append(found, filepath.Dir(p))
		}
	}
	slices.Sort(found)
	found = slices.Compact(found)
	if len(found) == 0 {
		return "kun demo makes one, kun train CONFIG.yaml trains one"
	}
	return config.DidYouMean(dir, found)
}

// testData finds what a model is evaluated on.
func (a *app) testData(ctx context.Context, m *kun.Model, name string, x evalFlags) (data.Source, string, error) {
	n := noteOf(m)
	if st, err := os.Stat(x.data); err == nil && !st.IsDir() && name == "" {
		name, x.data = x.data, "" // --data with a file means that file
	}
	d, w, err := a.chooseData(m, n, name, x)
	if err != nil {
		return nil, "", err
	}
	p, err := d.load(ctx, a, w)
	if err != nil {
		if name == "" && errors.Is(err, fs.ErrNotExist) && Code(err) == Data {
			err = &Exit{Code: Data, Err: err, Hint: "the data of the training are not where they were; name others: kun eval MODEL DATA"}
		}
		return nil, "", err
	}
	src := p.test
	if src == nil && (name == "" || isConfig(name)) {
		return nil, "", fail(Usage, "name some: kun eval MODEL DATA", "%s has no test data", p.name)
	}
	if src == nil {
		src = p.train
	}
	if err := a.inspectData(ctx, m, &parts{name: p.name, test: src}); err != nil {
		return nil, "", err
	}
	return src, p.name, nil
}

func isConfig(name string) bool {
	ext := strings.ToLower(filepath.Ext(name))
	return ext == ".yaml" || ext == ".yml"
}

// chooseData says how to read what the arguments name.
func (a *app) chooseData(m *kun.Model, n *note, name string, x evalFlags) (d dataRecipe, w want, err error) {
	w = want{dir: x.data, classes: classes(m), like: n.like()}
	_, known := dataset.Describe(name)
	switch {
	case name == "" && n != nil && n.Data.Source != "":
		d, w.folder = n.Data, n.Folder
		if _, ok := dataset.Describe(string(d.Source)); ok && w.dir == "" {
			if st, err := os.Stat(n.Folder); err == nil && st.IsDir() {
				w.dir = n.Folder
			}
		}
	case name == "":
		name = m.Info().Dataset
		if _, ok := dataset.Describe(name); !ok {
			return d, w, fail(Usage, "name the data: kun eval MODEL DATA", "the model does not tell where its test data are")
		}
		d.Source = source(name)
	case known:
		d.Source = source(name)
	case isConfig(name):
		p, err := a.readPlan(name, changes{})
		if err != nil {
			return d, w, err
		}
		d, w.folder, w.like = p.Data, p.folder, nil
	default:
		w.dir = "" // the file lies where its name says
		d, err = a.fileRecipe(n, name, x)
	}
	return d, w, err
}

// fileRecipe reads one file the way the model's own data were read.
func (a *app) fileRecipe(n *note, name string, x evalFlags) (dataRecipe, error) {
	d := dataRecipe{}
	if n != nil {
		d = n.Data
		d.TestPath, d.TestLabels, d.TestSplit, d.TrainSamples, d.TestSamples = "", "", 0, 0, 0
	}
	if _, err := os.Stat(name); errors.Is(err, fs.ErrNotExist) {
		return d, fail(Data, config.DidYouMean(name, dataset.Names()), "%s: neither a file nor a data set", name)
	}
	head, err := headOf(name)
	if err != nil {
		return d, coded(Data, err)
	}
	d.Path, d.Labels = name, x.labels
	switch {
	case input.Kind(head) == "csv":
		d.Source = csvSource
		if d.Weight != "" && lacks(head, d.Weight) {
			a.logf("%s has no column %q: all rows count alike", name, d.Weight)
			d.Weight = ""
		}
		if n.like() != nil {
			d.Target = n.Table.Target.Name
		}
		d.Target = or(x.target, d.Target)
	case bytes.HasPrefix(head, []byte("PK")):
		if d.Source != npzSource {
			d = dataRecipe{Source: npzSource, Path: name}
		}
		d.Target = or(x.target, d.Target)
	default:
		d.Source = npySource
		if x.labels == "" {
			return d, fail(Usage, "kun eval MODEL "+name+" --labels FILE", "%s: the file with the answers is missing", name)
		}
	}
	if d.Source == csvSource && d.Target == "" {
		return d, fail(Usage, "kun eval MODEL "+name+" --target COLUMN", "%s: which column holds the answers?", name)
	}
	return d, nil
}

// headOf is the beginning of a file.
func headOf(path string) ([]byte, error) {
	f, err := input.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	head, err := io.ReadAll(io.LimitReader(f, headBytes))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return head, nil
}

// lacks reports whether a table that begins with head names its columns, and none so.
func lacks(head []byte, column string) bool {
	c, err := data.NewCSVReader(bytes.NewReader(head), 0, data.HeaderAuto)
	if err != nil || c.Names() == nil || slices.Contains(c.Names(), column) {
		return false
	}
	_, err = strconv.Atoi(column) // a number counts columns
	return err != nil
}

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
