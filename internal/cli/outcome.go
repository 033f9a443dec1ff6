package cli

import (
	"encoding/json"
	"math"
	"strings"
	"time"

	"github.com/kun-ml/kun"
	"github.com/kun-ml/kun/internal/cli/machine"
	"github.com/kun-ml/kun/internal/cpu"
	"github.com/kun-ml/kun/train"
)

// outcome is the object of --json for train, eval and demo.
type outcome struct {
	envelope
	Dataset         string              `json:"dataset"`
	TrainSamples    int                 `json:"train_samples"`
	TestSamples     int                 `json:"test_samples"`
	Epochs          int                 `json:"epochs"`
	Loss            number              `json:"loss"`              // of the test data; null: there are none
	Accuracy        number              `json:"accuracy"`          // of the test data; null: the model has no such metric
	Figures         map[string]number   `json:"figures"`           // all of the test data
	History         map[string][]number `json:"history,omitempty"` // by figure, one number per epoch
	Stopped         string              `json:"stopped,omitempty"` // why training ended before its last epoch
	SecondsTotal    float64             `json:"seconds_total"`
	SecondsPerEpoch []float64           `json:"seconds_per_epoch"` // training alone, without validation
	PeakRSS         uint64              `json:"peak_rss_bytes"`
	Parameters      int                 `json:"parameters"`
	Threads         int                 `json:"threads"`
	CPULevel        string              `json:"cpu_level"`
	Seed            uint64              `json:"seed"`
	WeightsSHA256   string              `json:"weights_sha256"`
	Model           string              `json:"model"`
	Interrupted     bool                `json:"interrupted,omitempty"`
	DryRun          bool                `json:"dry_run,omitempty"`
	Confusion       [][]int64           `json:"confusion,omitempty"` // rows are true classes, columns what the model said
	Classes         []string            `json:"classes,omitempty"`
	PerClass        []classFigures      `json:"per_class,omitempty"`
	Worst           []badSample         `json:"worst,omitempty"`
}

// classFigures are those of one class; null where there is nothing to divide by.
type classFigures struct {
	Class     string `json:"class"`
	Precision number `json:"precision"`
	Recall    number `json:"recall"`
	F1        number `json:"f1"`
	Samples   int64  `json:"samples"`
}

// badSample is a sample that was taken for another class.
type badSample struct {
	Row         int    `json:"row"`
	Is          string `json:"is"`
	TakenFor    string `json:"taken_for"`
	Probability number `json:"probability"`          // of what it was taken for
	OfTruth     number `json:"probability_of_truth"` // of what it is
}

// number is a figure in JSON, which knows no NaN and no infinity: they become null.
type number float64

// MarshalJSON writes the number or null.
func (n number) MarshalJSON() ([]byte, error) {
	if x := float64(n); math.IsNaN(x) || math.IsInf(x, 0) {
		return []byte("null"), nil
	}
	return json.Marshal(float64(n))
}

// outcome says of a model what --json tells, except its figures.
func (a *app) outcome(verb string, m *kun.Model, dir string, begin time.Time) *outcome {
	i := m.Info()
	weights, states := m.Params()
	none := number(math.NaN())
	return &outcome{
		envelope: envelope{jsonVersion, verb}, Dataset: i.Dataset, TrainSamples: i.Samples, Epochs: i.Epochs, Loss: none, Accuracy: none,
		Figures: map[string]number{}, SecondsTotal: time.Since(begin).Seconds(), SecondsPerEpoch: []float64{}, PeakRSS: machine.PeakRSS(),
		Parameters: weights + states, Threads: a.threadCount(), CPULevel: cpu.InForce().String(), Seed: i.Seed,
		WeightsSHA256: m.WeightsSHA256(), Model: dir,
	}
}

// judge puts the figures of the test data in. The accuracy is that of the first metric with the word in its name.
func (o *outcome) judge(figures []train.Figure) {
	for _, f := range figures {
		o.Figures[f.Name] = number(f.Value)
		switch {
		case f.Name == "loss":
			o.Loss = number(f.Value)
		case strings.Contains(f.Name, "accuracy") && math.IsNaN(float64(o.Accuracy)):
			o.Accuracy = number(f.Value)
		}
	}
}

// tell puts the history of a training in.
func (o *outcome) tell(h *train.History) {
	o.Epochs, o.Stopped, o.History = len(h.Epochs), h.Stopped, map[string][]number{}
	if h.Seconds != nil {
		o.SecondsPerEpoch = h.Seconds
	}
	for _, n := range h.Names {
		for _, v := range h.Figures[n] {
			o.History[n] = append(o.History[n], number(v))
		}
	}
}

// detail puts what is known of every class in; v may be nil.
func (o *outcome) detail(v *verdicts, m *kun.Model) {
	if v == nil {
		return
	}
	o.Confusion, o.Classes, o.PerClass = v.counts, m.Classes, v.perClass()
	for _, x := range v.worst {
		o.Worst = append(o.Worst, badSample{x.row, v.kind.name(x.truth), v.kind.name(x.said), number(x.sure), number(x.chance)})
	}
}
