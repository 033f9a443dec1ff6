package data_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kun-ml/kun/array"
	"github.com/kun-ml/kun/data"
)

// numbers is the order of a shuffled epoch 0 over as many samples as src has.
func numbers(t testing.TB, src data.Source, o data.Options) []int {
	var out []int
	for _, v := range slices.Concat(epoch(t, numbered(t, src.Len()), o, 0, 0)...) {
		out = append(out, int(v))
	}
	return out
}

// epoch is the numbers of the samples, batch by batch.
func epoch(t testing.TB, src data.Source, o data.Options, number, from int) (out [][]int32) {
	t.Helper()
	b, err := data.NewBatches(src, o)
	if err != nil {
		t.Fatal(err)
	}
	for batch, err := range b.Epoch(context.Background(), number, from) {
		if err != nil {
			t.Fatal(err)
		}
		x := batch.Array(data.X)
		if x.Dim(0) != batch.Size || batch.Array(data.Y).Dim(0) != batch.Size || len(batch.Arrays) != len(batch.Fields) {
			t.Fatalf("%d samples in %v", batch.Size, x)
		}
		var in []int32
		for i := range batch.Size {
			v := array.Data[int32](x)[3*i]
			in = append(in, v)
			if int32(array.Data[uint8](batch.Array(data.Y))[i]) != v%10 || array.Data[float32](batch.Array(data.Weight))[i] != float32(v)/2 {
				t.Fatalf("fields of different samples in one row")
			}
		}
		out = append(out, in)
	}
	return out
}

func TestEpoch_CoversEverySampleOnce(t *testing.T) {
	for _, n := range []int{1, 5, 32, 33, 100} {
		for _, o := range []data.Options{{}, {Batch: 1}, {Batch: 7}, {Batch: 7, DropLast: true}, {Batch: 500}} {
			for _, shuffled := range []bool{false, true} {
				for _, ahead := range []int{0, 1, 3, 200} {
					o.Shuffle, o.Prefetch = shuffled, ahead
					if o.DropLast && n < 7 {
						continue
					}
					got := epoch(t, numbered(t, n), o, 2, 0)
					all := slices.Concat(got...)
					if !shuffled && !slices.IsSorted(all) {
						t.Errorf("%d %+v: order %v", n, o, all)
					}
					slices.Sort(all)
					want := n
					if o.DropLast {
						want -= n % 7
					}
					if len(slices.Compact(all)) != want {
						t.Errorf("%d %+v: %d samples, want %d", n, o, len(all), want)
					}
					b, err := data.NewBatches(numbered(t, n), o)
					if err != nil || b.Steps() != len(got) {
						t.Errorf("%d %+v: %d steps, Steps says %d %v", n, o, len(got), b.Steps(), err)
					}
				}
			}
		}
	}
}

