package main

import (
	"context"
	"fmt"
	"os"
	"slices"
)

// epochs is the quick-start's number of epochs.
const epochs = 5

// system is one row of the table: what was measured of Kun or of a peer, by round where there are rounds.
type system struct {
	Name     string             `json:"name"`
	Title    string             `json:"title"`
	Versions map[string]string  `json:"versions,omitempty"`
	Start    []float64          `json:"start_seconds,omitempty"`
	First    []float64          `json:"first_step_seconds,omitempty"`
	Epoch    []float64          `json:"epoch_seconds,omitempty"`
	Step     []float64          `json:"step_seconds,omitempty"`
	Predict  []float64          `json:"predict_seconds,omitempty"`
	Call     []float64          `json:"call_seconds,omitempty"`
	Loss     []float64          `json:"test_loss,omitempty"`
	Accuracy []float64          `json:"test_accuracy,omitempty"`
	PeakRSS  []float64          `json:"peak_rss_bytes,omitempty"`
	Allocs   map[string]float64 `json:"allocations,omitempty"`

	p *process
}

// measurePeers fills the report by alternation.
func (r *report) measurePeers(ctx context.Context, o *options, k *built) error {
	r.BinaryBytes = k.size
	if err := r.startAll(ctx, o, k); err != nil {
		return err
	}
	defer func() {
		for _, s := range r.Systems {
			if s.p != nil {
				s.p.quit()
			}
		}
	}()
	for _, phase := range []func(context.Context, *options, *built) error{r.firsts, r.epochRounds, r.shortRounds} {
		if err := phase(ctx, o, k); err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return nil
}

// startAll starts Kun and the peers twice, since the first start of a machine reads the libraries from the disk. A peer that
// does not start is left out and said to be.
func (r *report) startAll(ctx context.Context, o *options, k *built) error {
	kun := &system{Name: "kun", Title: "**Kun**", Allocs: map[string]float64{}}
	for range max(o.rounds, 5) {
		o.quiet.wait()
		t, said, err := k.version(ctx)
		if err != nil {
			return fmt.Errorf("kun version: %w", err)
		}
		kun.Start, r.Version = append(kun.Start, t), said
	}
	p, err := start(ctx, "kun", k.peer, "-threads", fmt.Sprint(o.threads))
	if err != nil {
		return err
	}
	kun.p, kun.Versions = p, p.hello.Versions
	r.Systems = append(r.Systems, kun)
	if !slices.ContainsFunc(kinds, func(k kind) bool { return o.wants(k.name) }) {
		return nil
	}
	missing, err := prepare(ctx, o)
	if err != nil {
		return err
	}
	for _, m := range missing {
		r.leave("package", fmt.Errorf("%s could not be installed", m))
	}
	for _, kind := range kinds {
		if !o.wants(kind.name) {
			continue
		}
		note("start", kind.name)
		p, err := startPeer(ctx, o, kind)
		if err == nil {
			p.quit()
			p, err = startPeer(ctx, o, kind)
		}
		if err != nil {
			r.leave(kind.name, err)
			continue
		}
		r.Systems = append(r.Systems, &system{Name: kind.name, Title: kind.title, Versions: p.hello.Versions, Start: []float64{p.start}, p: p})
	}
	return ctx.Err()
}

// firsts measures the way to the end of a process's first training step: Kun's in several fresh processes, a peer's, which
// takes seconds, in one.
func (r *report) firsts(ctx context.Context, o *options, k *built) error {
	kun := r.Systems[0]
	for range max(o.rounds, 5) {
		o.quiet.wait()
		p, err := start(ctx, "kun", k.peer, "-threads", fmt.Sprint(o.threads))
		if err != nil {
			return err
		}
		a, err := p.ask("first 1")
		p.quit()
		if err != nil {
			return err
		}
		kun.First = append(kun.First, a.Seconds)
	}
	note("first", kun.Name, kun.First)
	for _, s := range r.Systems[1:] {
		r.ask(o, s, "first", &s.First, "first 1")
	}
	return nil
}

// epochRounds alternates a run of Kun with one epoch of each peer.
func (r *report) epochRounds(ctx context.Context, o *options, k *built) error {
	kun := r.Systems[0]
	for round := range max(o.rounds, len(o.seeds)) {
		o.quiet.wait()
		t, err := k.train(ctx, o, o.seeds[round%len(o.seeds)])
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			r.leave(fmt.Sprintf("kun, round %d", round+1), err)
		} else {
			r.tell(kun, t, round < len(o.seeds))
		}
		if round >= o.rounds {
			continue // only for the mean over the seeds
		}
		for _, s := range r.Systems[1:] {
			to := &s.Epoch
			if err != nil { // figures are compared round by round, so this one counts for nobody; the peers train on
				to = new([]float64)
			}
			r.ask(o, s, "epoch", to, "epoch %d", 1+round/epochs)
			if (round+1)%epochs == 0 && s.p != nil && s.p.can("evaluate") {
				if a, err := s.p.ask("evaluate"); err == nil {
					s.Loss, s.Accuracy = append(s.Loss, a.Loss), append(s.Accuracy, a.Accuracy)
				} else if !o.over() {
					r.fail(s, err)
				}
			}
		}
	}
	for _, s := range r.Systems[1:] {
		if s.p == nil || !s.p.can("epoch") {
			continue
		}
		if a, err := s.p.ask("memory"); err == nil {
			s.PeakRSS = append(s.PeakRSS, a.PeakRSS)
		}
	}
	return nil
}

