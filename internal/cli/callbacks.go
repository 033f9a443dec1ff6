package cli

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/kun-ml/kun/internal/config"
	"github.com/kun-ml/kun/store"
	"github.com/kun-ml/kun/train"
)

// checkCallbacks names the files of the callbacks that have none, beside the model, and says before anything takes time which
// of them could not be written, or would be lost when the model is saved.
func (p *plan) checkCallbacks(out string) error {
	for i, c := range p.Callbacks {
		at := p.doc.Find("callbacks", strconv.Itoa(i))
		var err error
		switch c := c.(type) {
		case *train.Checkpoint:
			if c.Dir == "" {
				c.Dir = out + ".checkpoint"
			}
			err = checkBeside(at, out, c.Dir, func(dir string) error {
				if strings.Contains(c.Dir, "{") {
					return nil // its name is not known yet
				}
				return store.CheckTarget(dir)
			})
		case *train.CSVLog:
			if c.Path == "" {
				c.Path = out + ".csv"
			}
			err = checkBeside(at, out, c.Path, func(path string) error {
				if st, err := os.Stat(path); err == nil && st.IsDir() {
					return errors.New("it is a folder")
				}
				return nil
			})
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// checkBeside checks a path that a callback writes to. What lies in the model's folder would be lost when the model is saved.
func checkBeside(at *config.Node, out, path string, check func(path string) error) error {
	full, err := filepath.Abs(path)
	if err != nil {
		return coded(Resources, err)
	}
	model, err := filepath.Abs(out)
	if err != nil {
		return coded(Resources, err)
	}
	switch {
	case full == model:
		return at.Errorf("choose another path", "%s is where the finished model is saved", path)
	case within(model, full):
		return at.Errorf("choose a path beside it", "%s lies in the folder of the model, which is replaced as a whole", path)
	case within(full, model):
		return at.Errorf("choose a path beside it", "the folder of the model, %s, lies in %s", out, path)
	}
	fixed, _, _ := strings.Cut(full, "{") // of "runs/{epoch}"
	if _, ok := probe(filepath.Dir(fixed)); !ok {
		return &Exit{Code: Resources, Err: at.Errorf("choose a folder that you may write to", "%s: no file can be made there", path)}
	}
	if err := check(full); err != nil {
		return &Exit{Code: Resources, Err: at.Errorf("choose another path", "%s cannot be written: %v", path, err)}
	}
	return nil
}

// within reports whether an absolute path lies below a folder.
func within(dir, path string) bool {
	rel, err := filepath.Rel(dir, path)
	return err == nil && rel != "." && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator))
}

// attach gives the run its callbacks.
func (p *plan) attach(a *app, t *training, dry bool) {
	for i, c := range p.Callbacks {
		if l, ok := c.(*train.CSVLog); ok && !dry {
			_ = os.MkdirAll(filepath.Dir(l.Path), 0o755) // what is wrong with it shows when the file is made
		}
		t.options.Callbacks = append(t.options.Callbacks, &placed{Callback: c, plan: p, at: i, dry: dry, app: a})
	}
}

// placed is a callback of a configuration: what it says about its settings points at its line.
type placed struct {
	train.Callback
	plan *plan
	at   int
	dry  bool // settings are checked, nothing is done
	app  *app
}

// Unwrap is the callback itself, which may remember something from epoch to epoch.
func (c *placed) Unwrap() train.Callback { return c.Callback }

// BeginRun checks the settings; in a dry run not those whose check would leave a file behind.
func (c *placed) BeginRun(r *train.Run) error {
	if _, file := c.Callback.(*train.CSVLog); file && c.dry {
		return nil
	}
	err := c.Callback.BeginRun(r)
	if err == nil {
		return nil
	}
	return c.plan.doc.Find("callbacks", strconv.Itoa(c.at)).Errorf("", "%s", strings.TrimPrefix(err.Error(), "train: "))
}

// EndStep passes on, unless this is a dry run.
func (c *placed) EndStep(r *train.Run) error {
	if c.dry {
		return nil
	}
	return c.survive(c.Callback.EndStep(r))
}

// EndEpoch passes on, unless this is a dry run.
func (c *placed) EndEpoch(r *train.Run) error {
	if c.dry {
		return nil
	}
	return c.survive(c.Callback.EndEpoch(r))
}

// survive lets a run go on when the disk is full: the weights in memory are worth more than what could not be written.
func (c *placed) survive(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		c.app.logf("%s %v; training goes on, what was saved before is still valid", c.app.warning(), err)
		return nil
	}
	return &callbackError{err}
}

// callbackError is the error of a callback that ended a run whose weights are sound.
type callbackError struct{ error }

// Unwrap is the callback's error.
func (e *callbackError) Unwrap() error { return e.error }
