package data_test

import (
	"context"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/kun-ml/kun/array"
	"github.com/kun-ml/kun/data"
)

func all(t testing.TB, src data.Source) []int32 { return rows(t, src, seq(src.Len())...) }

func labelled(t testing.TB, y *array.Array) *data.Set {
	t.Helper()
	n := y.Dim(0)
	x := array.New(array.Int32, n, 3)
	for i := range n {
		copy(array.Data[int32](x)[3*i:], []int32{int32(i), int32(-i)})
	}
	s, err := data.FromArrays(x, y)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSplit_PartsAreAPartitionInExactProportion(t *testing.T) {
	counts := []int{50, 30, 19, 1} // of the classes 0, 1, 2, 7
	var y []int32
	for i, c := range []int32{0, 1, 2, 7} {
		for range counts[i] {
			y = append(y, c)
		}
	}
	for i := range y { // a fixed mixture
		j := i * 37 % len(y)
		y[i], y[j] = y[j], y[i]
	}
	for _, c := range []struct {
		fraction float64
		want     []int // of each class in the second part
	}{
		{0.1, []int{5, 3, 2, 0}}, {0.25, []int{13, 7, 5, 0}}, {0.5, []int{25, 15, 10, 0}}, {0.75, []int{38, 22, 14, 1}}, {0.99, []int{49, 30, 19, 1}}, {0.001, []int{1, 0, 0, 0}}, {0.9999, []int{49, 30, 19, 1}},
	} {
		for _, shape := range [][]int{{100}, {100, 1}} {
			s := labelled(t, array.From(y, shape...))
			a, b, err := data.Split(s, data.SplitOptions{Fraction: c.fraction, Seed: 3})
			if err != nil {
				t.Fatal(err)
			}
			left, right := all(t, a), all(t, b)
			if !slices.IsSorted(left) || !slices.IsSorted(right) {
				t.Error("the order of the data was not kept")
			}
			both := slices.Sorted(slices.Values(slices.Concat(left, right)))
			if !reflect.DeepEqual(both, all(t, s)) {
				t.Fatalf("%v: not a partition", c.fraction)
			}
			got := make([]int, 4)
			for _, r := range right {
				got[slices.Index([]int32{0, 1, 2, 7}, y[r])]++
			}
			if !reflect.DeepEqual(got, c.want) {
				t.Errorf("%v: %v of each class, want %v", c.fraction, got, c.want)
			}
		}
	}
}

func TestSplit_SeedsAndKinds(t *testing.T) {
	s := numbered(t, 1000)
	part := func(src data.Source, o data.SplitOptions) []int32 {
		o.Fraction = 0.1
		_, b, err := data.Split(src, o)
		if err != nil || b.Len() != 100 {
			t.Fatal(b.Len(), err)
		}
		return all(t, b)
	}
	seen := map[string]bool{}
	for seed := range uint64(5) {
		if a, b := part(s, data.SplitOptions{Seed: seed}), part(s, data.SplitOptions{Seed: seed}); !reflect.DeepEqual(a, b) {
			t.Error("one seed, two splits")
		}
		seen[fmt.Sprint(part(s, data.SplitOptions{Seed: seed}))] = true
		seen[fmt.Sprint(part(s, data.SplitOptions{Seed: seed, NoStratify: true}))] = true
	}
	if len(seen) != 10 {
		t.Errorf("%d different splits of 10", len(seen))
	}
	floats := labelled(t, array.New(array.Float32, 1000)) // no classes: as if NoStratify were set
	if a, b := part(floats, data.SplitOptions{Seed: 1}), part(s, data.SplitOptions{Seed: 1, NoStratify: true}); !reflect.DeepEqual(a, b) {
		t.Error("labels that are no classes change the choice")
	}
	if got := part(s, data.SplitOptions{Seed: 1}); fmt.Sprint(got[:8]) != "[7 10 21 50 52 56 78 79]" {
		t.Errorf("the choice that seed 1 promises has changed: %v", got[:8])
	}
}

func TestSplit_Keras(t *testing.T) {
	// train_validation_split of Keras 3.15: int(math.floor(n * (1.0 - s)))
	for _, c := range []struct {
		n    int
		s    float64
		want int
	}{{10, 0.2, 8}, {10, 0.25, 7}, {7, 0.3, 4}, {60000, 0.1, 54000}, {3, 0.5, 1}, {10, 0.1, 9}, {100, 0.29, 71}, {2, 0.01, 1}} {
		a, b, err := data.Split(data.Head(numbered(t, c.n), c.n), data.SplitOptions{Fraction: c.s, Keras: true})
		if err != nil || a.Len() != c.want || a.Len()+b.Len() != c.n {
			t.Fatalf("%v: %v", c, err)
		}
		if x, y := all(t, a), all(t, b); x[0] != 0 || int(y[0]) != c.want || int(y[len(y)-1]) != c.n-1 {
			t.Errorf("%v: from %d, then from %d to %d", c, x[0], y[0], y[len(y)-1])
		}
		if sub, _, err := data.Split(data.Subset(numbered(t, c.n), seq(c.n)), data.SplitOptions{Fraction: c.s, Keras: true}); err != nil || !reflect.DeepEqual(all(t, sub), all(t, a)) {
			t.Errorf("%v of a subset: %v", c, err)
		}
	}
}

func TestSplit_Mistakes(t *testing.T) {
	for _, c := range []struct {
		n    int
		o    data.SplitOptions
		want string
	}{
		{10, data.SplitOptions{}, "data: Split: a fraction of 0; want one between 0 and 1, such as 0.1"},
		{10, data.SplitOptions{Fraction: math.NaN()}, "data: Split: a fraction of NaN; want one between 0 and 1, such as 0.1"},
		{10, data.SplitOptions{Fraction: 10}, "data: Split: a fraction of 10; want one between 0 and 1, such as 0.1"},
		{1, data.SplitOptions{Fraction: 0.5}, "data: Split: 1 samples cannot be split"},
		{2, data.SplitOptions{Fraction: 0.9, Keras: true}, "data: Split: a fraction of 0.9 of 2 samples leaves none for the first part"},
	} {
		if _, _, err := data.Split(numbered(t, c.n), c.o); err == nil || err.Error() != c.want {
			t.Errorf("got  %v\nwant %s", err, c.want)
		}
	}
}

func TestClassWeights_Balance(t *testing.T) {
	s := labelled(t, array.From([]uint8{0, 0, 0, 2, 2, 5}))
	for _, src := range []data.Source{s, data.Subset(s, seq(6))} {
		w, err := data.ClassWeights(t.Context(), src)
		if want := map[int]float64{0: 6. / 9, 2: 1, 5: 2}; err != nil || !reflect.DeepEqual(w, want) {
			t.Errorf("%v %v, want %v", w, err, want)
		}
	}
	for _, src := range []data.Source{labelled(t, array.New(array.Float32, 3)), labelled(t, array.New(array.Uint8, 0)), labelled(t, array.New(array.Uint8, 4, 2))} {
		if w, err := data.ClassWeights(t.Context(), src); err == nil {
			t.Errorf("%v", w)
		}
	}
}

func TestValidate(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(-1))
	x := array.New(array.Float32, 3000, 5, 100) // several pieces
	with := func(at int, v float32) *array.Array {
		y := x.Clone()
		array.Data[float32](y)[at] = v
		return y
	}
	halves := array.New(array.Float16, 4)
	halves.SetFloat64s([]float64{1, 2, math.NaN(), 3})
	ten := strings.Split("abcdefghij", "")
	for _, c := range []struct {
		cols    []data.Named
		e       data.Expect
		classes []string
		want    string
	}{
		{[]data.Named{{Name: "x", Array: x}}, data.Expect{}, nil, ""},
		{[]data.Named{{Name: "x", Array: with(2711*500+417, nan)}}, data.Expect{}, nil, `data: field "x", row 2711, position (4, 17): NaN`},
		{[]data.Named{{Name: "x", Array: with(0, inf)}}, data.Expect{}, nil, `data: field "x", row 0, position (0, 0): -Inf`},
		{[]data.Named{{Name: "h", Array: halves}}, data.Expect{}, nil, `data: field "h", row 2: NaN`},
		{[]data.Named{{Name: "y", Array: array.From([]uint8{1, 2, 9, 0})}}, data.Expect{Classes: 9}, nil, `data: field "y", row 2: the label 9 is out of range: there are 9 classes, 0 to 8`},
		{[]data.Named{{Name: "y", Array: array.From([]uint8{1, 2, 11, 0})}}, data.Expect{}, ten, `data: field "y", row 2: the label 11 is out of range: there are 10 classes, 0 to 9`},
		{[]data.Named{{Name: "y", Array: array.From([]int64{1, -2}, 2, 1)}}, data.Expect{}, nil, `data: field "y", row 1, position (0,): the label -2; classes are counted from 0`},
		{[]data.Named{{Name: "y", Array: array.From([]int64{1, -2, 0, 7})}}, data.Expect{Classes: 2, Ignore: []int{-2}}, nil, `data: field "y", row 3: the label 7 is out of range: there are 2 classes, 0 to 1`},
		{[]data.Named{{Name: "weight", Array: array.From([]float32{1, -2})}}, data.Expect{}, nil, `data: field "weight", row 1: a weight of -2; weights are 0 or more`},
		{[]data.Named{{Name: "x", Array: array.New(array.Float32, 0, 4)}}, data.Expect{}, nil, `data: the source has no samples`},
		{[]data.Named{{Name: "y", Array: array.From([]uint8{3, 3, 3})}}, data.Expect{}, ten, `warning: all samples are of one class, 3 (d): there is nothing to tell apart`},
		{[]data.Named{{Name: "y", Array: array.From([]uint8{3, 0, 3})}}, data.Expect{Classes: 5}, nil, `warning: no sample of the classes 1, 2, 4`},
		{[]data.Named{{Name: "y", Array: array.From([]uint8{3, 0, 3})}}, data.Expect{Classes: 20}, nil, `warning: no sample of the classes 1, 2, 4, 5, 6, 7, 8, 9 and 10 more`},
		{[]data.Named{{Name: "weight", Array: array.New(array.Int32, 3)}}, data.Expect{}, nil, `warning: all weights are 0: nothing will be learned`},
	} {
		s, err := data.NewSet(c.cols...)
		if err != nil {
			t.Fatal(err)
		}
		s.Classes = c.classes
		for _, src := range []data.Source{s, data.Subset(s, seq(s.Len()))} {
			warn, err := data.Validate(t.Context(), src, c.e)
			got := ""
			if len(warn) > 0 {
				got = "warning: " + strings.Join(warn, "|")
			}
			if err != nil {
				got = err.Error()
			}
			if got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := data.Validate(ctx, numbered(t, 5), data.Expect{}); err != context.Canceled {
		t.Error(err)
	}
}

func TestChunks_GiveEveryRowInOrder(t *testing.T) {
	s := numbered(t, 100)
	for _, src := range []data.Source{s, data.Subset(s, seq(100)), data.Head(s, 100)} {
		for _, size := range []int{0, 1, 7, 100, 1000} {
			var got []float64
			for a, err := range data.Chunks(t.Context(), src, data.Weight, size) {
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, a.Float64s()...)
			}
			if len(got) != 100 || got[99] != 49.5 || !slices.IsSorted(got) {
				t.Errorf("size %d: %v", size, got)
			}
		}
	}
	for _, err := range data.Chunks(t.Context(), s, "z", 0) {
		if err == nil || err.Error() != `data: no field "z"; there are x, y, weight` {
			t.Error(err)
		}
	}
}