func TestEpoch_OrderFollowsSeedAndEpochAlone(t *testing.T) {
	s := numbered(t, 101)
	base := epoch(t, s, data.Options{Batch: 8, Shuffle: true, Seed: 1}, 3, 0)
	for ahead := range 4 {
		o := data.Options{Batch: 8, Shuffle: true, Seed: 1, Prefetch: ahead}
		for from := range len(base) + 2 {
			want := base[min(from, len(base)):]
			if got := epoch(t, s, o, 3, from); !reflect.DeepEqual(got, want) && len(got)+len(want) > 0 {
				t.Fatalf("prefetch %d, from step %d: %v, want %v", ahead, from, got, want)
			}
		}
	}
	seen := map[string]bool{}
	for seed := range 4 {
		for e := range 4 {
			seen[fmt.Sprint(epoch(t, s, data.Options{Batch: 8, Shuffle: true, Seed: uint64(seed)}, e, 0))] = true
		}
	}
	if len(seen) != 16 {
		t.Errorf("%d different orders of 16", len(seen))
	}
	// An object that has run other epochs gives the same order as a fresh one.
	b, err := data.NewBatches(s, data.Options{Batch: 8, Shuffle: true, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range []int{0, 3, 1, 3} {
		i := 0
		for batch := range b.Epoch(t.Context(), e, 0) {
			if e == 3 && array.Data[int32](batch.Array(data.X))[0] != base[i][0] {
				t.Fatal("the order depends on the epochs before")
			}
			i++
		}
	}
}

// The order is part of what a seed promises: a saved run resumes with it.
func TestShuffle_IsLocked(t *testing.T) {
	got := fmt.Sprint(epoch(t, numbered(t, 12), data.Options{Batch: 12, Shuffle: true, Seed: 42}, 1, 0)[0])
	if want := "[7 4 6 2 5 3 0 10 11 1 9 8]"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestShuffle_IsUniform(t *testing.T) {
	const n, rounds = 5, 6000
	b, err := data.NewBatches(numbered(t, n), data.Options{Batch: n, Shuffle: true})
	if err != nil {
		t.Fatal(err)
	}
	var at [n][n]float64
	for e := range rounds {
		for batch := range b.Epoch(t.Context(), e, 0) {
			for i := range n {
				at[i][array.Data[int32](batch.Array(data.X))[3*i]]++
			}
		}
	}
	chi := 0.
	for _, row := range at {
		for _, c := range row {
			chi += (c - rounds/n) * (c - rounds/n) / (rounds / n)
		}
	}
	if chi > 40 { // 16 degrees of freedom: above 39.3 once in a thousand
		t.Errorf("chi squared %v", chi)
	}
}

func TestEpoch_StepsAllocateNothing(t *testing.T) {
	s := numbered(t, 6400)
	for name, src := range map[string]data.Source{"set": s, "subset": data.Subset(s, seq(6400)), "head": data.Head(s, 6400)} {
		for _, ahead := range []int{0, 2} {
			b, err := data.NewBatches(src, data.Options{Shuffle: true, Prefetch: ahead})
			if err != nil {
				t.Fatal(err)
			}
			n := testing.AllocsPerRun(5, func() {
				for _, err := range b.Epoch(t.Context(), 1, 0) {
					if err != nil {
						t.Fatal(err)
					}
				}
			})
			if n > 30 { // of the epoch; it has 200 steps
				t.Errorf("%s, prefetch %d: %v allocations in an epoch of %d steps", name, ahead, n, b.Steps())
			}
		}
	}
}

// failing cannot read one of its samples.
type failing struct {
	data.Source
	row int
	in  func()
}

var errDisk = errors.New("the disk is gone")

func (f failing) Gather(dst []*array.Array, rows []int) error {
	if f.in != nil {
		f.in()
	}
	if slices.Contains(rows, f.row) {
		return errDisk
	}
	return f.Source.Gather(dst, rows)
}

func TestEpoch_EndsWithTheError(t *testing.T) {
	for ahead := range 3 {
		b, err := data.NewBatches(failing{Source: numbered(t, 100), row: 50}, data.Options{Batch: 10, Prefetch: ahead})
		if err != nil {
			t.Fatal(err)
		}
		good, last := 0, error(nil)
		for batch, err := range b.Epoch(t.Context(), 4, 0) {
			if last = err; err == nil {
				good++
			} else if batch != nil {
				t.Error("a batch beside an error")
			}
		}
		if good != 5 || !errors.Is(last, errDisk) || last.Error() != "data: epoch 4, step 5: the disk is gone" {
			t.Errorf("prefetch %d: %d batches, %v", ahead, good, last)
		}
		for _, at := range [][2]int{{-1, 0}, {0, -1}} {
			errs := 0
			for _, err := range b.Epoch(t.Context(), at[0], at[1]) {
				if errs++; err == nil || errs > 1 {
					t.Errorf("epoch %d from step %d: %v", at[0], at[1], err)
				}
			}
			if errs != 1 {
				t.Errorf("epoch %d from step %d ended without an error", at[0], at[1])
			}
		}
	}
}

// TestEpoch_APanicOfTheSourceReachesTheLoop: it does not end the program from another goroutine.
func TestEpoch_APanicOfTheSourceReachesTheLoop(t *testing.T) {
	for ahead := range 3 {
		n := 0
		b, err := data.NewBatches(failing{Source: numbered(t, 100), row: -1, in: func() {
			if n++; n == 3 {
				panic("the source is broken")
			}
		}}, data.Options{Batch: 10, Prefetch: ahead})
		if err != nil {
			t.Fatal(err)
		}
		good := 0
		func() {
			defer func() {
				if p := recover(); p == nil || !strings.Contains(fmt.Sprint(p), "the source is broken") {
					t.Errorf("prefetch %d: %v", ahead, p)
				}
			}()
			for range b.Epoch(t.Context(), 0, 0) {
				good++
			}
		}()
		if good != 2 {
			t.Errorf("prefetch %d: %d batches before it", ahead, good)
		}
	}
}

func TestEpoch_CancelAndLeaveEarlyLeakNothing(t *testing.T) {
	before := runtime.NumGoroutine()
	for _, ahead := range []int{0, 1, 4} {
		reading := 0
		b, err := data.NewBatches(failing{Source: numbered(t, 1000), row: -1, in: func() { reading++ }}, data.Options{Batch: 10, Prefetch: ahead})
		if err != nil {
			t.Fatal(err)
		}
		for stop := range 6 { // the memory is used again after each
			n := 0
			for range b.Epoch(t.Context(), stop, 0) {
				if n == stop {
					break
				}
				n++
			}
			at := reading
			time.Sleep(time.Millisecond)
			if reading != at || reading > (stop+1)*(stop+2)/2+(stop+1)*ahead {
				t.Errorf("prefetch %d: %d batches read, %d after the loop", ahead, at, reading)
			}
		}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		n, last := 0, error(nil)
		for _, err := range b.Epoch(ctx, 0, 0) {
			last = err
			if n++; n == 3 {
				cancel()
			}
		}
		if n != 4 || !errors.Is(last, context.Canceled) {
			t.Errorf("prefetch %d: %d turns after cancelling in the third, %v", ahead, n, last)
		}
		func() { // a panic in the loop leaves no goroutine either
			defer func() { _ = recover() }()
			for range b.Epoch(context.Background(), 0, 0) {
				panic("stop")
			}
		}()
	}
	after := 0
	for range 1000 { // a goroutine that has said that it is done is counted for a moment more
		if after = runtime.NumGoroutine(); after <= before {
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Errorf("%d goroutines, %d before", after, before)
}

func TestEpochs_AtTheSameTime(t *testing.T) {
	s := numbered(t, 64)
	b, err := data.NewBatches(s, data.Options{Batch: 8, Shuffle: true, Prefetch: 1})
	if err != nil {
		t.Fatal(err)
	}
	want := slices.Concat(epoch(t, s, data.Options{Batch: 8, Shuffle: true}, 0, 0)...)
	var outer []int32
	for batch := range b.Epoch(t.Context(), 0, 0) {
		for range b.Epoch(t.Context(), 1, 0) {
		}
		for i := range batch.Size {
			outer = append(outer, array.Data[int32](batch.Array(data.X))[3*i])
		}
	}
	if !reflect.DeepEqual(outer, want) {
		t.Errorf("%v, want %v", outer, want)
	}
}
