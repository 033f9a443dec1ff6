package train

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/kun-ml/kun/array"
)

// image is what a checkpoint would hold: the variables and the state, as JSON and arrays.
type image struct {
	vars   map[string]*array.Array
	text   []byte
	arrays map[string]*array.Array
}

func imageOf(t *testing.T, step *Step, s *State) *image {
	t.Helper()
	b, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	i := &image{map[string]*array.Array{}, b, map[string]*array.Array{}}
	for p, v := range step.Vars() {
		i.vars[p] = v.Value.Clone()
	}
	for n, a := range s.Arrays {
		i.arrays[n] = a.Clone()
	}
	return i
}

// saveAt takes an image when told of a step or an epoch's end.
type saveAt struct {
	Base
	t           *testing.T
	epoch, step int // step 0: at the end of the epoch
}

func (c *saveAt) EndStep(r *Run) error {
	if c.step > 0 && r.Epoch == c.epoch && r.Step == c.step {
		return r.Save("")
	}
	return nil
}

func (c *saveAt) EndEpoch(r *Run) error {
	if c.step == 0 && r.Epoch == c.epoch {
		return r.Save("")
	}
	return nil
}

// TestLoop_ResumesWhereItStopped: wherever the state is taken, and whatever stands before and after in the list of
// callbacks, the rest of the run is the same.
func TestLoop_ResumesWhereItStopped(t *testing.T) {
	for _, at := range [][2]int{{0, 3}, {1, 0}, {2, 10}, {2, 0}, {3, 7}, {3, 0}} {
		for place := range 4 {
			var im *image
			run := func(resume bool, path string) (*History, *Step, *EarlyStopping, string) {
				step, batches, eval := line(t, 0.01)
				early := &EarlyStopping{Patience: 2, MinDelta: 0.02, RestoreBest: true}
				cs := []Callback{early, &ReduceLROnPlateau{Patience: 1, MinDelta: 0.1, Factor: 0.5}, &CSVLog{Path: path}}
				s := &saveAt{t: t, epoch: at[0], step: at[1]}
				cs = append(cs[:place], append([]Callback{s}, cs[place:]...)...)
				o := Options{Epochs: 9, Evaluate: eval, Validation: batches, Callbacks: cs, State: &State{First: 3},
					Save: func(_ string, st *State) error { im = imageOf(t, step, st); return nil }}
				if resume {
					for p, v := range step.Vars() {
						v.Value.CopyFrom(im.vars[p])
						v.Touch()
					}
					if err := json.Unmarshal(im.text, o.State); err != nil {
						t.Fatal(err)
					}
					o.State.Arrays = im.arrays
				}
				h, err := Loop(context.Background(), step, batches, o)
				if err != nil {
					t.Fatal(err)
				}
				h.Seconds = nil
				log, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				return h, step, early, withoutSeconds(string(log))
			}
			path := filepath.Join(t.TempDir(), "log.csv")
			h, step, early, log := run(false, path)
			if im == nil {
				t.Fatalf("%v: nothing was saved in %d epochs", at, len(h.Epochs))
			}
			h2, step2, early2, log2 := run(true, path)
			if !reflect.DeepEqual(h, h2) || log != log2 {
				t.Errorf("%v, place %d: history\n%+v\n%+v\n%s%s", at, place, h, h2, log, log2)
			}
			if a, b := step.Vars()["0.Kernel"].Value.Float64s()[0], step2.Vars()["0.Kernel"].Value.Float64s()[0]; a != b {
				t.Errorf("%v, place %d: weights %v and %v", at, place, a, b)
			}
			if step.LearningRate() != step2.LearningRate() || early.Stopped() != early2.Stopped() {
				t.Errorf("%v, place %d: rates %v and %v, stopped at %d and %d", at, place, step.LearningRate(), step2.LearningRate(), early.Stopped(), early2.Stopped())
			}
		}
	}
}

// withoutSeconds leaves out the last column.
func withoutSeconds(csv string) string {
	var out []string
	for l := range strings.Lines(csv) {
		out = append(out, l[:strings.LastIndexByte(l, ',')])
	}
	return strings.Join(out, "\n") + "\n"
}

// TestLoop_ResumesAfterTheBestWeightsWereRestored: the run goes on from the last weights.
func TestLoop_ResumesAfterTheBestWeightsWereRestored(t *testing.T) {
	whole, batches, eval := line(t, 1.4) // swings, so that the best epoch is not the last
	parts, _, eval2 := line(t, 1.4)
	early := func() []Callback { return []Callback{&EarlyStopping{Patience: 9, RestoreBest: true, Mode: Max}} }
	s := new(State)
	for _, epochs := range []int{2, 5} {
		if _, err := Loop(context.Background(), parts, batches, Options{Epochs: epochs, Evaluate: eval2, Validation: batches, State: s, Callbacks: early()}); err != nil {
			t.Fatal(err)
		}
	}
	h, err := Loop(context.Background(), whole, batches, Options{Epochs: 5, Evaluate: eval, Validation: batches, Callbacks: early()})
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(h.Figures, s.History.Figures) {
		t.Errorf("%+v\n%+v", h, s.History)
	}
}

func TestLoop_RefusesStatesThatCannotBe(t *testing.T) {
	for what, c := range map[string]struct {
		s    State
		want string
	}{
		"too far":  {State{Epoch: 3, RateFactor: 1, History: &History{Epochs: []int{0, 1, 2}, Seconds: []float64{1, 1, 1}}}, "3 epochs are done already, of 2"},
		"step":     {State{Step: 11, History: &History{}}, "step 11 of 10"},
		"history":  {State{Epoch: 1, History: &History{}}, "history"},
		"callback": {State{History: &History{}, Callbacks: map[string]json.RawMessage{"early_stopping": nil}}, "a callback early_stopping"},
		"totals":   {State{Step: 1, History: &History{}}, "no value of"},
		"weights":  {State{History: &History{}, Arrays: map[string]*array.Array{"weight/0.Kernel": array.New(array.Int8, 3)}}, "0.Kernel is int8"},
	} {
		step, batches, _ := line(t, 0.1)
		if _, err := Loop(context.Background(), step, batches, Options{Epochs: 2, State: &c.s}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestLoop_AfterAnErrorOfACallbackThereIsNoState(t *testing.T) {
	step, batches, _ := line(t, 0.1)
	s, full := new(State), errors.New("full")
	_, err := Loop(context.Background(), step, batches, Options{Epochs: 2, State: s, Save: func(string, *State) error { return full },
		Callbacks: []Callback{&saveAt{epoch: 1}}})
	if !errors.Is(err, full) || s.History != nil || s.Epochs() != 2 || s.Count != 20 {
		t.Errorf("%v, %+v", err, s)
	}
}
