package data

import (
	"bytes"
	"iter"
	"sync"
	"testing"

	"github.com/kun-ml/kun/array"
)

// goroutines are Workers that have nothing to do with a device.
type goroutines int

func (g goroutines) Threads() int { return int(g) }

func (g goroutines) Share(n int, f func(piece, worker int)) {
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { f(i, 0) })
	}
	all.Wait()
}

// TestBatches_WorkersChangeNothing: made by one or by several, the batches of an epoch are the same, the short one too.
func TestBatches_WorkersChangeNothing(t *testing.T) {
	x, y := array.New(array.Uint8, 103, 20, 17), array.New(array.Float32, 103, 2)
	for i := range x.Bytes() {
		x.Bytes()[i] = byte(i * 7919 >> 3)
	}
	for i := range array.Data[float32](y) {
		array.Data[float32](y)[i] = float32(i)
	}
	set, err := FromArrays(x, y)
	if err != nil {
		t.Fatal(err)
	}
	for _, workers := range []goroutines{2, 3, 5} {
		for _, shuffle := range []bool{true, false} {
			one, err := NewBatches(set, Options{Batch: 32, Shuffle: shuffle, Seed: 4})
			if err != nil {
				t.Fatal(err)
			}
			more, err := NewBatches(set, Options{Batch: 32, Shuffle: shuffle, Seed: 4, Workers: workers})
			if err != nil {
				t.Fatal(err)
			}
			for epoch := range 2 {
				next, stop := iter.Pull2(more.Epoch(t.Context(), epoch, 0))
				for want := range one.Epoch(t.Context(), epoch, 0) {
					got, err, ok := next()
					if err != nil || !ok || got.Size != want.Size {
						t.Fatal(got, err, ok)
					}
					for f := range want.Arrays {
						if !bytes.Equal(got.Arrays[f].Bytes(), want.Arrays[f].Bytes()) {
							t.Fatalf("%d workers, epoch %d: field %d differs", workers, epoch, f)
						}
					}
				}
				if _, _, ok := next(); ok {
					t.Fatal("a batch too many")
				}
				stop()
			}
			for _, e := range more.idle {
				if e.slots[0].set == nil {
					t.Error("the workers were not asked")
				}
			}
		}
	}
}
