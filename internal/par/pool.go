package par

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// A Pool runs pieces on a fixed number of threads: the caller and its helpers. Run allocates nothing.
type Pool struct {
	threads int
	busy    sync.Mutex // held by the caller that has the helpers
	helpers []helper
	closed  atomic.Bool
	close   sync.Once
	ended   sync.WaitGroup

	_    line
	word atomic.Uint64 // sequence<<32 | end<<16 | next: pieces next..end-1 are free; one word, or a late helper pairs an old sequence with newer pieces
	_    line
	job  atomic.Uint32 // the sequence number helpers look at
	f    func(piece, worker int)
	base int
	_    line
	done atomic.Int64 // pieces done by helpers in this job
	_    line
}

type line [64]byte

type helper struct {
	asleep atomic.Uint32
	wake   chan struct{}
	_      line
}

const (
	mostPieces = 1<<16 - 1 // of one job; more run as several jobs
	spinFor    = 150 * time.Microsecond
)

// New makes a pool of the given number of threads, at least 1. The helpers are goroutines; they end with Close.
func New(threads int) *Pool {
	p := &Pool{threads: max(1, threads)}
	p.helpers = make([]helper, p.threads-1)
	for i := range p.helpers {
		p.helpers[i].wake = make(chan struct{}, 1)
		p.ended.Add(1)
		go p.help(i)
	}
	return p
}

// Threads is the number of threads, the caller's included.
func (p *Pool) Threads() int { return p.threads }

// Run calls f(piece, worker) once for each piece in [0, n) and returns when all calls have returned. worker is in
// [0, Threads()); two calls that overlap in time within one Run have different workers. Run may be called from several
// goroutines at once and from within a piece: whoever finds the helpers taken runs all its pieces itself, as worker 0.
func (p *Pool) Run(n int, f func(piece, worker int)) {
	if n <= 1 || p.threads == 1 || !p.busy.TryLock() {
		for i := range n {
			f(i, 0)
		}
		return
	}
	defer p.busy.Unlock()
	p.f = f
	for base := 0; base < n; base += mostPieces {
		p.base = base
		p.job1(min(n-base, mostPieces))
	}
	p.f = nil
}

// job1 runs one job of n pieces.
func (p *Pool) job1(n int) {
	p.done.Store(0)
	seq := p.job.Load() + 1
	f, base := p.f, p.base
	p.word.Store(uint64(seq)<<32 | uint64(n)<<16)
	p.job.Store(seq)
	for i := range min(n-1, len(p.helpers)) {
		h := &p.helpers[i]
		if h.asleep.Load() == 1 && h.asleep.CompareAndSwap(1, 0) {
			h.wake <- struct{}{}
		}
	}
	mine := 0
	defer p.finish(seq, n, &mine)
	for {
		i := p.claim(seq, false)
		if i < 0 {
			return
		}
		mine++ // counted before the call: a piece that panics is not waited for
		f(base+i, 0)
	}
}

// finish waits for the pieces that helpers claimed. If the caller's piece panicked, no further piece is started.
func (p *Pool) finish(seq uint32, n int, mine *int) {
	for {
		v := p.word.Load()
		next, end := int(v&mostPieces), int(v>>16&mostPieces)
		if next >= end {
			break
		}
		if p.word.CompareAndSwap(v, uint64(seq)<<32) {
			n -= end - next
			break
		}
	}
	for k := 0; int(p.done.Load())+*mine != n; k++ {
		if k > 2000 {
			runtime.Gosched()
		} else {
			pause(1)
		}
	}
}

// claim takes a piece of job seq, -1 if there is none: the first free one, or the last. The caller comes from the front
// and the first helper from the back, so that in job after job over the same arrays each finds its own pieces in its cache.
func (p *Pool) claim(seq uint32, fromBack bool) int {
	for {
		v := p.word.Load()
		next, end := v&mostPieces, v>>16&mostPieces
		if uint32(v>>32) != seq || next >= end {
			return -1
		}
		if fromBack {
			if p.word.CompareAndSwap(v, v-1<<16) {
				return int(end) - 1
			}
		} else if p.word.CompareAndSwap(v, v+1) {
			return int(next)
		}
	}
}

func (p *Pool) help(i int) {
	defer p.ended.Done()
	h := &p.helpers[i]
	var last uint32
	for {
		last = p.await(h, last)
		if p.closed.Load() {
			return
		}
		for {
			piece := p.claim(last, i&1 == 0)
			if piece < 0 {
				break
			}
			// The claim succeeded, so the job is this one and its caller waits: f and base are its own.
			p.f(p.base+piece, i+1)
			p.done.Add(1)
		}
	}
}

// await returns the number of the next job: it looks for it in a spin, then sleeps.
func (p *Pool) await(h *helper, last uint32) uint32 {
	begin := time.Now()
	for k := 1; ; k++ {
		if s := p.job.Load(); s != last {
			return s
		}
		if k&63 != 0 || time.Since(begin) < spinFor {
			pause(4)
			continue
		}
		h.asleep.Store(1)
		if p.job.Load() != last || p.closed.Load() {
			if !h.asleep.CompareAndSwap(1, 0) {
				<-h.wake // someone took the flag first and has sent, or is about to
			}
			return p.job.Load()
		}
		<-h.wake
		begin = time.Now()
		if p.closed.Load() {
			return p.job.Load()
		}
	}
}

// Close ends the helpers and waits for them. Run may be called afterwards and then runs all pieces itself. A second Close
// does nothing. It must not be called from within a piece.
func (p *Pool) Close() { p.close.Do(p.end) }

func (p *Pool) end() {
	p.busy.Lock() // kept: later callers find the helpers taken
	p.closed.Store(true)
	p.job.Add(1)
	for i := range p.helpers {
		if h := &p.helpers[i]; h.asleep.CompareAndSwap(1, 0) {
			h.wake <- struct{}{}
		}
	}
	p.ended.Wait()
}
