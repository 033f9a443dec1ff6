package data

import (
	"fmt"
	"slices"
	"sync"

	"github.com/kun-ml/kun/array"
)

// view is some rows of another source.
type view struct {
	src     Source
	rows    []int // nil: the run of n rows that begins with from
	from, n int

	mu   sync.Mutex
	idle [][]int // memory for rows of src that no call uses now
}

// Subset is the source that has the given rows of src, in that order; a row may appear more than once. It keeps a copy of
// rows, not of the samples. A row out of range is an error when it is read.
func Subset(src Source, rows []int) Source {
	own := make([]int, len(rows))
	copy(own, rows)
	s, ok := src.(*view)
	if ok && !slices.ContainsFunc(rows, func(r int) bool { return uint(r) >= uint(s.n) }) {
		for i, r := range own {
			own[i] = s.at(r)
		}
		src = s.src
	}
	return &view{src: src, rows: own, n: len(own)}
}

// Head is the source of the first n samples of src, of all when it has fewer.
func Head(src Source, n int) Source { return run(src, 0, min(max(n, 0), src.Len())) }

// run is the source of n rows of src from one on.
func run(src Source, from, n int) Source {
	if s, ok := src.(*view); ok {
		if s.rows != nil {
			return &view{src: s.src, rows: s.rows[from : from+n], n: n}
		}
		src, from = s.src, from+s.from
	}
	return &view{src: src, from: from, n: n}
}

// at is the row of the source below.
func (s *view) at(row int) int {
	if s.rows == nil {
		return s.from + row
	}
	return s.rows[row]
}

// Len is the number of samples.
func (s *view) Len() int { return s.n }

// Fields describes the parts of a sample.
func (s *view) Fields() []Field { return s.src.Fields() }

// Unwrap is the source below.
func (s *view) Unwrap() Source { return s.src }

// Gather reads rows of the source below. It allocates nothing once its memory has been made.
func (s *view) Gather(dst []*array.Array, rows []int) error {
	below := s.take(len(rows))
	defer s.give(below)
	for i, r := range rows {
		if uint(r) >= uint(s.n) {
			return fmt.Errorf("data: Gather: row %d of a subset of %d samples", r, s.n)
		}
		below[i] = s.at(r)
	}
	return s.src.Gather(dst, below)
}

func (s *view) take(n int) []int {
	s.mu.Lock()
	defer s.mu.Unlock()
	var b []int
	if k := len(s.idle); k > 0 {
		b, s.idle = s.idle[k-1], s.idle[:k-1]
	}
	return slices.Grow(b[:0], n)[:n]
}

func (s *view) give(b []int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.idle = append(s.idle, b)
}
