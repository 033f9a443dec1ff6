package data

import (
	"context"
	"fmt"
	"iter"
	"math"
	"strconv"
	"sync"

	"github.com/kun-ml/kun/array"
	"github.com/kun-ml/kun/internal/rng"
)

// Options says how a source is cut into batches.
type Options struct {
	Batch    int    // samples per batch; 0: 32
	Shuffle  bool   // another order in every epoch
	Seed     uint64 // of the shuffle
	DropLast bool   // leave out the last batch when it is short
	Prefetch int    // batches that another goroutine prepares ahead; 0: none, each is made when it is asked for

	// Workers make a batch together when its rows are long and none is prepared ahead: each copies the part of the rows that
	// it reads in a training step, so that the processor's cores need not send it to each other. nil: there are none.
	Workers Workers
}

// Workers run pieces of work at once; device/cpu.Device has them.
type Workers interface {
	Threads() int
	// Share runs f(piece, worker) for each piece in [0, n) and returns when all have ended.
	Share(n int, f func(piece, worker int))
}

// Batch is some samples, as arrays. It is valid until the next step of its epoch: the memory is used again.
type Batch struct {
	Fields []Field
	Arrays []*array.Array // one per field, (Size, field...)
	Size   int            // samples
}

// Array is the batch's part of a field; nil when there is none of that name.
func (b *Batch) Array(name string) *array.Array {
	if i := fieldNamed(b.Fields, name); i >= 0 {
		return b.Arrays[i]
	}
	return nil
}

// Batches cuts a source into batches, epoch by epoch. It is safe for concurrent use; epochs that run at the same time
// have memory of their own.
type Batches struct {
	src    Source
	o      Options
	n      int // samples
	batch  int
	steps  int
	fields []Field

	mu   sync.Mutex
	idle []*epoch // memory that no epoch uses now
}

// NewBatches prepares to cut a source. A batch larger than the data is one short batch. Errors: an empty source,
// negative sizes, DropLast that leaves nothing, a shuffle of more than 2^31 samples.
func NewBatches(src Source, o Options) (*Batches, error) {
	n := src.Len()
	fields := src.Fields()
	if o.Batch == 0 {
		o.Batch = 32
	}
	switch {
	case n <= 0:
		return nil, fmt.Errorf("data: the source has no samples")
	case o.Batch < 0:
		return nil, fmt.Errorf("data: a batch of %d samples; want 1 or more, or 0 for 32", o.Batch)
	case o.Prefetch < 0:
		return nil, fmt.Errorf("data: %d batches to prefetch; want 0 or more", o.Prefetch)
	case o.DropLast && o.Batch > n:
		return nil, fmt.Errorf("data: DropLast leaves nothing of %d samples in batches of %d", n, o.Batch)
	case o.Shuffle && n > math.MaxInt32:
		return nil, fmt.Errorf("data: %d samples are more than can be shuffled (%d)", n, math.MaxInt32)
	}
	if err := checkFields(fields); err != nil {
		return nil, err
	}
	b := &Batches{src: src, o: o, n: n, batch: min(o.Batch, n), fields: fields}
	b.steps = n / b.batch
	if n%b.batch > 0 && !o.DropLast {
		b.steps++
	}
	return b, nil
}

// Steps is the number of batches in an epoch.
func (b *Batches) Steps() int { return b.steps }

// Epoch gives the batches of an epoch from step fromStep on, both counted from 0. Their order depends on the seed and the
// epoch alone: with fromStep the same batches remain as without. Prefetch changes neither order nor bits. The sequence
// ends with an error when a sample cannot be read or ctx is done (then it is ctx.Err()). Leaving the loop early is fine:
// when it is left, no goroutine remains. The memory of an epoch is made once and used by the epochs after it; a step
// allocates nothing.
func (b *Batches) Epoch(ctx context.Context, number, fromStep int) iter.Seq2[*Batch, error] {
	return func(yield func(*Batch, error) bool) {
		if number < 0 || fromStep < 0 {
			yield(nil, fmt.Errorf("data: epoch %d, step %d: negative", number, fromStep))
			return
		}
		e := b.take()
		defer b.give(e)
		e.begin(number)
		if b.o.Prefetch > 0 {
			e.runAhead(ctx, fromStep, yield)
			return
		}
		for step := fromStep; step < b.steps; step++ {
			err := ctx.Err()
			var batch *Batch
			if err == nil {
				batch, err = e.fill(&e.slots[0], step)
			}
			if !yield(batch, err) || err != nil {
				return
			}
		}
	}
}

