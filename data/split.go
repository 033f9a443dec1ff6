package data

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/kun-ml/kun/internal/rng"
)

// SplitOptions says how Split divides.
type SplitOptions struct {
	Fraction   float64 // of the samples that go to the second part, above 0 and below 1
	Seed       uint64  // of the choice
	NoStratify bool    // choose from all samples alike
	Keras      bool    // Keras's validation_split: the second part is the tail of the data as they stand, nothing is chosen
}

// Split divides the samples in two parts, such as for training and validation. Where y holds one class number per sample
// (an integer or bool), each class is divided in the same proportion, as exactly as whole samples allow (largest
// remainder); otherwise, and with NoStratify, the choice is from all samples alike. Both parts keep the order of the data,
// hold at least one sample, and depend on the data and the seed alone. The second part has round(n * Fraction) samples;
// with Keras the first has floor(n * (1 - Fraction)).
func Split(src Source, o SplitOptions) (train, rest Source, err error) {
	n := src.Len()
	switch {
	case !(o.Fraction > 0 && o.Fraction < 1):
		return nil, nil, fmt.Errorf("data: Split: a fraction of %v; want one between 0 and 1, such as 0.1", o.Fraction)
	case n < 2:
		return nil, nil, fmt.Errorf("data: Split: %d samples cannot be split", n)
	}
	if o.Keras {
		at := int(math.Floor(float64(n) * (1 - o.Fraction)))
		if at == 0 {
			return nil, nil, fmt.Errorf("data: Split: a fraction of %v of %d samples leaves none for the first part", o.Fraction, n)
		}
		return run(src, 0, at), run(src, at, n-at), nil
	}
	take := min(max(int(math.Round(float64(n)*o.Fraction)), 1), n-1)
	chosen := make([]bool, n)
	if f, ok := FieldOf(src, Y); ok && isLabel(f) && !o.NoStratify {
		y, err := labels(context.Background(), src, Y)
		if err != nil {
			return nil, nil, err
		}
		chooseOfEach(chosen, y, take, o.Seed)
	} else {
		choose(chosen, sequence(n), take, rng.New(o.Seed, "data/split"))
	}
	a, b := make([]int, 0, n-take), make([]int, 0, take)
	for i, c := range chosen {
		if c {
			b = append(b, i)
		} else {
			a = append(a, i)
		}
	}
	return Subset(src, a), Subset(src, b), nil
}

func sequence(n int) []int32 {
	out := make([]int32, n)
	for i := range out {
		out[i] = int32(i)
	}
	return out
}

// choose marks k of the rows; it changes their order.
func choose(chosen []bool, rows []int32, k int, s *rng.Source) {
	for i := range k {
		j := i + s.IntN(len(rows)-i)
		rows[i], rows[j] = rows[j], rows[i]
		chosen[rows[i]] = true
	}
}

// chooseOfEach marks take rows, of every class its share.
func chooseOfEach(chosen []bool, y []int64, take int, seed uint64) {
	of := map[int64][]int32{}
	for i, c := range y {
		of[c] = append(of[c], int32(i))
	}
	classes := slices.Sorted(maps.Keys(of))
	count := make([]int, len(classes))
	for i, c := range classes {
		count[i] = len(of[c])
	}
	for i, k := range shares(count, take) {
		choose(chosen, of[classes[i]], k, rng.New(seed, fmt.Sprintf("data/split/%d", classes[i])))
	}
}

// shares divides total in proportion to count by the largest remainder; of equal remainders the first wins.
func shares(count []int, total int) []int {
	sum := 0
	for _, c := range count {
		sum += c
	}
	out, order, left := make([]int, len(count)), make([]int, len(count)), total
	for i, c := range count {
		out[i], order[i] = c*total/sum, i
		left -= out[i]
	}
	slices.SortStableFunc(order, func(a, b int) int { return count[b]*total%sum - count[a]*total%sum })
	for _, i := range order[:left] {
		out[i]++
	}
	return out
}
