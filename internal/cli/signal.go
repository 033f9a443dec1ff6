package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// watch ends the context at the first Ctrl-C or SIGTERM, so that the running step can finish and be saved, and leaves
// the process at once at the second, by calling exit. stop gives the signals back.
func watch(parent context.Context, log io.Writer, exit func(code int)) (ctx context.Context, stop func()) {
	ctx, cancel := context.WithCancelCause(parent)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	done := make(chan struct{})
	go func() {
		for n := 0; ; n++ {
			select {
			case s := <-signals:
				if n > 0 {
					exit(stopped{s}.code())
					return
				}
				cancel(stopped{s})
				fmt.Fprintf(log, "\nstopping after this step; once more to stop at once\n")
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
