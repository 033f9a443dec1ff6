//go:build unix

package cli

import (
	"bytes"
	"context"
	"os"
	"strings"
	"syscall"
	"testing"
)

func TestWatch_FirstSignalCancelsSecondLeaves(t *testing.T) {
	var log bytes.Buffer
	left := make(chan int, 1)
	a := newApp(Streams{Out: &bytes.Buffer{}, Err: &log})
	a.learning.Store(true)
	ctx, stop := watch(context.Background(), a, func(code int) { left <- code })
	defer stop()
	if err := syscall.Kill(os.Getpid(), syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	<-ctx.Done()
	if c := context.Cause(ctx); Code(c) != Terminated {
		t.Errorf("%v", c)
	}
	if err := syscall.Kill(os.Getpid(), syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if code := <-left; code != Interrupted {
		t.Errorf("left with %d", code)
	}
	if log.String() != "stopping after this step; once more to stop at once\n" {
		t.Errorf("%q", log.String())
	}
}

func TestWatch_WithNothingToSaveTheFirstSignalLeaves(t *testing.T) {
	var out, log bytes.Buffer
	left := make(chan int, 1)
	a := newApp(Streams{Out: &out, Err: &log})
	a.json = true
	_, stop := watch(context.Background(), a, func(code int) { left <- code })
	defer stop()
	if err := syscall.Kill(os.Getpid(), syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if code := <-left; code != Terminated || log.String() != "stopped\n" || !strings.Contains(out.String(), `"code":143`) {
		t.Errorf("left with %d: %q %q", code, log.String(), out.String())
	}
}
