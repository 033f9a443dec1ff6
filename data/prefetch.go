package data

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"
)

// made is a batch that the other goroutine has prepared.
type made struct {
	slot   *slot
	batch  *Batch
	err    error
	failed any // what reading panicked with
}

// ahead fills a slot for another goroutine: a panic of the source is handed on to it.
func (e *epoch) ahead(s *slot, step int) (m made) {
	m.slot = s
	defer func() {
		if p := recover(); p != nil {
			m.failed = fmt.Sprintf("data: reading epoch %d, step %d ahead: %v\n%s", e.number, step, p, debug.Stack())
		}
	}()
	m.batch, m.err = e.fill(s, step)
	return m
}

// runAhead is the loop of an epoch whose batches another goroutine prepares. There is one slot more than batches to
// prefetch: the one that the caller has in hand. It returns after the goroutine has ended.
func (e *epoch) runAhead(ctx context.Context, fromStep int, yield func(*Batch, error) bool) {
	free := make(chan *slot, len(e.slots))
	ready := make(chan made, len(e.slots)) // has room for all: a send never waits
	stop := make(chan struct{})
	for i := range e.slots {
		free <- &e.slots[i]
	}
	var producer sync.WaitGroup
	producer.Go(func() {
		defer close(ready)
		for step := fromStep; step < e.b.steps; step++ {
			var s *slot
			select {
			case s = <-free:
			case <-stop:
				return
			}
			if ctx.Err() != nil {
				return
			}
			m := e.ahead(s, step)
			ready <- m
			if m.err != nil || m.failed != nil {
				return
			}
		}
	})
	defer producer.Wait()
	defer close(stop)
	for step := fromStep; step < e.b.steps; step++ {
		var m made
		select {
		case m = <-ready:
		case <-ctx.Done():
		}
		if err := ctx.Err(); err != nil {
			yield(nil, err)
			return
		}
		if m.failed != nil {
			panic(m.failed)
		}
		if !yield(m.batch, m.err) || m.err != nil {
			return
		}
		free <- m.slot
	}
}
