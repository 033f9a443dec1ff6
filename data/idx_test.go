package data_test

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/kun-ml/kun/array"
	"github.com/kun-ml/kun/data"
	"github.com/kun-ml/kun/internal/testdata"
)

func idxOf(kind byte, shape []int, body []byte) []byte {
	out := []byte{0, 0, kind, byte(len(shape))}
	for _, d := range shape {
		out = binary.BigEndian.AppendUint32(out, uint32(d))
	}
	return append(out, body...)
}

func zipped(t testing.TB, raw []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write(raw)
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// plainReader hides everything of a reader but Read, so that its size is not known.
type plainReader struct{ io.Reader }

func TestReadIDX_EveryTypePlainAndPacked(t *testing.T) {
	be := binary.BigEndian
	for _, c := range []struct {
		kind byte
		body []byte
		want *array.Array
	}{
		{0x08, []byte{0, 1, 255, 7}, array.From([]uint8{0, 1, 255, 7}, 2, 2)},
		{0x09, []byte{0, 1, 255, 7}, array.From([]int8{0, 1, -1, 7}, 2, 2)},
		{0x0c, be.AppendUint32(be.AppendUint32(make([]byte, 8), 1<<31), 258), array.From([]int32{0, 0, math.MinInt32, 258}, 2, 2)},
		{0x0d, be.AppendUint32(be.AppendUint32(make([]byte, 8), math.Float32bits(1.5)), math.Float32bits(-2)), array.From([]float32{0, 0, 1.5, -2}, 2, 2)},
		{0x0e, be.AppendUint64(be.AppendUint64(make([]byte, 16), math.Float64bits(math.Pi)), math.Float64bits(-2)), array.From([]float64{0, 0, math.Pi, -2}, 2, 2)},
	} {
		raw := idxOf(c.kind, []int{2, 2}, c.body)
		for name, r := range map[string]io.Reader{
			"known size": bytes.NewReader(raw), "unknown size": plainReader{bytes.NewReader(raw)}, "a byte at a time": iotest.OneByteReader(bytes.NewReader(raw)),
			"packed": bytes.NewReader(zipped(t, raw)), "packed, unknown size": iotest.HalfReader(bytes.NewReader(zipped(t, raw))),
		} {
			a, err := data.ReadIDX(r)
			if err != nil || a.DType() != c.want.DType() || a.String() != c.want.String() {
				t.Errorf("%s: %v %v, want %v", name, a, err, c.want)
			}
		}
	}
}

func TestReadIDX_Mistakes(t *testing.T) {
	small := idxOf(8, []int{2, 3}, []byte{1, 2, 3, 4, 5, 6})
	noise := make([]byte, 5000)
	h := sha256.New()
	for i := range noise {
		h.Write([]byte{byte(i)})
		noise[i] = h.Sum(nil)[0]
	}
	packed := zipped(t, idxOf(8, []int{5000}, noise))
	altered := bytes.Clone(packed)
	altered[len(altered)-7] ^= 1 // in the checksum
	damaged := bytes.Clone(packed)
	copy(damaged[10:], "\xff\xff\xff\xff")
	for _, c := range []struct {
		name string
		raw  []byte
		want string // with known size
		or   string // without, when that differs
	}{
		{"empty", nil, "data: IDX: the header is cut off", ""},
		{"header", small[:7], "data: IDX: the header is cut off", ""},
		{"other", []byte("PK\x03\x04abcdef"), "data: IDX: not an IDX file: it begins with 0x50 0x4b, not with two zero bytes", ""},
		{"type", idxOf(7, []int{1}, nil), "data: IDX: unknown type 0x7 with 1 axes", ""},
		{"axes", idxOf(8, nil, nil), "data: IDX: unknown type 0x8 with 0 axes", ""},
		{"16 bits", idxOf(0x0b, []int{1}, []byte{0, 0}), "data: IDX: 16-bit integers are not read; store bytes or 32-bit integers", ""},
		{"body", small[:len(small)-2], "data: IDX: the header says uint8 of (2, 3), 6 bytes; the file holds 4", ""},
		{"more", append(bytes.Clone(small), 9), "data: IDX: the header says uint8 of (2, 3), 6 bytes; the file holds 7", "data: IDX: the header says uint8 of (2, 3), 6 bytes; the file holds more"},
		{"lying", idxOf(14, []int{1 << 20, 1 << 12}, make([]byte, 80)), "data: IDX: the header says float64 of (1048576, 4096), 34359738368 bytes; the file holds 80", ""},
		{"no elements", idxOf(8, []int{1 << 30, 0}, nil), "data: IDX: the header says 1073741824 samples without elements, (1073741824, 0)", ""},
		{"absurd", idxOf(8, []int{1 << 30, 1 << 30, 1 << 30}, nil), "data: IDX: array: shape (1073741824, 1073741824, 1073741824) is too large", ""},
		{"axis", idxOf(8, []int{-1}, nil), "data: IDX: axis 0 of 4294967295 elements", ""},
		{"packed, more", zipped(t, append(bytes.Clone(small), 9)), "data: IDX: the header says uint8 of (2, 3), 6 bytes; the file holds more", ""},
		{"packed, fewer", zipped(t, small[:len(small)-2]), "data: IDX: the header says uint8 of (2, 3), 6 bytes; the file holds 4", ""},
		{"packed, lying", zipped(t, idxOf(8, []int{1 << 30}, nil)), "data: IDX: the header says uint8 of (1073741824,), 1073741824 bytes; the packed file can hold at most 34048", "data: IDX: the header says uint8 of (1073741824,), 1073741824 bytes; the file holds 0"},
		{"packed, cut", packed[:1000], "data: gzip: the file is cut off after byte 1000 (985 bytes were unpacked); copy or download it again", ""},
		{"packed, cut in its header", packed[:5], "data: gzip: the file is cut off after byte 5 (0 bytes were unpacked); copy or download it again", ""},
		{"packed, cut before the checksum", packed[:len(packed)-8], "data: gzip: the file is cut off after byte 5028 (5008 bytes were unpacked); copy or download it again", ""},
		{"packed, altered", altered, "data: gzip: the checksum of the 5008 unpacked bytes is wrong: the file was altered", ""},
		{"packed, damaged", damaged, "data: gzip: damaged near byte 11: flate: corrupt input before offset 1", ""},
	} {
		for _, known := range []bool{true, false} {
			var r io.Reader = bytes.NewReader(c.raw)
			want := c.want
			if !known {
				r = plainReader{r}
				if c.or != "" {
					want = c.or
				}
			}
			_, err := data.ReadIDX(r)
			var f *data.FormatError
			if err == nil || err.Error() != want || !errors.As(err, &f) {
				t.Errorf("%s, size known %v:\ngot  %v\nwant %s", c.name, known, err, want)
			}
		}
	}
	if _, err := data.ReadIDX(iotest.ErrReader(errDisk)); !errors.Is(err, errDisk) {
		t.Errorf("a reader's own error became %v", err)
	}
	if _, err := data.ReadIDX(io.MultiReader(bytes.NewReader(packed[:300]), iotest.ErrReader(errDisk))); !errors.Is(err, errDisk) {
		t.Errorf("a reader's own error became %v", err)
	}
}

func TestReadIDXFile_NamesTheFile(t *testing.T) {
	dir := t.TempDir()
	if _, err := data.ReadIDXFile(filepath.Join(dir, "none")); !errors.Is(err, os.ErrNotExist) || !strings.HasPrefix(err.Error(), "data: "+filepath.Join(dir, "none")+": no such file") {
		t.Error(err)
	}
	if _, err := data.ReadIDXFile(dir); err == nil || !strings.Contains(err.Error(), dir) {
		t.Error(err)
	}
	path := filepath.Join(dir, "cut.gz")
	raw := zipped(t, idxOf(8, []int{100}, make([]byte, 100)))
	if err := os.WriteFile(path, raw[:len(raw)-9], 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := data.ReadIDXFile(path)
	if want := fmt.Sprintf("data: %s: gzip: the file is cut off after byte %d", path, len(raw)-9); err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("got %v, want %s", err, want)
	}
}

// allocated is the memory that f asked for, in bytes.
func allocated(f func()) uint64 {
	var a, b runtime.MemStats
	runtime.ReadMemStats(&a)
	f()
	runtime.ReadMemStats(&b)
	return b.TotalAlloc - a.TotalAlloc
}

func TestReadIDX_LyingHeaderCostsNoMemory(t *testing.T) {
	lie := idxOf(8, []int{1 << 30, 2}, make([]byte, 1<<10))
	for name, r := range map[string]io.Reader{"plain": plainReader{bytes.NewReader(lie)}, "packed": plainReader{bytes.NewReader(zipped(t, lie))}, "known": bytes.NewReader(lie)} {
		n := allocated(func() {
			if _, err := data.ReadIDX(r); err == nil {
				t.Error("accepted")
			}
		})
		if n > array.Trust+(1<<20) {
			t.Errorf("%s: %d bytes for a file of %d", name, n, len(lie))
		}
	}
}

func TestReadIDXFile_MNIST(t *testing.T) {
	dir := testdata.Dir(t, "mnist")
	var x *array.Array
	var err error
	n := allocated(func() { x, err = data.ReadIDXFile(filepath.Join(dir, "train-images-idx3-ubyte.gz")) })
	if err != nil || x.String() != "uint8(60000, 28, 28)" {
		t.Fatal(x, err)
	}
	if extra := int(n) - x.Len(); extra > x.Len()/4 {
		t.Errorf("%d bytes, garbage counted, beside the array's own", extra)
	}
	sum := 0
	for _, v := range x.Bytes() {
		sum += int(v)
	}
	if mean := float64(sum) / float64(x.Len()); math.Abs(mean-33.3184) > 1e-4 {
		t.Errorf("mean %v", mean)
	}
	y, err := data.ReadIDXFile(filepath.Join(dir, "train-labels-idx1-ubyte.gz"))
	if err != nil || !bytes.Equal(y.Bytes()[:10], []byte{5, 0, 4, 1, 9, 2, 1, 3, 1, 4}) {
		t.Errorf("%v %v", y, err)
	}
	set, err := data.FromArrays(x, y)
	if err != nil || set.Len() != 60000 {
		t.Fatal(err)
	}
}

func FuzzReadIDX(f *testing.F) {
	small := idxOf(8, []int{2, 3}, []byte{1, 2, 3, 4, 5, 6})
	f.Add(small, false)
	f.Add(zipped(f, small), true)
	f.Add(idxOf(14, []int{1, 1}, make([]byte, 8)), false)
	f.Add(idxOf(13, []int{0, 5}, nil), true)
	f.Add(idxOf(12, []int{1 << 30, 1}, make([]byte, 8)), true)
	f.Fuzz(func(t *testing.T, raw []byte, known bool) {
		if len(raw) > 1<<14 {
			return // keeps what a packed file unpacks to small
		}
		var r io.Reader = bytes.NewReader(raw)
		if !known {
			r = plainReader{r}
		}
		a, err := data.ReadIDX(r)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "data: ") {
				t.Fatal(err)
			}
			return
		}
		if a.Rank() == 0 || a.Rank() > 8 || len(a.Bytes()) > 1032*len(raw) {
			t.Fatalf("%v from %d bytes", a, len(raw))
		}
	})
}
