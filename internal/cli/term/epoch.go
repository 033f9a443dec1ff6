package term

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/kun-ml/kun/internal/config/width"
)

// Figures are the results of one epoch.
type Figures struct {
	Epoch      int // from 0
	Steps      int
	Time       time.Duration // zero: measured by the bar
	Loss       float64
	Metrics    []float64
	ValLoss    float64   // NaN or no ValMetrics and zero: there was no validation
	ValMetrics []float64 // nil: there was no validation
}

// validated reports whether the epoch ended with a validation.
func (f *Figures) validated() bool {
	return f.ValMetrics != nil || f.ValLoss != 0 && !math.IsNaN(f.ValLoss)
}

// EndEpoch replaces the live line by the line of a finished epoch. It is as wide as the screen allows: with Keras's
// names (val_loss) where they fit, otherwise the validation's figures follow "val" in the order of the training's.
func (b *Bar) EndEpoch(f Figures) {
	b.Clear()
	if f.Time == 0 && b.epoch == f.Epoch {
		f.Time = b.o.Now().Sub(b.start)
	}
	best := b.note(&f)
	head := []byte("Epoch ")
	head = append(b.appendCount(head, f.Epoch+1, b.o.Epochs), ' ')
	head = appendClock(head, f.Time)
	if f.Steps > 0 {
		head = appendPerStep(append(head, ' '), f.Time/time.Duration(f.Steps))
	}
	long, short := []string{string(head)}, []string{string(head)}
	named := func(prefix string, loss float64, metrics []float64) {
		long = append(long, prefix+"loss: "+Figure(loss))
		for i, m := range metrics {
			long = append(long, prefix+b.name(i)+": "+Figure(m))
		}
	}
	named("", f.Loss, f.Metrics)
	t := "loss " + Figure(f.Loss)
	for i, m := range f.Metrics {
		t += " " + b.name(i) + " " + Figure(m)
	}
	short = append(short, t)
	if f.validated() {
		named("val_", f.ValLoss, f.ValMetrics)
		v := "val " + Figure(f.ValLoss)
		for _, m := range f.ValMetrics {
			v += " " + Figure(m)
		}
		short = append(short, v)
	}
	if best != "" {
		long, short = append(long, best), append(short, best)
	}
	parts := long
	if width.Cells(strings.Join(long, " - ")) > b.s.Width() {
		parts = short
	}
	_, _ = b.s.Write([]byte(b.wrap(parts)))
	b.last = b.o.Now()
}

func (b *Bar) name(i int) string {
	if i < len(b.o.Names) {
		return b.o.Names[i]
	}
	return "metric " + strconv.Itoa(i)
}

// note keeps the best epoch and says it in a word: "best", or "best 0.9783 (3)" when it was the third; nothing as long as
// there was no number.
func (b *Bar) note(f *Figures) string {
	x, lower := f.Loss, true
	if f.validated() {
		x = f.ValLoss
	}
	metrics := f.Metrics
	if f.validated() {
		metrics = f.ValMetrics
	}
	if i := b.o.Monitor; i >= 0 && i < len(metrics) {
		x, lower = metrics[i], b.o.Lower
	}
	switch {
	case math.IsNaN(x) && b.bestE == 0:
		return ""
	case b.bestE == 0 || lower && x < b.best || !lower && x > b.best:
		b.best, b.bestE = x, f.Epoch+1
		return b.s.Style(Green, "best")
	}
	return "best " + Figure(b.best) + " (" + strconv.Itoa(b.bestE) + ")"
}

// wrap joins parts by " - " and breaks between them where a line would be too long.
func (b *Bar) wrap(parts []string) string {
	var out strings.Builder
	used := 0
	for i, p := range parts {
		n := width.Cells(plainText(p))
		switch {
		case i == 0:
		case used+3+n > b.s.Width():
			out.WriteString("\n    ")
			used = 4
		default:
			out.WriteString(" - ")
			used += 3
		}
		out.WriteString(p)
		used += n
	}
	out.WriteByte('\n')
	return out.String()
}

// plainText is text without escape sequences for styles.
func plainText(s string) string {
	for {
		i := strings.Index(s, "\x1b[")
		if i < 0 {
			return s
		}
		j := strings.IndexByte(s[i:], 'm')
		if j < 0 {
			return s[:i]
		}
		s = s[:i] + s[i+j+1:]
	}
}
