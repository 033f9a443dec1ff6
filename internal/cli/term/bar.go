package term

import (
	"math"
	"strconv"
	"time"
	"unicode/utf8"
)

// BarOptions describe a training run to its Bar.
type BarOptions struct {
	Epochs  int              // how many will run
	Batch   int              // samples per step, for samples/s; 0: not shown
	Names   []string         // of the metrics, in the order of Step's
	Monitor int              // the metric by which an epoch is best; -1: the loss
	Lower   bool             // a smaller monitored metric is better (always so for the loss)
	Now     func() time.Time // the clock; nil: time.Now
}

// Extras are figures that a bar shows where there is room. NaN and zero: not shown.
type Extras struct {
	LearningRate float64
	Memory       uint64 // bytes of this process
}

// Bar shows how training goes: on a terminal a line that is drawn over at most every 50 ms, elsewhere a plain line
// every 10 s; at the end of an epoch one line that stays. It serves one goroutine.
type Bar struct {
	Extras Extras

	s     *Screen
	o     BarOptions
	buf   []byte
	loss  smooth
	epoch int
	step  int       // of the last call
	start time.Time // of the epoch
	last  time.Time // when something was written
	begun bool
	best  float64
	bestE int
}

const (
	refresh    = 50 * time.Millisecond
	plainEvery = 10 * time.Second
	smoothing  = 0.98 // weight of the past in the loss shown: about the last 50 steps
)

// smooth is an exponential mean without the bias of its start.
type smooth struct{ sum, weight float64 }

// add takes in the mean of so many steps.
func (s *smooth) add(x float64, steps int) {
	if math.IsNaN(s.sum) || math.IsInf(s.sum, 0) {
		*s = smooth{}
	}
	past := smoothing
	if steps > 1 {
		past = math.Pow(smoothing, float64(steps))
	}
	s.sum = past*s.sum + (1-past)*x
	s.weight = past*s.weight + (1 - past)
}

func (s *smooth) value() float64 { return s.sum / s.weight }

// NewBar makes a bar that draws on s.
func NewBar(s *Screen, o BarOptions) *Bar {
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Bar{s: s, o: o, buf: make([]byte, 0, 1024), epoch: -1}
}

// Step tells the bar that so many of total steps of an epoch (from 0) are done. The loss is the mean over the steps since
// the last call and is shown smoothed; metrics are shown as given (they are running means). It allocates nothing.
func (b *Bar) Step(epoch, step, total int, loss float64, metrics []float64) {
	now := b.o.Now()
	if epoch != b.epoch {
		b.begin(epoch, now)
	}
	b.loss.add(loss, step-b.step)
	b.step = step
	every := plainEvery
	if b.s.Terminal {
		every = refresh
	}
	if now.Sub(b.last) < every {
		return
	}
	b.last = now
	if b.s.Terminal {
		b.draw(step, total, now, metrics)
	} else {
		b.plain(step, total, now, metrics)
	}
}

func (b *Bar) begin(epoch int, now time.Time) {
	b.epoch, b.start, b.loss, b.step = epoch, now, smooth{}, 0
	if !b.begun {
		b.begun, b.last = true, now
	}
	if b.s.Terminal {
		b.last = now.Add(-refresh)
	}
}

// A layout is how the live line is set: the first that holds the loss and all metrics is taken.
type layout struct {
	cells           int // of the bar
	before, between string
}

var layouts = [...]layout{{20, " - ", ": "}, {20, "  ", " "}, {10, "  ", " "}, {5, " ", " "}}

// draw writes the live line: Keras's bar, then as many extras as fit.
func (b *Bar) draw(step, total int, now time.Time, metrics []float64) {
	p := append(b.buf[:0], "Epoch "...) // the epoch's heading stands above the bar
	p = append(b.appendCount(p, b.epoch+1, b.o.Epochs), '\n')
	from := len(p)
	for i := range layouts {
		var all bool
		if p, all = b.line(p[:from], &layouts[i], step, total, now, metrics); all {
			break
		}
	}
	p = append(p, "\x1b[K"...)
	b.buf = p
	b.s.draw(p, from)
}