func (b *Batches) take() *epoch {
	b.mu.Lock()
	defer b.mu.Unlock()
	if k := len(b.idle); k > 0 {
		e := b.idle[k-1]
		b.idle = b.idle[:k-1]
		return e
	}
	e := &epoch{b: b, number: -1, slots: make([]slot, b.o.Prefetch+1)}
	if b.o.Shuffle {
		e.order = make([]int32, b.n)
	}
	return e
}

func (b *Batches) give(e *epoch) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.idle = append(b.idle, e)
}

// epoch is the memory of a running epoch.
type epoch struct {
	b      *Batches
	number int
	order  []int32 // sample at each place; nil without a shuffle
	slots  []slot
}

// slot is room for one batch.
type slot struct {
	rows        []int
	full, short *Batch // short: the same memory, fewer rows

	// For batches that workers make together.
	set    *Set // nil: they do not
	pieces int
	share  func(piece, worker int)
	now    *Batch
	next   []int // the rows of the batch after
}

// shared prepares the slot for workers, if there are some and the work is worth it: a set in memory with long rows.
func (s *slot) shared(b *Batches) {
	set, ok := b.src.(*Set)
	if !ok || b.o.Workers == nil || b.o.Prefetch > 0 || b.o.Workers.Threads() < 2 || !set.long(b.batch) {
		return
	}
	s.set, s.pieces, s.next = set, b.o.Workers.Threads(), make([]int, b.batch)
	s.share = func(piece, _ int) { set.gatherPart(s.now.Arrays, s.rows[:s.now.Size], s.next, piece, s.pieces) }
}

// begin puts the samples in the order of the epoch.
func (e *epoch) begin(number int) {
	if e.order == nil || e.number == number {
		e.number = number
		return
	}
	e.number = number
	shuffle(e.order, e.b.o.Seed, number)
}

// shuffle writes the order of an epoch: a permutation that depends on the seed and the epoch alone (Fisher and Yates).
func shuffle(order []int32, seed uint64, epoch int) {
	for i := range order {
		order[i] = int32(i)
	}
	s := rng.New(seed, "data/shuffle/"+strconv.Itoa(epoch))
	for i := len(order) - 1; i > 0; i-- {
		j := s.IntN(i + 1)
		order[i], order[j] = order[j], order[i]
	}
}

// fill reads the samples of a step into a slot.
func (e *epoch) fill(s *slot, step int) (*Batch, error) {
	b := e.b
	from := step * b.batch
	size := min(b.batch, b.n-from)
	batch := s.room(b, size)
	rows := s.rows[:size]
	e.rows(rows, from)
	if s.set == nil {
		if err := b.src.Gather(batch.Arrays, rows); err != nil {
			return nil, fmt.Errorf("data: epoch %d, step %d: %w", e.number, step, err)
		}
		return batch, nil
	}
	s.now, s.next = batch, s.next[:min(b.batch, b.n-from-size)]
	e.rows(s.next, from+size)
	b.o.Workers.Share(s.pieces, s.share)
	return batch, nil
}

// rows writes down the samples at the places from..
func (e *epoch) rows(rows []int, from int) {
	for i := range rows {
		rows[i] = from + i
		if e.order != nil {
			rows[i] = int(e.order[from+i])
		}
	}
}

// room is the slot's batch for so many samples, made at its first use.
func (s *slot) room(b *Batches, size int) *Batch {
	if s.full == nil {
		s.rows = make([]int, b.batch)
		s.full = &Batch{Fields: b.fields, Size: b.batch}
		for _, f := range b.fields {
			s.full.Arrays = append(s.full.Arrays, array.New(f.DType, append(array.Shape{b.batch}, f.Shape...)...))
		}
		s.shared(b)
	}
	if size == b.batch {
		return s.full
	}
	if s.short == nil || s.short.Size != size {
		s.short = &Batch{Fields: b.fields, Size: size}
		for _, a := range s.full.Arrays {
			s.short.Arrays = append(s.short.Arrays, a.Rows(0, size))
		}
	}
	return s.short
}
