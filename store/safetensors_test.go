package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/kun-ml/kun/array"
	"github.com/kun-ml/kun/internal/testdata"
)

// samples are arrays of every element type, a scalar, an empty one and a name that needs quoting.
func samples() []Tensor {
	list := []Tensor{
		{"scalar", array.Scalar(float32(2.5))},
		{"empty", array.New(array.Float32, 3, 0, 2)},
		{`od"d \ <name> é`, array.From([]uint8{1, 2, 3})},
	}
	for _, d := range array.DTypes() {
		a := array.New(d, 2, 3)
		array.Convert(a, array.From([]float64{0, 1, 2, -3, 4, 1e3}, 2, 3))
		list = append(list, Tensor{"all." + d.String(), a})
	}
	return list
}

func sameTensors(t *testing.T, got, want []Tensor) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d arrays, want %d", len(got), len(want))
	}
	for i, w := range want {
		g := got[i]
		if g.Name != w.Name || g.Array.DType() != w.Array.DType() || !g.Array.Shape().Equal(w.Array.Shape()) || !bytes.Equal(g.Array.Bytes(), w.Array.Bytes()) {
			t.Errorf("array %d: %q %v, want %q %v", i, g.Name, g.Array, w.Name, w.Array)
		}
	}
}

func encode(t testing.TB, tensors []Tensor, meta map[string]string) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := WriteSafetensors(&b, tensors, meta); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func decode(b []byte) (*Tensors, error) {
	return ReadSafetensorsFrom(bytes.NewReader(b), int64(len(b)))
}

func TestSafetensors_RoundTrip(t *testing.T) {
	meta := map[string]string{"format": "kun", "läng": "<b> & \"q\"", "": ""}
	for _, c := range []struct {
		tensors []Tensor
		meta    map[string]string
	}{{samples(), meta}, {samples(), nil}, {nil, meta}, {nil, nil}} {
		b := encode(t, c.tensors, c.meta)
		if n := binary.LittleEndian.Uint64(b); n%8 != 0 || b[8] != '{' {
			t.Errorf("the header has %d bytes and begins with %q", n, b[8])
		}
		if again := encode(t, c.tensors, c.meta); !bytes.Equal(b, again) {
			t.Error("writing twice gives different bytes")
		}
		got, err := decode(b)
		if err != nil {
			t.Fatal(err)
		}
		sameTensors(t, got.All(), c.tensors)
		if len(got.Meta) != len(c.meta) {
			t.Errorf("metadata %v, want %v", got.Meta, c.meta)
		}
		for k, v := range c.meta {
			if got.Meta[k] != v {
				t.Errorf("metadata %q: %q, want %q", k, got.Meta[k], v)
			}
		}
		if len(c.tensors) > 0 && (got.Get("scalar") == nil || got.Get("none") != nil) {
			t.Error("Get finds the wrong arrays")
		}
	}
}

