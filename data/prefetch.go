package data

import (
	"context"
	"sync"
)

// made is a batch that the other goroutine has prepared.
type made struct {
	slot  *slot
	batch *Batch
	err   error
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
			batch, err := e.fill(s, step)
			ready <- made{s, batch, err}
			if err != nil {
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
		if !yield(m.batch, m.err) || m.err != nil {
			return
		}
		free <- m.slot
	}
}
