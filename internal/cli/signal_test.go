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
	ctx, stop := watch(context.Background(), &log, func(code int) { left <- code })
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
	if !strings.Contains(log.String(), "stopping after this step") {
		t.Errorf("%q", log.String())
	}
}