func TestSafetensors_BytesOfTheFormat(t *testing.T) {
	got := encode(t, []Tensor{{"b", array.From([]int32{1, -2})}, {"a", array.From([]float32{1}, 1, 1)}}, map[string]string{"k": "v"})
	head := `{"__metadata__":{"k":"v"},"b":{"dtype":"I32","shape":[2],"data_offsets":[0,8]},"a":{"dtype":"F32","shape":[1,1],"data_offsets":[8,12]}}`
	head += strings.Repeat(" ", 7-(len(head)+7)%8)
	want := append([]byte{byte(len(head)), 0, 0, 0, 0, 0, 0, 0}, head...)
	want = append(want, 1, 0, 0, 0, 0xfe, 0xff, 0xff, 0xff, 0, 0, 0x80, 0x3f)
	if !bytes.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestWriteSafetensors_RefusesWhatCannotBeRead(t *testing.T) {
	one := array.Scalar(float32(1))
	for name, tensors := range map[string][]Tensor{
		"two":       {{"a", one}, {"a", one}},
		"nil":       {{"a", nil}},
		"metadata":  {{"__metadata__", one}},
		"UTF-8":     {{"\xff", one}},
		"too deep":  {{"a", array.New(array.Float32, make([]int, 65)...)}},
		"meta text": nil,
	} {
		var meta map[string]string
		if tensors == nil {
			meta = map[string]string{"a": "\xff"}
		}
		if err := WriteSafetensors(new(bytes.Buffer), tensors, meta); err == nil {
			t.Errorf("%s: written", name)
		}
	}
}

func TestReadSafetensors_FilesOfOthers(t *testing.T) {
	dir := testdata.Dir(t, "models/formats")
	for _, c := range []struct {
		file  string
		dtype array.DType
		shape array.Shape
		want  []float64
	}{
		{"tensor-1d-int32.safetensors", array.Int32, array.Shape{3}, []float64{1, 2, 3}},
		{"tensor-2d-float64.safetensors", array.Float64, array.Shape{2, 3}, []float64{1, 2, 3, 24, 25, 26}},
		{"tensor-3d-float32.safetensors", array.Float32, array.Shape{2, 2, 3}, []float64{22, 23, 24, 11, 12, 13, 2, 3, 4, 1, 2, 3}},
		{"tensor-4d-float32.safetensors", array.Float32, array.Shape{2, 3, 1, 3}, []float64{11, 12, 13, 1, 2, 3, 4, 5, 6, 22, 23, 24, 15, 16, 17, 17, 18, 19}},
	} {
		ts, err := ReadSafetensors(filepath.Join(dir, c.file))
		if err != nil {
			t.Fatal(err)
		}
		a := ts.Get("embedding")
		if ts.Len() != 1 || a == nil || a.DType() != c.dtype || !a.Shape().Equal(c.shape) {
			t.Fatalf("%s: %v", c.file, a)
		}
		for i, v := range a.Float64s() {
			if v != c.want[i] {
				t.Errorf("%s: element %d is %v, want %v", c.file, i, v, c.want[i])
			}
		}
	}
}

func TestReadSafetensors_RealModel(t *testing.T) {
	path := filepath.Join(testdata.Dir(t, "models/safetensors"), "mnist.safetensors")
	ts, err := ReadSafetensors(path)
	if err != nil {
		t.Fatal(err)
	}
	if k := ts.Get("layers.2.weight"); ts.Len() != 20 || k == nil || !k.Shape().Equal(array.Shape{32, 32, 5, 5}) {
		t.Fatalf("%d arrays, layers.2.weight %v", ts.Len(), k)
	}
	for _, x := range ts.Get("layers.4.running_var").Float64s() {
		if !(x > 0) || math.IsInf(x, 0) {
			t.Errorf("a variance of %v", x)
		}
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	data := int64(8 + binary.LittleEndian.Uint64(b))
	var all []byte
	for _, x := range ts.All() {
		all = append(all, x.Array.Bytes()...)
	}
	if !bigEndian && !bytes.Equal(all, b[data:]) {
		t.Error("the arrays are not the bytes of the file")
	}
}

// raw makes a file of a header and n bytes of zeros.
func raw(head string, n int) []byte {
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(head)))
	return append(append(b, head...), make([]byte, n)...)
}

