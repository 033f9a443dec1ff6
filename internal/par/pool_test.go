package par

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestRun_RunsEachPieceOnce(t *testing.T) {
	for _, threads := range []int{1, 2, 3, 5} {
		p := New(threads)
		for _, n := range []int{0, 1, 2, 7, 1000, mostPieces + 10} {
			count := make([]atomic.Int32, n)
			p.Run(n, func(piece, worker int) {
				if worker < 0 || worker >= threads {
					t.Errorf("worker %d of %d", worker, threads)
				}
				count[piece].Add(1)
			})
			for i := range count {
				if c := count[i].Load(); c != 1 {
					t.Fatalf("%d threads, %d pieces: piece %d ran %d times", threads, n, i, c)
				}
			}
		}
		p.Close()
	}
}

// Many small jobs, some after a pause long enough for the helpers to sleep.
func TestRun_ManyJobs(t *testing.T) {
	p := New(3)
	defer p.Close()
	var sum atomic.Int64
	want := int64(0)
	for job := range 20000 {
		n := job % 9
		p.Run(n, func(piece, _ int) { sum.Add(int64(piece + 1)) })
		want += int64(n * (n + 1) / 2)
		if sum.Load() != want {
			t.Fatalf("job %d: %d, want %d", job, sum.Load(), want)
		}
		if job%2000 == 0 {
			time.Sleep(time.Millisecond)
		}
	}
}

func TestRun_WorkersDoNotOverlap(t *testing.T) {
	p := New(4)
	defer p.Close()
	busy := make([]atomic.Bool, 4)
	for range 200 {
		p.Run(64, func(_, worker int) {
			if busy[worker].Swap(true) {
				t.Error("a worker runs two pieces at once")
			}
			pause(20)
			busy[worker].Store(false)
		})
	}
}

func TestRun_FromSeveralGoroutinesAndNested(t *testing.T) {
	p := New(2)
	defer p.Close()
	var sum atomic.Int64
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 500 {
				p.Run(8, func(int, int) { p.Run(3, func(int, int) { sum.Add(1) }) })
			}
		})
	}
	wg.Wait()
	if sum.Load() != 4*500*8*3 {
		t.Fatal(sum.Load())
	}
}

func TestRun_AllocatesNothing(t *testing.T) {
	p := New(2)
	defer p.Close()
	out := make([]int64, 64)
	f := func(piece, _ int) { out[piece]++ }
	if n := testing.AllocsPerRun(200, func() { p.Run(len(out), f) }); n != 0 {
		t.Fatalf("%v allocations", n)
	}
}

func TestRun_PanicInAPieceOfTheCallerPassesThrough(t *testing.T) {
	p := New(3)
	defer p.Close()
	for range 100 {
		var over atomic.Bool
		func() {
			defer func() {
				if recover() != "mine" {
					t.Fatal("the panic did not pass")
				}
			}()
			p.Run(200, func(_, worker int) {
				if worker == 0 {
					over.Store(true)
					panic("mine")
				}
				for !over.Load() { // helpers are at work when the caller gives up
					runtime.Gosched()
				}
			})
		}()
		var ran atomic.Int32
		p.Run(30, func(int, int) { ran.Add(1) })
		if ran.Load() != 30 {
			t.Fatalf("after a panic %d of 30 pieces ran", ran.Load())
		}
	}
}

func TestClose_EndsHelpersAndLaterRunsStillRun(t *testing.T) {
	for range 50 {
		p := New(3)
		p.Run(4, func(int, int) {})
		p.Close()
		ran := 0
		p.Run(3, func(int, int) { ran++ })
		if ran != 3 {
			t.Fatal(ran)
		}
	}
}

func BenchmarkRun(b *testing.B) {
	p := New(2)
	defer p.Close()
	f := func(int, int) {}
	for b.Loop() {
		p.Run(2, f)
	}
}

func TestClose_TwiceAndRunAfterwards(t *testing.T) {
	p := New(3)
	p.Close()
	p.Close()
	done := 0
	p.Run(5, func(_, worker int) { // all by the caller
		if worker != 0 {
			t.Errorf("worker %d after Close", worker)
		}
		done++
	})
	if done != 5 {
		t.Errorf("%d pieces ran", done)
	}
}

// TestPrefetch_TakesAnyLength: it reads nothing that could fault, and allocates nothing.
func TestPrefetch_TakesAnyLength(t *testing.T) {
	b := make([]byte, 1000)
	if n := testing.AllocsPerRun(10, func() {
		for i := range b {
			Prefetch(b[i:])
			Prefetch(b[:i])
		}
	}); n > 0 {
		t.Errorf("%v allocations", n)
	}
}
