package cpu

import (
	"sync"
	"sync/atomic"
)

// pool runs pieces on a fixed number of goroutines; pieces are claimed as they come.
type pool struct {
	threads int
	busy    sync.Mutex
	f       func(piece, worker int)
	n       int64
	next    atomic.Int64
	wake    []chan struct{}
	done    sync.WaitGroup
}

func newPool(threads int) *pool {
	p := &pool{threads: threads}
	for w := 1; w < threads; w++ {
		ch := make(chan struct{}, 1)
		p.wake = append(p.wake, ch)
		go func() {
			for range ch {
				p.work(w)
				p.done.Done()
			}
		}()
	}
	return p
}

func (p *pool) work(worker int) {
	for {
		i := p.next.Add(1) - 1
		if i >= p.n {
			return
		}
		p.f(int(i), worker)
	}
}

// run calls f for pieces 0..n-1. A second caller at the same time runs its pieces itself.
func (p *pool) run(n int, f func(piece, worker int)) {
	if n <= 1 || p.threads == 1 || !p.busy.TryLock() {
		for i := range n {
			f(i, 0)
		}
		return
	}
	defer p.busy.Unlock()
	p.f, p.n = f, int64(n)
	p.next.Store(0)
	k := min(n-1, len(p.wake))
	p.done.Add(k)
	for _, ch := range p.wake[:k] {
		ch <- struct{}{}
	}
	p.work(0)
	p.done.Wait()
}

func (p *pool) close() {
	for _, ch := range p.wake {
		close(ch)
	}
	p.wake = nil
}