// malformed are files that must be refused, with a word of the reason.
var malformed = []struct {
	name string
	file []byte
	why  string
}{
	{"nothing", nil, "too few"},
	{"seven bytes", make([]byte, 7), "too few"},
	{"no header", make([]byte, 8), "JSON object"},
	{"header longer than the file", append(binary.LittleEndian.AppendUint64(nil, 100), "{}"...), "claims 100"},
	{"header of 2^64-1", append(binary.LittleEndian.AppendUint64(nil, math.MaxUint64), "{}"...), "claims"},
	{"header of 2^63", append(binary.LittleEndian.AppendUint64(nil, 1<<63), "{}"...), "claims"},
	{"header cut short", raw(`{"a":{"dtype":"F32"`, 0), "JSON object"},
	{"leading space", raw(` {}`, 0), "JSON object"},
	{"trailing newline", raw("{}\n", 0), "JSON object"},
	{"two objects", raw(`{}{}`, 0), "valid JSON"},
	{"a list", raw(`[]`, 0), "JSON object"},
	{"a trailing comma", raw(`{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},}`, 0), "valid JSON"},
	{"invalid UTF-8", raw("{\"\xff\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}}", 0), "valid JSON"},
	{"name twice", raw(`{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}`, 2), "twice"},
	{"name twice by escape", raw(`{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"\u0061":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}`, 2), "twice"},
	{"metadata twice", raw(`{"__metadata__":{},"__metadata__":{}}`, 0), "twice"},
	{"metadata key twice", raw(`{"__metadata__":{"a":"b","a":"c"}}`, 0), "twice"},
	{"metadata number", raw(`{"__metadata__":{"a":1}}`, 0), "not a string"},
	{"metadata object", raw(`{"__metadata__":{"a":{}}}`, 0), "not a string"},
	{"metadata list", raw(`{"__metadata__":[]}`, 0), "not an object"},
	{"metadata null", raw(`{"__metadata__":null}`, 0), "not an object"},
	{"entry null", raw(`{"a":null}`, 0), "not an object"},
	{"entry empty", raw(`{"a":{}}`, 0), "lacks"},
	{"no dtype", raw(`{"a":{"shape":[1],"data_offsets":[0,1]}}`, 1), "lacks"},
	{"no shape", raw(`{"a":{"dtype":"U8","data_offsets":[0,1]}}`, 1), "lacks"},
	{"no offsets", raw(`{"a":{"dtype":"U8","shape":[0]}}`, 0), "lacks"},
	{"key of an entry twice", raw(`{"a":{"dtype":"U8","dtype":"U8","shape":[1],"data_offsets":[0,1]}}`, 1), "twice"},
	{"unknown key", raw(`{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1],"x":1}}`, 1), "unknown key"},
	{"dtype number", raw(`{"a":{"dtype":1,"shape":[1],"data_offsets":[0,1]}}`, 1), "dtype is not a string"},
	{"shape string", raw(`{"a":{"dtype":"U8","shape":"1","data_offsets":[0,1]}}`, 1), "not a list"},
	{"shape of strings", raw(`{"a":{"dtype":"U8","shape":["1"],"data_offsets":[0,1]}}`, 1), "other than a number"},
	{"shape nested", raw(`{"a":{"dtype":"U8","shape":[[1]],"data_offsets":[0,1]}}`, 1), "other than a number"},
	{"dimension negative", raw(`{"a":{"dtype":"U8","shape":[-1],"data_offsets":[0,1]}}`, 1), "whole number"},
	{"dimension fractional", raw(`{"a":{"dtype":"U8","shape":[1.0],"data_offsets":[0,1]}}`, 1), "whole number"},
	{"dimension exponent", raw(`{"a":{"dtype":"U8","shape":[1e0],"data_offsets":[0,1]}}`, 1), "whole number"},
	{"dimension of 2^64", raw(`{"a":{"dtype":"U8","shape":[18446744073709551616],"data_offsets":[0,1]}}`, 1), "whole number"},
	{"product overflows to the size", raw(`{"a":{"dtype":"U8","shape":[4294967296,4294967296],"data_offsets":[0,0]}}`, 0), "large"},
	{"overflow behind a zero", raw(`{"a":{"dtype":"U8","shape":[0,4294967296,4294967296],"data_offsets":[0,0]}}`, 0), "large"},
	{"65 axes", raw(`{"a":{"dtype":"U8","shape":[1`+strings.Repeat(",1", 64)+`],"data_offsets":[0,1]}}`, 1), "more than 64"},
	{"one offset", raw(`{"a":{"dtype":"U8","shape":[1],"data_offsets":[0]}}`, 1), "not 2"},
	{"three offsets", raw(`{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1,2]}}`, 1), "more than 2"},
	{"offsets backwards", raw(`{"a":{"dtype":"U8","shape":[1],"data_offsets":[1,0]}}`, 1), "takes 1 bytes"},
	{"offset negative", raw(`{"a":{"dtype":"U8","shape":[1],"data_offsets":[-1,0]}}`, 1), "whole number"},
	{"offsets too long for the shape", raw(`{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,2]}}`, 2), "takes 1 bytes"},
	{"offsets too short for the type", raw(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,1]}}`, 1), "takes 4 bytes"},
	{"hole at the start", raw(`{"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}`, 2), "hole"},
	{"hole between", raw(`{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"U8","shape":[1],"data_offsets":[2,3]}}`, 3), "hole"},
	{"overlap", raw(`{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}}`, 3), "inside the one before"},
	{"same data twice", raw(`{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}`, 2), "inside the one before"},
	{"empty array past the end", raw(`{"a":{"dtype":"U8","shape":[0],"data_offsets":[5,5]}}`, 0), "hole"},
	{"data cut short", raw(`{"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}`, 15), "the file at 15"},
	{"data too long", raw(`{"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}`, 17), "the file at 17"},
	{"data without an array", raw(`{}`, 1), "the file at 1"},
	{"a terabyte in twelve bytes", raw(`{"a":{"dtype":"U8","shape":[1099511627776],"data_offsets":[0,1099511627776]}}`, 12), "the file at 12"},
	{"a truth value of 2", append(raw(`{"a":{"dtype":"BOOL","shape":[2],"data_offsets":[0,2]}}`, 0), 1, 2), "bool"},
}

