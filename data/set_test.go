package data_test

import (
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/kun-ml/kun/array"
	"github.com/kun-ml/kun/data"
)

// numbered is n samples that carry their own number: x int32 (3), y uint8 (), weight float32 ().
func numbered(t testing.TB, n int) *data.Set {
	t.Helper()
	x, y, w := array.New(array.Int32, n, 3), array.New(array.Uint8, n), array.New(array.Float32, n)
	for i := range n {
		copy(array.Data[int32](x)[3*i:], []int32{int32(i), int32(-i), 7})
		array.Data[uint8](y)[i] = uint8(i % 10)
		array.Data[float32](w)[i] = float32(i) / 2
	}
	s, err := data.NewSet(data.Named{Name: data.X, Array: x}, data.Named{Name: data.Y, Array: y}, data.Named{Name: data.Weight, Array: w})
	if err != nil {
		t.Fatal(err)
	}
	s.Classes = strings.Split("0123456789", "")
	return s
}

// rows reads the numbers of some samples of a source made from numbered.
func rows(t testing.TB, src data.Source, at ...int) []int32 {
	t.Helper()
	x := array.New(array.Int32, len(at), 3)
	dst := make([]*array.Array, len(src.Fields()))
	dst[0] = x
	if err := src.Gather(dst, at); err != nil {
		t.Fatal(err)
	}
	out := make([]int32, len(at))
	for i := range out {
		out[i] = array.Data[int32](x)[3*i]
		if array.Data[int32](x)[3*i+1] != -out[i] {
			t.Fatalf("a torn row: %v", array.Data[int32](x)[3*i:3*i+3])
		}
	}
	return out
}

func TestSet_GathersEveryWidth(t *testing.T) {
	n := 50
	var cols []data.Named
	for i, d := range array.DTypes() {
		for _, shape := range []array.Shape{{}, {1}, {5}, {2, 0}, {3, 7}} {
			a := array.New(d, append(array.Shape{n}, shape...)...)
			for j := range a.Bytes() {
				a.Bytes()[j] = byte(j*7 + i)
				if d == array.Bool {
					a.Bytes()[j] &= 1
				}
			}
			cols = append(cols, data.Named{Name: d.String() + shape.String(), Array: a})
		}
	}
	s, err := data.NewSet(cols...)
	if err != nil {
		t.Fatal(err)
	}
	at := []int{49, 0, 7, 7, 31}
	var dst []*array.Array
	for _, f := range s.Fields() {
		dst = append(dst, array.New(f.DType, append(array.Shape{len(at) + 1}, f.Shape...)...))
	}
	if err := s.Gather(dst, at); err != nil {
		t.Fatal(err)
	}
	for f, c := range cols {
		for i, r := range at {
			if got, want := dst[f].Rows(i, i+1).Bytes(), c.Array.Rows(r, r+1).Bytes(); string(got) != string(want) {
				t.Errorf("%s: row %d is %v, want %v", c.Name, r, got, want)
			}
		}
		for _, b := range dst[f].Rows(len(at), len(at)+1).Bytes() {
			if b != 0 {
				t.Errorf("%s: wrote past the rows", c.Name)
			}
		}
	}
}

func TestSet_Mistakes(t *testing.T) {
	x := array.New(array.Float32, 4, 2)
	set := func(cols ...data.Named) func() error {
		return func() error { _, err := data.NewSet(cols...); return err }
	}
	s := numbered(t, 5)
	gather := func(dst []*array.Array, rows ...int) func() error {
		return func() error { return s.Gather(dst, rows) }
	}
	batches := func(src data.Source, o data.Options) func() error {
		return func() error { _, err := data.NewBatches(src, o); return err }
	}
	empty, err := data.FromArrays(array.New(array.Float32, 0, 2), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		do   func() error
		want string
	}{
		{set(data.Named{Name: "x", Array: x}, data.Named{Name: "y", Array: array.New(array.Uint8, 3)}), `data: column "y" has 3 rows, column "x" has 4`},
		{set(), "data: the source has no fields"},
		{set(data.Named{Name: "x"}), `data: column "x": no array`},
		{set(data.Named{Name: "x", Array: array.Scalar(float32(1))}), `data: column "x" is a single number; a column has the shape (samples, ...)`},
		{set(data.Named{Name: "x", Array: x}, data.Named{Name: "x", Array: x}), `data: two fields are named "x"`},
		{set(data.Named{Name: "", Array: x}), "data: field 0 has no name"},
		{func() error { _, err := data.FromSlices([][]float32{{1, 2}, {3}}, []int32{0, 1}); return err }, "data: row 1 has 1 values, row 0 has 2"},
		{func() error { _, err := data.FromSlices([][]float32{{1, 2}, {3, 4}}, []int32{0}); return err }, `data: column "y" has 1 rows, column "x" has 2`},
		{gather(make([]*array.Array, 3), 5), "data: Gather: row 5 of a set of 5 samples"},
		{gather(make([]*array.Array, 3), -1), "data: Gather: row -1 of a set of 5 samples"},
		{gather(make([]*array.Array, 2), 0), "data: Gather: 2 arrays for 3 fields"},
		{gather([]*array.Array{array.New(array.Int32, 1, 3), nil, nil}, 0, 1), `data: Gather: field "x": int32(1, 3) cannot take 2 samples of int32(3,)`},
		{gather([]*array.Array{array.New(array.Float32, 9, 3), nil, nil}, 0), `data: Gather: field "x": float32(9, 3) cannot take 1 samples of int32(3,)`},
		{batches(empty, data.Options{}), "data: the source has no samples"},
		{batches(s, data.Options{Batch: -1}), "data: a batch of -1 samples; want 1 or more, or 0 for 32"},
		{batches(s, data.Options{Prefetch: -1}), "data: -1 batches to prefetch; want 0 or more"},
		{batches(s, data.Options{DropLast: true}), "data: DropLast leaves nothing of 5 samples in batches of 32"},
	} {
		if err := c.do(); err == nil || err.Error() != c.want {
			t.Errorf("got  %v\nwant %s", err, c.want)
		}
	}
}

