package cli

import (
	"time"

	"github.com/kun-ml/kun/internal/cli/machine"
	"github.com/kun-ml/kun/internal/cli/term"
	"github.com/kun-ml/kun/metric"
	"github.com/kun-ml/kun/train"
)

// progress shows how training goes. It looks at the clock every so many steps, about every 20 ms, and costs next to nothing
// in between.
type progress struct {
	train.Base
	bar    *term.Bar // nil: nothing is shown
	app    *app
	every  int // steps between two looks at the clock
	looked time.Time
	memory time.Time // when the memory was read
	values []float64 // of the metrics
	factor float64   // of the learning rate
	steps  int64     // done in this run
	seen   int       // samples of the epoch at the last look
	sum    float64   // of their losses
}

const (
	lookSoon   = 10 * time.Millisecond // two looks nearer to each other than this: look less often
	lookLate   = 40 * time.Millisecond
	lookSeldom = 1024 // steps at most
	memoryWait = time.Second
)

// progress makes the callback. The best epoch is told by the first metric, or by the loss where it is not known whether the
// metric rises or falls.
func (a *app) progress(ms []metric.Metric, epochs, batch, samples int) *progress {
	p := &progress{every: 1, values: make([]float64, len(ms)), app: a, factor: 1}
	if a.quiet {
		return p
	}
	o := term.BarOptions{Epochs: max(1, epochs), Batch: min(batch, samples), Monitor: -1}
	for i, m := range ms {
		o.Names = append(o.Names, m.Name())
		if d, ok := m.(metric.Directed); ok && i == 0 {
			o.Monitor, o.Lower = 0, !d.Rises()
		}
	}
	p.bar = term.NewBar(a.err, o)
	return p
}

// BeginRun notes the learning rate. From here on an interruption saves what was learnt.
func (p *progress) BeginRun(r *train.Run) error {
	p.app.learning.Store(true)
	p.factor = r.RateFactor()
	return nil
}

// EndStep draws, when it is time to.
func (p *progress) EndStep(r *train.Run) error {
	p.steps++
	if p.bar == nil || r.Step%p.every != 0 && r.Step != r.Steps {
		return nil
	}
	now := time.Now()
	if d := now.Sub(p.looked); d < lookSoon {
		p.every = min(lookSeldom, 2*p.every)
	} else if d > lookLate {
		p.every = max(1, p.every/2)
	}
	p.looked = now
	for i, f := range r.Running()[1:] { // metrics, then what layers report
		if i < len(p.values) {
			p.values[i] = f.Value
		}
	}
	x := &p.bar.Extras
	x.LearningRate = r.LearningRate()
	if now.Sub(p.memory) > memoryWait {
		x.Memory, p.memory = machine.RSS(), now
	}
	p.bar.Step(r.Epoch, r.Step, r.Steps, p.recent(r), p.values)
	return nil
}

// recent is the mean loss over the samples since the last look.
func (p *progress) recent(r *train.Run) float64 {
	if r.Samples <= p.seen { // a new epoch
		p.seen, p.sum = 0, 0
	}
	sum := r.Loss() * float64(r.Samples)
	mean := (sum - p.sum) / float64(r.Samples-p.seen)
	p.seen, p.sum = r.Samples, sum
	return mean
}

// EndEpoch writes the line of the epoch.
func (p *progress) EndEpoch(r *train.Run) error {
	if p.bar == nil {
		return nil
	}
	f := term.Figures{Epoch: r.Epoch, Steps: r.Step, Time: time.Duration(r.Seconds * 1e9)}
	f.Loss, _ = r.Figure("loss")
	n := len(p.values)
	for _, x := range r.Figures[1 : 1+n] {
		f.Metrics = append(f.Metrics, x.Value)
	}
	if v, ok := r.Figure("val_loss"); ok {
		f.ValLoss, f.ValMetrics = v, []float64{}
		for _, x := range r.Figures[len(r.Figures)-n:] {
			f.ValMetrics = append(f.ValMetrics, x.Value)
		}
	}
	p.bar.EndEpoch(f)
	if r.RateFactor() != p.factor {
		p.factor = r.RateFactor()
		p.app.logf("          the learning rate is now %s", term.Figure(r.LearningRate()))
	}
	return nil
}

// EndRun takes the live line away.
func (p *progress) EndRun(*train.Run) error {
	if p.bar != nil {
		p.bar.Clear()
	}
	return nil
}