func TestReadSafetensors_RefusesMalformed(t *testing.T) {
	for _, c := range malformed {
		_, err := decode(c.file)
		var corrupt *CorruptError
		if !errors.As(err, &corrupt) || !strings.Contains(err.Error(), c.why) {
			t.Errorf("%s: %v, want a CorruptError with %q", c.name, err, c.why)
		}
	}
}

func TestReadSafetensors_NamesAnUnknownType(t *testing.T) {
	_, err := decode(raw(`{"w":{"dtype":"F8_E4M3","shape":[1],"data_offsets":[0,1]}}`, 1))
	if err == nil || !strings.Contains(err.Error(), `"w"`) || !strings.Contains(err.Error(), "F8_E4M3") || !strings.Contains(err.Error(), "BF16") {
		t.Errorf("%v", err)
	}
}

func TestReadSafetensors_ErrorsNameTheFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "w.safetensors")
	if err := os.WriteFile(path, []byte("nonsense"), 0o644); err != nil {
		t.Fatal(err)
	}
	_, err := ReadSafetensors(path)
	var corrupt *CorruptError
	if !errors.As(err, &corrupt) || corrupt.Path != path || corrupt.Hint == "" || !strings.Contains(err.Error(), path) {
		t.Errorf("%#v", err)
	}
	if _, err := ReadSafetensors(filepath.Join(dir, "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%v", err)
	}
	if _, err := ReadSafetensors(dir); err == nil {
		t.Error("a folder is no file")
	}
}

// shortReader claims more bytes than it has, as a file does that is cut while it is read.
type shortReader struct{ *bytes.Reader }

func TestReadSafetensors_FileCutWhileReading(t *testing.T) {
	b := encode(t, samples(), nil)
	for n := range len(b) {
		_, err := ReadSafetensorsFrom(shortReader{bytes.NewReader(b[:n])}, int64(len(b)))
		var corrupt *CorruptError
		if !errors.As(err, &corrupt) {
			t.Fatalf("cut at %d: %v", n, err)
		}
	}
}

func TestReadSafetensors_AllocatesNoMoreThanTheFile(t *testing.T) {
	for _, c := range malformed {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		decode(c.file)
		runtime.ReadMemStats(&after)
		if n := after.TotalAlloc - before.TotalAlloc; n > 64<<10 {
			t.Errorf("%s: %d bytes allocated for a file of %d", c.name, n, len(c.file))
		}
	}
}

func TestSwap_ReversesElements(t *testing.T) {
	b := []byte{1, 2, 3, 4, 5, 6, 7, 8}
	for size, want := range map[int][]byte{1: {1, 2, 3, 4, 5, 6, 7, 8}, 2: {2, 1, 4, 3, 6, 5, 8, 7}, 4: {4, 3, 2, 1, 8, 7, 6, 5}, 8: {8, 7, 6, 5, 4, 3, 2, 1}} {
		c := bytes.Clone(b)
		swap(c, size)
		if !bytes.Equal(c, want) {
			t.Errorf("size %d: %v, want %v", size, c, want)
		}
	}
}

// FuzzReadSafetensors demands that any bytes give an error or a file that, written again, reads the same.
func FuzzReadSafetensors(f *testing.F) {
	f.Add(encode(f, samples(), map[string]string{"a": "b"}))
	f.Add(encode(f, nil, nil))
	for _, c := range malformed {
		f.Add(c.file)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		first, err := decode(b)
		if err != nil {
			return
		}
		second, err := decode(encode(t, first.All(), first.Meta))
		if err != nil {
			t.Fatalf("what was read cannot be read again: %v", err)
		}
		sameTensors(t, second.All(), first.All())
	})
}
