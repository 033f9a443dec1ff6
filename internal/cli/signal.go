package cli

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// grace is how long a command that has nothing to save may take to notice that it is stopped: it may wait for a disk or for
// standard input.
const grace = 300 * time.Millisecond

// watch ends the context at the first Ctrl-C or SIGTERM. A training can then finish its step and save; a command with nothing
// to save is left by calling exit when it does not end by itself. The second signal leaves at once. stop gives the signals back.
func watch(parent context.Context, a *app, exit func(code int)) (ctx context.Context, stop func()) {
	ctx, cancel := context.WithCancelCause(parent)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	done := make(chan struct{})
	go func() {
		var late <-chan time.Time
		var first os.Signal
		for {
			select {
			case s := <-signals:
				if first != nil {
					exit(stopped{s}.code())
					return
				}
				first = s
				learning := a.learning.Load()
				cancel(stopped{s})
				if learning {
					a.err.Print("stopping after this step; once more to stop at once\n")
				} else {
					late = time.After(grace)
				}
			case <-late:
				if !a.reporting.Load() {
					exit(a.report(stopped{first}))
				}
				late = nil
			case <-done:
				return
			}
		}
	}()
	return ctx, func() {
		signal.Stop(signals)
		close(done)
		cancel(nil)
	}
}