func TestSubsets_OfSubsets(t *testing.T) {
	s := numbered(t, 20)
	a := data.Subset(s, []int{19, 3, 3, 8, 11})
	b := data.Subset(a, []int{4, 0})
	for _, c := range []struct {
		src  data.Source
		want []int32
	}{
		{a, []int32{19, 3, 3, 8, 11}},
		{b, []int32{11, 19}},
		{data.Head(s, 3), []int32{0, 1, 2}},
		{data.Head(a, 2), []int32{19, 3}},
		{data.Head(data.Head(s, 9), 2), []int32{0, 1}},
		{data.Subset(data.Head(s, 9), []int{8, 1}), []int32{8, 1}},
		{data.Head(s, 99), rows(t, s, seq(20)...)},
		{data.Head(s, -1), []int32{}},
		{data.Subset(s, nil), []int32{}},
	} {
		if got := rows(t, c.src, seq(c.src.Len())...); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%v, want %v", got, c.want)
		}
		if got := data.ClassesOf(c.src); len(got) != 10 {
			t.Errorf("classes %v", got)
		}
	}
	for src, at := range map[data.Source]int{a: 5, data.Head(s, 3): 3, data.Subset(s, []int{20}): 0, data.Subset(a, []int{-1}): 0} {
		if err := src.Gather(make([]*array.Array, 3), []int{at}); err == nil || !strings.Contains(err.Error(), "data: Gather: row ") {
			t.Errorf("row %d: %v", at, err)
		}
	}
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 100 {
				if got := rows(t, b, 1, 0); got[0] != 19 || got[1] != 11 {
					t.Errorf("beside others: %v", got)
					return
				}
			}
		})
	}
	all.Wait()
}

func seq(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

func TestSet_WithReplacesAColumn(t *testing.T) {
	s := numbered(t, 4)
	s.Name = "n"
	w := array.From([]float32{1, 2, 3, 4})
	u, err := s.With(data.Weight, w)
	if err != nil || u.Array(data.Weight) != w || u.Array(data.X) != s.Array(data.X) || u.Name != "n" || len(u.Classes) != 10 || len(u.Fields()) != 3 {
		t.Errorf("%v %v", u, err)
	}
	if s.Array("none") != nil {
		t.Error("an array for a name that is not there")
	}
	if _, err := s.With("z", array.New(array.Bool, 3)); err == nil {
		t.Error("a column of another length was accepted")
	}
	if f, ok := data.FieldOf(u, data.Y); !ok || f.String() != "y uint8()" {
		t.Error(f)
	}
}

func BenchmarkGather_32x784(b *testing.B) {
	s, err := data.FromArrays(array.New(array.Uint8, 60000, 28, 28), array.New(array.Uint8, 60000))
	if err != nil {
		b.Fatal(err)
	}
	clear(s.Array(data.X).Bytes())
	order := numbers(b, s, data.Options{Shuffle: true})
	dst := []*array.Array{array.New(array.Uint8, 32, 28, 28), array.New(array.Uint8, 32)}
	at := 0
	for b.Loop() {
		if err := s.Gather(dst, order[at:at+32]); err != nil {
			b.Fatal(err)
		}
		at = (at + 32) % 50000
	}
}