// line sets the live line and reports whether the loss and all metrics found room.
func (b *Bar) line(p []byte, l *layout, step, total int, now time.Time, metrics []float64) ([]byte, bool) {
	elapsed := now.Sub(b.start)
	p = append(p, '\r')
	from := len(p)
	p = strconv.AppendInt(p, int64(step), 10)
	p = append(p, '/')
	p = strconv.AppendInt(p, int64(total), 10)
	p = append(p, ' ')
	used := len(p) - from + l.cells
	p = b.appendBar(p, step, total, l.cells)
	from = len(p)
	p = append(p, ' ')
	p = strconv.AppendInt(p, int64(100*step/max(total, 1)), 10)
	p = append(p, "% "...)
	p = appendClock(p, elapsed)
	if step > 0 && elapsed > 0 {
		per := elapsed / time.Duration(step)
		p = append(p, ' ')
		p = appendPerStep(p, per)
		if left := per * time.Duration(max(0, total-step)); left >= time.Second {
			p = append(p, " ETA "...)
			p = appendClock(p, left)
		}
	}
	row := items{l: l, used: used + len(p) - from, room: b.s.Width() - 1}
	p = row.add(p, "loss", b.loss.value(), kindFigure)
	for i, m := range metrics {
		if i < len(b.o.Names) {
			p = row.add(p, b.o.Names[i], m, kindFigure)
		}
	}
	all := !row.full
	if b.o.Batch > 0 && elapsed > 0 {
		p = row.add(p, "samples/s", float64(step*b.o.Batch)/elapsed.Seconds(), kindShort)
	}
	x := &b.Extras
	p = row.add(p, "lr", x.LearningRate, kindG)
	p = row.add(p, "MB", float64(x.Memory>>20), kindShort)
	return p, all
}

type itemKind int

const (
	kindFigure itemKind = iota
	kindShort
	kindG
)

// items are the named figures behind the bar.
type items struct {
	l          *layout
	used, room int
	full       bool // something was left out
}

// add appends a named figure if it still fits; what has no value is left out.
func (r *items) add(p []byte, name string, x float64, kind itemKind) []byte {
	if kind != kindFigure && (x == 0 || math.IsNaN(x)) {
		return p
	}
	from := len(p)
	p = append(p, r.l.before...)
	p = append(p, name...)
	p = append(p, r.l.between...)
	switch kind {
	case kindFigure:
		p = appendFigure(p, x)
	case kindShort:
		p = appendShort(p, x)
	default:
		p = strconv.AppendFloat(p, x, 'g', 3, 64)
	}
	n := utf8.RuneCount(p[from:])
	if r.full || r.used+n > r.room {
		r.full = true
		return p[:from]
	}
	r.used += n
	return p
}

func (b *Bar) appendCount(p []byte, n, of int) []byte {
	p = strconv.AppendInt(p, int64(n), 10)
	if of > 0 {
		p = append(p, '/')
		p = strconv.AppendInt(p, int64(of), 10)
	}
	return p
}

func (b *Bar) appendBar(p []byte, step, total, cells int) []byte {
	done := min(cells, cells*step/max(total, 1))
	full, rest := "━", "━"
	if !b.s.Unicode {
		full, rest = "=", "."
	}
	if !b.s.Color && b.s.Unicode {
		rest = "─"
	}
	if b.s.Color {
		p = append(p, "\x1b[32m"...)
	}
	for i := range cells {
		if i == done && b.s.Color {
			p = append(p, "\x1b[0;2m"...)
		}
		if i < done {
			p = append(p, full...)
		} else {
			p = append(p, rest...)
		}
	}
	if b.s.Color {
		p = append(p, "\x1b[0m"...)
	}
	return p
}

// plain writes one line for a log.
func (b *Bar) plain(step, total int, now time.Time, metrics []float64) {
	elapsed := now.Sub(b.start)
	p := append(b.buf[:0], "epoch "...)
	p = b.appendCount(p, b.epoch+1, b.o.Epochs)
	p = append(p, " step "...)
	p = b.appendCount(p, step, total)
	p = append(p, ' ')
	p = strconv.AppendInt(p, int64(100*step/max(total, 1)), 10)
	p = append(p, "% "...)
	p = appendClock(p, elapsed)
	if step > 0 {
		p = append(p, ' ')
		p = appendPerStep(p, elapsed/time.Duration(step))
	}
	p = append(p, " loss "...)
	p = appendFigure(p, b.loss.value())
	for i, m := range metrics {
		if i < len(b.o.Names) {
			p = append(append(append(p, ' '), b.o.Names[i]...), ' ')
			p = appendFigure(p, m)
		}
	}
	p = append(p, '\n')
	b.buf = p
	_, _ = b.s.Write(p)
}

// Clear takes the live line and its heading away.
func (b *Bar) Clear() { b.s.Clear() }
