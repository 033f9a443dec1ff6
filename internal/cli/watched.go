package cli

import (
	"fmt"
	"sync"
	"time"

	"github.com/kun-ml/kun/array"
	"github.com/kun-ml/kun/data"
	"github.com/kun-ml/kun/internal/cli/term"
)

// watched is a source that shows on a terminal how many of its samples were read.
type watched struct {
	data.Source
	app  *app
	what string

	mu    sync.Mutex
	read  int
	shown time.Time
}

// watchEvery is how often the line is drawn; what ends before shows none.
const watchEvery = 200 * time.Millisecond

// watched watches a source; without a terminal it is the source itself. The line stays until something is written, or cleared.
func (a *app) watched(what string, src data.Source) data.Source {
	if !a.err.Terminal || a.quiet {
		return src
	}
	return &watched{Source: src, app: a, what: what, shown: time.Now()}
}

// Gather reads, and draws the line from time to time.
func (w *watched) Gather(dst []*array.Array, rows []int) error {
	err := w.Source.Gather(dst, rows)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.read += len(rows)
	if now := time.Now(); now.Sub(w.shown) >= watchEvery {
		w.shown = now
		w.app.err.Live(fmt.Sprintf("%s %s of %s samples", w.what, term.Thousands(int64(min(w.read, w.Len()))), term.Thousands(int64(w.Len()))))
	}
	return err
}

// Unwrap is the source below.
func (w *watched) Unwrap() data.Source { return w.Source }
