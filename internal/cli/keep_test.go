package cli

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kun-ml/kun/array"
	"github.com/kun-ml/kun/data"
	"github.com/kun-ml/kun/internal/cli/term"
	"github.com/kun-ml/kun/train"
)

// torn is a source whose samples cannot be read any more.
type torn struct{ data.Source }

func (torn) Gather([]*array.Array, []int) error { return errors.New("the disk went away") }

// failing is a callback that fails at the end of the first epoch.
type failing struct {
	train.Base
	err error
}

func (f failing) EndEpoch(*train.Run) error { return f.err }

// aTraining is a run of small that ends in dir.
func aTraining(t *testing.T, a *app, dir string) *training {
	t.Helper()
	p, err := a.readPlan(small(t), changes{})
	if err != nil {
		t.Fatal(err)
	}
	ps, err := p.Data.load(t.Context(), a, want{folder: p.folder})
	if err != nil {
		t.Fatal(err)
	}
	return &training{verb: "train", model: p.model(1), parts: ps, options: p.fitOptions(), plan: p, out: dir, begin: time.Now()}
}

func TestFit_AnEvaluationThatFailsLosesNothing(t *testing.T) {
	var out bytes.Buffer
	a, dir := newApp(Streams{Out: &out, Err: &bytes.Buffer{}}), filepath.Join(t.TempDir(), "m")
	tr := aTraining(t, a, dir)
	tr.parts.test = torn{tr.parts.test}
	_, err := a.fit(t.Context(), tr)
	if Code(err) != Data || !strings.Contains(err.Error(), "test data: the disk went away") || !strings.Contains(hintOf(err), dir) {
		t.Errorf("%v, hint %q", err, hintOf(err))
	}
	must(t, "inspect", dir)
	if !strings.HasPrefix(out.String(), "saved     "+dir) {
		t.Errorf("%q", out.String())
	}
}

func TestFit_ACallbackThatFailsLosesNothing(t *testing.T) {
	a, dir := newApp(Streams{Out: &bytes.Buffer{}, Err: &bytes.Buffer{}}), filepath.Join(t.TempDir(), "m")
	tr := aTraining(t, a, dir)
	tr.options.Callbacks = []train.Callback{&placed{Callback: failing{err: errors.New("no folder any more")}, plan: tr.plan, app: a}}
	_, err := a.fit(t.Context(), tr)
	if Code(err) != Resources || !strings.Contains(err.Error(), "no folder any more") {
		t.Errorf("%v", err)
	}
	must(t, "inspect", dir)
}

func TestTrain_LooksAtTheTestDataFirst(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "x"), idxBytes([]uint32{4, 3}, make([]byte, 12)))
	write(t, filepath.Join(dir, "y"), idxBytes([]uint32{4}, []byte{0, 1, 0, 1}))
	write(t, filepath.Join(dir, "wide"), idxBytes([]uint32{4, 5}, make([]byte, 20)))
	write(t, filepath.Join(dir, "wrong"), idxBytes([]uint32{4}, []byte{0, 1, 7, 1}))
	for _, x := range []struct {
		test  string
		words []string
	}{
		{"test_path: wide, test_labels: y", []string{"test data", "uint8(5,)", "uint8(3,)"}},
		{"test_path: x, test_labels: wrong", []string{"test data", "row 2 is 7", "2 classes"}},
		{"test_path: x, test_labels: x", []string{"test data", "uint8(3,)"}},
	} {
		path := write(t, filepath.Join(dir, "c.yaml"), []byte("data: {source: idx, path: x, labels: y, "+x.test+"}"+strings.Replace(blobsModel, "train: {", "train: {validate: false, ", 1)))
		for _, more := range [][]string{nil, {"--dry-run"}} {
			log := refused(t, Data, x.words, append([]string{"train", path, "--out", filepath.Join(dir, "m")}, more...)...)
			if strings.Contains(log, "Epoch") {
				t.Errorf("it trained first: %s", log)
			}
		}
	}
}

func TestTrain_ASlashBehindTheFolderChangesNothing(t *testing.T) {
	dir := t.TempDir()
	path := small(t, "metrics: [accuracy] => metrics: [accuracy]\ncallbacks: [csv_log, checkpoint]")
	must(t, "train", path, "--out", filepath.Join(dir, "m")+string(filepath.Separator))
	must(t, "demo", "--out", filepath.Join(dir, "d")+string(filepath.Separator), "-q")
	entries, err := os.ReadDir(dir)
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if got := strings.Join(names, " "); err != nil || got != "d d-pictures m m.checkpoint m.csv" {
		t.Errorf("%q, %v", got, err)
	}
	must(t, "inspect", filepath.Join(dir, "m"))
	must(t, "inspect", filepath.Join(dir, "d"))
}

func TestTrain_ChecksTheFilesOfCallbacksFirst(t *testing.T) {
	dir := t.TempDir()
	model := filepath.Join(dir, "m")
	folder := filepath.Join(dir, "folder")
	if err := os.Mkdir(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(folder, "precious.txt"), []byte("x"))
	file := write(t, filepath.Join(dir, "file"), []byte("x"))
	for _, x := range []struct {
		callback string
		code     int
		words    string
	}{
		{"csv_log: {path: " + model + "/log.csv}", Config, "lies in the folder of the model"},
		{"checkpoint: {dir: " + model + "/a/b}", Config, "lies in the folder of the model"},
		{"checkpoint: {dir: " + model + "}", Config, "is where the finished model is saved"},
		{"csv_log: {path: " + folder + "}", Resources, "it is a folder"},
		{"csv_log: {path: " + file + "/log.csv}", Resources, "no file can be made there"},
		{"checkpoint: {dir: " + folder + "}", Resources, "precious.txt"},
		{"checkpoint: {dir: '" + file + "/{epoch}'}", Resources, "no file can be made there"},
	} {
		log := refused(t, x.code, []string{x.words, "small.yaml:10:"}, "train", small(t, "metrics: [accuracy] => metrics: [accuracy]\ncallbacks: [{"+x.callback+"}]"), "--out", model)
		if strings.Contains(log, "Epoch") {
			t.Errorf("it trained first: %s", log)
		}
	}
}

func TestTrain_AWarningStaysOnATerminal(t *testing.T) {
	var log bytes.Buffer
	a, dir := newApp(Streams{Out: &bytes.Buffer{}, Err: &bytes.Buffer{}}), filepath.Join(t.TempDir(), "m")
	a.err = &term.Screen{Writer: &log, Terminal: true, Unicode: true}
	tr := aTraining(t, a, dir)
	warns := &placed{Callback: warner{a}, plan: tr.plan, app: a}
	tr.options.Callbacks = []train.Callback{warns}
	if _, err := a.fit(t.Context(), tr); err != nil {
		t.Fatal(err)
	}
	if s := log.String(); !strings.Contains(s, "\x1b[1A\x1b[Kwarning: look\n") || strings.Contains(s, "warning: look\n\r") {
		t.Errorf("%q", s)
	}
}

// warner warns after every step.
type warner struct{ a *app }

func (warner) BeginRun(*train.Run) error { return nil }
func (w warner) EndStep(*train.Run) error {
	w.a.logf("%s look", w.a.warning())
	return nil
}
func (warner) EndEpoch(*train.Run) error { return nil }
func (warner) EndRun(*train.Run) error   { return nil }