// tell takes in a run of Kun; judged: its loss and accuracy count.
func (r *report) tell(kun *system, t *trained, judged bool) {
	note("epoch", "kun", t.Seconds)
	r.Level, r.Total = t.Level, append(r.Total, t.Total)
	kun.Epoch = append(kun.Epoch, median(t.Seconds))
	kun.PeakRSS = append(kun.PeakRSS, t.PeakRSS)
	if judged {
		kun.Loss, kun.Accuracy = append(kun.Loss, t.Loss), append(kun.Accuracy, t.Accuracy)
	}
}

// shortRounds alternates training steps and predictions of one row. Each kind has its own rounds.
func (r *report) shortRounds(_ context.Context, o *options, _ *built) error {
	for range o.rounds {
		for _, s := range r.Systems {
			r.ask(o, s, "step", &s.Step, "step %d", o.steps)
		}
	}
	for range o.rounds {
		for _, s := range r.Systems {
			r.ask(o, s, "call", &s.Call, "call 1 %d", o.steps)
		}
	}
	for range o.rounds {
		for _, s := range r.Systems {
			n := o.steps
			if s.Name == "keras-tf" {
				n = min(n, 20) // tens of milliseconds each
			}
			r.ask(o, s, "predict", &s.Predict, "predict 1 %d", n)
		}
	}
	return nil
}

// ask adds the seconds of an answer to a figure of a system that can answer. A system that fails is left out from then on.
func (r *report) ask(o *options, s *system, command string, to *[]float64, format string, args ...any) {
	if s.p == nil || !s.p.can(command) || o.over() {
		return
	}
	o.quiet.wait()
	a, err := s.p.ask(format, args...)
	if err != nil && o.over() {
		return // its end is ours
	}
	if err != nil {
		r.fail(s, err)
		return
	}
	*to = append(*to, a.Seconds)
	if s.Allocs != nil {
		s.Allocs[command] = a.Allocations
	}
	note(command, s.Name, a.Seconds)
}

// fail says why a system stopped and stops it.
func (r *report) fail(s *system, err error) {
	r.leave(s.Name, err)
	s.p.kill()
	s.p = nil
}

// note tells how far the run is.
func note(args ...any) { fmt.Fprintln(os.Stderr, args...) }

func median(x []float64) float64 {
	if len(x) == 0 {
		return 0
	}
	y := slices.Sorted(slices.Values(x))
	n := len(y)
	return (y[(n-1)/2] + y[n/2]) / 2
}

func mean(x []float64) float64 {
	sum := 0.0
	for _, v := range x {
		sum += v
	}
	return sum / float64(max(len(x), 1))
}

// ratio is the median over the rounds of a / b.
func ratio(a, b []float64) float64 {
	var q []float64
	for i := range min(len(a), len(b)) {
		q = append(q, a[i]/b[i])
	}
	return median(q)
}
