package train

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/kun-ml/kun/array"
	"github.com/kun-ml/kun/nn"
	"github.com/kun-ml/kun/store"
)

// Checkpoint saves the model at the end of every epoch, or of every epoch that is better than all before. A save that
// fails ends training with an error and leaves the earlier checkpoint whole.
type Checkpoint struct {
	Base `json:"-"`
	// Dir is the directory to save to. "{epoch}" stands for the number of the epoch, from 1 and with zeros before it so that
	// names sort; the name of a figure in braces, "{val_loss}", for its value. Without them each save replaces the last one.
	Dir string
	// Best saves only what is better than all before, in this run and in earlier ones of the same callback.
	Best bool
	// Monitor is the figure's name, for Best; empty: "val_loss", or "loss" where there is no validation.
	Monitor string
	// Mode says whether the figure shall fall or rise; empty: as it is known of a loss or a metric.
	Mode Mode
	// Threshold is what the figure must beat to be saved, for Best; 0: nothing, nn.Zero: 0.
	Threshold float64 `default:"none"`
	// EverySteps saves after this many steps instead of at the end of an epoch; 0: at the end. It does not go with Best.
	EverySteps int

	monitor monitor
	since   int
	last    string
}

// BeginRun checks the settings.
func (c *Checkpoint) BeginRun(r *Run) error {
	switch {
	case c.Dir == "":
		return fmt.Errorf("train: checkpoint: Dir is not set")
	case c.EverySteps < 0:
		return fmt.Errorf("train: checkpoint: EverySteps is %d, it must not be negative", c.EverySteps)
	case c.EverySteps > 0 && c.Best:
		return fmt.Errorf("train: checkpoint: Best compares epochs and does not go with EverySteps")
	}
	if err := c.checkDir(r); err != nil {
		return err
	}
	c.since = 0
	if !c.Best {
		return nil
	}
	if !c.monitor.has && c.Threshold != 0 {
		c.monitor.best, c.monitor.has = nn.Value(c.Threshold, 0), true
	}
	return c.monitor.begin(r, "checkpoint", c.Monitor, c.Mode, 0)
}

// EndStep saves when EverySteps have been done.
func (c *Checkpoint) EndStep(r *Run) error {
	if c.EverySteps == 0 {
		return nil
	}
	if c.since++; c.since < c.EverySteps {
		return nil
	}
	c.since = 0
	return c.save(r, r.Running())
}

// EndEpoch saves, or does not.
func (c *Checkpoint) EndEpoch(r *Run) error {
	if c.EverySteps > 0 {
		return nil
	}
	if c.Best {
		v, err := c.monitor.now(r)
		if err != nil || !c.monitor.improve(v) {
			return err
		}
	}
	return c.save(r, r.Figures)
}

// checkDir finds out before the first epoch whether the directory can be written: the names in braces, and what is there.
func (c *Checkpoint) checkDir(r *Run) error {
	names := r.names()
	if c.EverySteps > 0 {
		names = names[:len(r.Running())]
	}
	var figures []Figure
	for _, n := range names {
		figures = append(figures, Figure{Name: n})
	}
	dir, err := c.path(r, figures)
	switch {
	case err != nil:
		return err
	case r.save == nil:
		return fmt.Errorf("train: checkpoint: this run does not know how to save its model")
	}
	if !strings.Contains(c.Dir, "{") {
		if err := store.CheckTarget(dir); err != nil {
			return fmt.Errorf("train: checkpoint: %w", err)
		}
	}
	return nil
}

func (c *Checkpoint) save(r *Run, figures []Figure) error {
	dir, err := c.path(r, figures)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return fmt.Errorf("train: checkpoint: %w", err)
	}
	before := c.last
	c.last = dir // what is saved knows where it lies
	if err := r.Save(dir); err != nil {
		c.last = before
		return fmt.Errorf("train: checkpoint after epoch %d: %w", r.Epoch+1, err)
	}
	return nil
}

// path fills in the names in braces.
func (c *Checkpoint) path(r *Run, figures []Figure) (string, error) {
	var b strings.Builder
	for rest := c.Dir; ; {
		before, after, ok := strings.Cut(rest, "{")
		b.WriteString(before)
		if !ok {
			return b.String(), nil
		}
		name, tail, ok := strings.Cut(after, "}")
		if !ok {
			return "", fmt.Errorf("train: checkpoint: Dir %q has a { without a }", c.Dir)
		}
		rest = tail
		if name == "epoch" {
			fmt.Fprintf(&b, "%0*d", len(strconv.Itoa(r.Epochs)), r.Epoch+1)
			continue
		}
		i := slices.IndexFunc(figures, func(f Figure) bool { return f.Name == name })
		if i < 0 {
			return "", fmt.Errorf("train: checkpoint: Dir %q: there is no figure %q", c.Dir, name)
		}
		fmt.Fprintf(&b, "%.4f", figures[i].Value)
	}
}

// Last is the directory that was saved last; empty before the first save.
func (c *Checkpoint) Last() string { return c.last }

// checkpointState is what Checkpoint remembers.
type checkpointState struct {
	Best  exact  `json:"best"`
	Has   bool   `json:"has"`
	Since int    `json:"since"`
	Last  string `json:"last"`
}

// State is the best figure, the steps since the last save and where that went.
func (c *Checkpoint) State() (any, map[string]*array.Array) {
	return checkpointState{exact(c.monitor.best), c.monitor.has, c.since, c.last}, nil
}

// SetState goes on with what State gave.
func (c *Checkpoint) SetState(value json.RawMessage, _ map[string]*array.Array) error {
	var s checkpointState
	if err := json.Unmarshal(value, &s); err != nil {
		return err
	}
	c.monitor.best, c.monitor.has, c.since, c.last = float64(s.Best), s.Has, s.Since, s.Last
	return nil
}
