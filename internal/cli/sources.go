package cli

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/kun-ml/kun/data"
	"github.com/kun-ml/kun/dataset"
	"github.com/kun-ml/kun/internal/config"
)

// source is the name of a data set, or a kind of file.
type source string

const (
	csvSource source = "csv" // a table
	npzSource source = "npz" // an archive of arrays
	npySource source = "npy" // a file of inputs and one of labels
	idxSource source = "idx" // the same in MNIST's format
)

func sources() []string {
	return append(dataset.Names(), string(csvSource), string(npzSource), string(npySource), string(idxSource))
}

// dataRecipe says what is trained on. Paths are relative to the configuration's folder, or to the one that --data names.
type dataRecipe struct {
	Source       source      `json:"source" config:"required"`
	Path         string      `json:"path,omitempty"`        // csv, npz: the file; npy, idx: the file of the inputs
	Labels       string      `json:"labels,omitempty"`      // npy, idx: the file of the labels
	TestPath     string      `json:"test_path,omitempty"`   // the same of the test data
	TestLabels   string      `json:"test_labels,omitempty"` //
	Input        string      `json:"input,omitempty"`       // npz: the array of the inputs; empty: x_train, or x
	Target       string      `json:"target,omitempty"`      // csv: the column to learn; npz: the array, empty: y_train, or y
	Weight       string      `json:"weight,omitempty"`      // csv: the column that says how much a row counts
	Columns      []string    `json:"columns,omitempty"`     // csv: the columns to use; empty: all
	Skip         []string    `json:"skip,omitempty"`        // csv: columns to leave out
	Categories   []string    `json:"categories,omitempty"`  // csv: columns of categories that look like numbers
	Missing      missingRule `json:"missing,omitempty" config:"default=error"`
	Classes      []string    `json:"classes,omitempty"`                      // names of the classes
	TrainSamples int         `json:"train_samples,omitempty" config:"min=0"` // use the first ones only; 0: all
	TestSamples  int         `json:"test_samples,omitempty" config:"min=0"`
	TestSplit    float64     `json:"test_split,omitempty" config:"min=0,below=1"` // share that is set aside as test data, where there are none
	SplitSeed    uint64      `json:"split_seed,omitempty"`                        // of that choice
}

// missingRule says what happens to rows of a table with missing values.
type missingRule string

const (
	refuse missingRule = "error"
	drop   missingRule = "drop"
)

// settings are the keys that go with each kind of source; common ones go with all.
var settings = map[source]string{
	csvSource: "path test_path target weight columns skip categories missing test_split split_seed",
	npzSource: "path test_path input target test_split split_seed",
	npySource: "path labels test_path test_labels test_split split_seed",
	idxSource: "path labels test_path test_labels test_split split_seed",
}

const commonSettings = "source classes train_samples test_samples"

// check demands the keys that a source needs, and refuses those that do not go with it. n may be nil.
func (d *dataRecipe) check(n *config.Node) error {
	allowed := strings.Fields(commonSettings + " " + settings[d.Source])
	v := reflect.ValueOf(*d)
	for i := range v.NumField() {
		k, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
		if slices.Contains(allowed, k) || v.Field(i).IsZero() || k == "missing" && d.Missing == refuse {
			continue
		}
		return n.Key(k).Errorf("with it go: "+strings.Join(allowed[1:], ", "), "%s does not go with the source %s", k, d.Source)
	}
	need := map[string]string{}
	switch d.Source {
	case csvSource:
		need["path"], need["target"] = d.Path, d.Target
	case npzSource:
		need["path"] = d.Path
	case npySource, idxSource:
		need["path"], need["labels"] = d.Path, d.Labels
		if d.TestPath != "" {
			need["test_labels"] = d.TestLabels
		}
	}
	for _, k := range []string{"path", "labels", "test_labels", "target"} {
		if v, ok := need[k]; ok && v == "" {
			return n.Errorf("write "+k+": ...", "missing key %q in data: the source %s needs it", k, d.Source)
		}
	}
	return nil
}

// parts are the data of a run.
type parts struct {
	name  string // of the data set, or the file
	train data.Source
	test  data.Source // nil: there are none
	table *tableNote  // how a table was read
}

// want says which data are asked for.
type want struct {
	folder  string     // where relative paths begin
	dir     string     // --data: where the files lie; empty: the usual places
	classes bool       // the target of a table is classes, also where it looks like numbers
	like    *tableNote // the table that the model was trained on: columns and categories are the same
}

// load reads the data.
func (d dataRecipe) load(ctx context.Context, a *app, w want) (*parts, error) {
	if w.dir != "" {
		w.folder = w.dir
	}
	var p *parts
	var err error
	switch d.Source {
	case csvSource:
		p, err = d.tables(w)
	case npzSource, npySource, idxSource:
		p, err = d.arrays(w)
	default:
		p, err = d.known(ctx, a, w)
	}
	if err != nil {
		return nil, coded(Data, err)
	}
	if p.test == nil && d.TestSplit > 0 {
		p.train, p.test, err = data.Split(p.train, data.SplitOptions{Fraction: d.TestSplit, Seed: d.SplitSeed})
		if err != nil {
			return nil, coded(Data, err)
		}
	}
	if d.TrainSamples > 0 && p.train != nil {
		p.train = data.Head(p.train, d.TrainSamples)
	}
	if d.TestSamples > 0 && p.test != nil {
		p.test = data.Head(p.test, d.TestSamples)
	}
	return p, nil
}

// known loads a data set of the registry.
func (d dataRecipe) known(ctx context.Context, a *app, w want) (*parts, error) {
	tr, te, err := dataset.Load(ctx, string(d.Source), dataset.Options{Dir: w.dir, Offline: a.offline, CacheDir: a.getenv("KUN_CACHE"), Progress: a.downloading()})
	if err != nil {
		return nil, a.missing(err)
	}
	for _, s := range []*data.Set{tr, te} {
		if d.Classes != nil {
			s.Classes = d.Classes
		}
	}
	return &parts{name: string(d.Source), train: tr, test: te}, nil
}

// missing makes the message about files that could not be had short: every mirror was tried several times. With -v it stays
// long.
func (a *app) missing(err error) error {
	var m *dataset.MissingError
	if !errors.As(err, &m) {
		return err
	}
	text, hint, _ := strings.Cut(err.Error(), "; put the files")
	if m.Err != nil && !a.verbose {
		tries := strings.Split(m.Err.Error(), "\n")
		short := tries[0]
		if n := len(tries) - 1; n > 0 {
			short += fmt.Sprintf(" (and %d more tries; -v shows all)", n)
		}
		text = strings.Replace(text, m.Err.Error(), short, 1)
	}
	return &Exit{Code: Code(err), Err: errors.New(text), Hint: "put the files" + hint}
}

// downloading shows how a download goes, a line every quarter.
func (a *app) downloading() func(file string, done, total int64) {
	last := map[string]int64{}
	return func(file string, done, total int64) {
		quarter := int64(0)
		if total > 0 {
			quarter = done * 4 / total
		}
		if before, begun := last[file]; !begun || quarter != before {
			last[file] = quarter
			a.logf("download  %s: %s", file, downloaded(done, total))
		}
	}
}
