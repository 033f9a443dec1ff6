package array_test

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/kun-ml/kun/array"
	"github.com/kun-ml/kun/internal/testdata"
)

// npyVectors are files that NumPy 2.4.6 (with ml_dtypes for bf16) wrote of [[0, 1, 2], [3, 100, 127]].
func npyVectors(t testing.TB) map[string][]byte {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata", "npy.txt"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	out := map[string][]byte{}
	for s := bufio.NewScanner(f); s.Scan(); {
		name, text, _ := strings.Cut(s.Text(), " ")
		if out[name], err = base64.StdEncoding.DecodeString(text); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

func TestReadNPY_WhatNumPyWrites_Golden(t *testing.T) {
	types := map[string]array.DType{
		"<f4": array.Float32, ">f4": array.Float32, "<f8": array.Float64, ">f8": array.Float64, "<f2": array.Float16, ">f2": array.Float16,
		"|i1": array.Int8, "|u1": array.Uint8, "<i4": array.Int32, ">i4": array.Int32, "<i8": array.Int64, ">i8": array.Int64, "|b1": array.Bool,
		"<i2": array.Int32, ">i2": array.Int32, "<u2": array.Int32, "<u4": array.Int64, ">u4": array.Int64, "<u8": array.Int64,
		"fortran": array.Float32, "v2": array.Float32, "v3": array.Float32, "bf16": array.BFloat16,
	}
	all := npyVectors(t)
	if len(all) != len(types) {
		t.Fatalf("%d vectors, want %d", len(all), len(types))
	}
	for name, raw := range all {
		want := []float64{0, 1, 2, 3, 100, 127}
		switch name {
		case "|b1":
			want = []float64{0, 1, 1, 1, 1, 1}
		}
		for _, r := range []io.Reader{bytes.NewReader(raw), iotest.OneByteReader(bytes.NewReader(raw))} {
			a, err := array.ReadNPY(r)
			if err != nil || a.DType() != types[name] || !a.Shape().Equal(array.Shape{2, 3}) || !reflect.DeepEqual(a.Float64s(), want) {
				t.Errorf("%s: %v %v", name, a, err)
			}
		}
	}
}

func TestReadNPY_File(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join(testdata.Dir(t, "models/formats"), "candle-test.npy"))
	if err != nil {
		t.Fatal(err)
	}
	a, err := array.ReadNPY(bytes.NewReader(raw))
	if err != nil || !reflect.DeepEqual(array.Data[int64](a), []int64{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}) {
		t.Errorf("%v %v", a, err)
	}
}

func TestWriteNPY_IsWhatNumPyWrites_Golden(t *testing.T) {
	names := map[array.DType]string{array.Float32: "<f4", array.Float64: "<f8", array.Float16: "<f2", array.BFloat16: "bf16", array.Int8: "|i1",
		array.Uint8: "|u1", array.Int32: "<i4", array.Int64: "<i8", array.Bool: "|b1"}
	all := npyVectors(t)
	for _, d := range array.DTypes() {
		a := array.From([]float32{0, 1, 2, 3, 100, 127}, 2, 3).To(d)
		var b bytes.Buffer
		if err := array.WriteNPY(&b, a); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(b.Bytes(), all[names[d]]) {
			t.Errorf("%v:\ngot  %q\nwant %q", d, b.Bytes(), all[names[d]])
		}
	}
}

func TestNPY_RoundTripLeavesTheReaderBehindTheArray(t *testing.T) {
	var b bytes.Buffer
	var in []*array.Array
	for _, d := range array.DTypes() {
		for _, shape := range []array.Shape{{}, {0}, {7}, {3, 0, 2}, {2, 3, 4}, {1, 1, 1, 1, 5}} {
			a := array.New(d, shape...)
			for i := range a.Bytes() {
				a.Bytes()[i] = byte(i * 37)
				if d == array.Bool {
					a.Bytes()[i] &= 1
				}
			}
			in = append(in, a)
			if err := array.WriteNPY(&b, a); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, want := range in {
		got, err := array.ReadNPY(&b)
		if err != nil || got.DType() != want.DType() || !got.Shape().Equal(want.Shape()) || !bytes.Equal(got.Bytes(), want.Bytes()) {
			t.Fatalf("%v became %v; %v", want, got, err)
		}
	}
	if b.Len() > 0 {
		t.Errorf("%d bytes are left", b.Len())
	}
	a := array.New(array.Float64, 100)
	for n := range 3 {
		if err := array.WriteNPY(&limited{left: n * 100}, a); err == nil || !errors.Is(err, io.ErrShortWrite) || !strings.HasPrefix(err.Error(), "array: npy: ") {
			t.Errorf("a writer that fails after %d bytes: %v", n*100, err)
		}
	}
}

// limited is a writer without room.
type limited struct{ left int }

func (l *limited) Write(b []byte) (int, error) {
	if len(b) > l.left {
		return 0, io.ErrShortWrite
	}
	l.left -= len(b)
	return len(b), nil
}

func npyOf(header string, body []byte) []byte {
	b := append([]byte("\x93NUMPY\x01\x00"), byte(len(header)), byte(len(header)>>8))
	return append(append(b, header...), body...)
}

func TestReadNPY_FortranOrderIsTransposed(t *testing.T) {
	// numpy.asfortranarray(numpy.arange(24).reshape(2, 3, 4))
	var body []byte
	for _, v := range []uint32{0, 12, 4, 16, 8, 20, 1, 13, 5, 17, 9, 21, 2, 14, 6, 18, 10, 22, 3, 15, 7, 19, 11, 23} {
		body = binary.LittleEndian.AppendUint32(body, v)
	}
	a, err := array.ReadNPY(bytes.NewReader(npyOf("{'descr': '<i4', 'fortran_order': True, 'shape': (2, 3, 4), }\n", body)))
	if err != nil || !a.Shape().Equal(array.Shape{2, 3, 4}) {
		t.Fatal(a, err)
	}
	for i, v := range array.Data[int32](a) {
		if int(v) != i {
			t.Fatalf("%v", array.Data[int32](a))
		}
	}
	for _, shape := range []string{"()", "(1,)", "(0, 3)", "(3, 0)", "(1, 1)"} {
		if _, err := array.ReadNPY(bytes.NewReader(npyOf("{'descr': '|i1', 'fortran_order': True, 'shape': "+shape+"}", []byte{1}))); err != nil {
			t.Errorf("%s: %v", shape, err)
		}
	}
}

func TestReadNPY_HeadersAsOthersWriteThem(t *testing.T) {
	body := binary.LittleEndian.AppendUint32(nil, math.Float32bits(2.5))
	for _, h := range []string{
		`{"shape": (1,), "fortran_order": False, "descr": "<f4"}`,
		"{'descr':'<f4','fortran_order':False,'shape':(1L,)}\n",
		"  { 'fortran_order' : False , 'descr' : '<f4' , 'shape' : ( 1 ) , }   \n",
	} {
		if a, err := array.ReadNPY(bytes.NewReader(npyOf(h, body))); err != nil || a.Float64s()[0] != 2.5 {
			t.Errorf("%s: %v %v", h, a, err)
		}
	}
}

func TestReadNPY_Mistakes(t *testing.T) {
	of := func(descr, order, shape string) []byte {
		return npyOf("{'descr': "+descr+", 'fortran_order': "+order+", 'shape': "+shape+", }\n", make([]byte, 12))
	}
	good := of("'<f4'", "False", "(3,)")
	v2 := append([]byte("\x93NUMPY\x02\x00"), 0, 0, 1, 1)
	for _, c := range []struct {
		raw  []byte
		want string
	}{
		{nil, "the header is cut off: unexpected EOF"},
		{[]byte("PK"), "not an npy file"},
		{[]byte("PK\x03\x04 and more of it"), "not an npy file"},
		{good[:8], "the header is cut off: unexpected EOF"},
		{good[:40], "the header is cut off: unexpected EOF"},
		{good[:len(good)-1], "the header says <f4 of (3,); the data end too early: unexpected EOF"},
		{append([]byte("\x93NUMPY\x04\x00"), good[8:]...), "version 4.0 is not known"},
		{v2, "a header of 16842752 bytes is longer than 65536"},
		{of("'<f4'", "Maybe", "(3,)"), `the header makes no sense at ", 'shape': (3,), }\n"`},
		{of("'<f4'", "False", "(-3,)"), `the shape makes no sense at "-3,), }\n"`},
		{of("'<f4'", "False", "(3 3)"), `the shape makes no sense at "3), }\n"`},
		{of("'<f4'", "False", "(99999999999999999999,)"), `the shape makes no sense at "99999999999999999999,), }\n"`},
		{of("'<f4'", "False", "(4611686018427387904, 4)"), "array: shape (4611686018427387904, 4) is too large"},
		{of("'<f4'", "False", "3"), `the header makes no sense at "3, }\n"`},
		{of("'<U4'", "False", "(3,)"), `type "<U4" is text, which is not read; known: floats of 2, 4 and 8 bytes, integers, bool`},
		{of("'|O'", "False", "(3,)"), `type "|O" holds Python objects, which are not read; known: floats of 2, 4 and 8 bytes, integers, bool`},
		{of("'<c8'", "False", "(3,)"), `type "<c8" is complex, which is not read; known: floats of 2, 4 and 8 bytes, integers, bool`},
		{of("'<M8[s]'", "False", "(3,)"), `type "<M8[s]" is not read; known: floats of 2, 4 and 8 bytes, integers, bool`},
		{of("''", "False", "(3,)"), `type "" is not read; known: floats of 2, 4 and 8 bytes, integers, bool`},
		{of("[('a', '<i4')]", "False", "(3,)"), "records (structured types) are not read; store one array per field"},
		{of("'<f4", "False", "(3,)"), `type "<f4, " is not read; known: floats of 2, 4 and 8 bytes, integers, bool`},
		{npyOf("{'descr': '<f4', 'shape': (3,)}", nil), "the header lacks one of descr, fortran_order and shape"},
		{npyOf("{'descr': '<f4', 'descr': '<f4'}", nil), `the header has "descr" twice`},
		{npyOf("{'code': 1}", nil), `the header has an unknown key "code"`},
		{npyOf("{'descr': '<f4', 'fortran_order': False, 'shape': (3,)} x", nil), `the header makes no sense at "x"`},
		{npyOf("{\xff}", nil), "the header is no text"},
		{npyOf("{'descr': '<u8', 'fortran_order': False, 'shape': (1,)}", bytes.Repeat([]byte{255}, 8)), "element 0 is 18446744073709551615, more than an int64 holds"},
	} {
		if _, err := array.ReadNPY(bytes.NewReader(c.raw)); err == nil || err.Error() != "array: npy: "+c.want {
			t.Errorf("got  %v\nwant array: npy: %s", err, c.want)
		}
	}
	if _, err := array.ReadNPY(iotest.ErrReader(os.ErrClosed)); !errors.Is(err, os.ErrClosed) {
		t.Error(err)
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

func TestReadNPY_LyingHeaderCostsNoMemory(t *testing.T) {
	for _, d := range []string{"<f8", "<u2", "|b1"} {
		raw := npyOf("{'descr': '"+d+"', 'fortran_order': False, 'shape': (1073741824, 4)}", make([]byte, 1000))
		if n := allocated(func() { _, _ = array.ReadNPY(bytes.NewReader(raw)) }); n > array.Trust+1<<20 {
			t.Errorf("%s: %d bytes", d, n)
		}
	}
}

func TestReadRaw_GrowsWithWhatArrives(t *testing.T) {
	raw := make([]byte, 1000*4)
	for i := range raw {
		raw[i] = byte(i * 31)
	}
	for _, trust := range []int{0, 1, 3, 100, 1 << 20} {
		for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
			a, err := array.ReadRaw(iotest.HalfReader(bytes.NewReader(raw)), order, trust, array.Int32, 10, 100)
			if err != nil || !a.Shape().Equal(array.Shape{10, 100}) {
				t.Fatal(a, err)
			}
			for i, v := range array.Data[int32](a) {
				if uint32(v) != order.Uint32(raw[4*i:]) {
					t.Fatalf("trust %d, %v: element %d is %d", trust, order, i, v)
				}
			}
			var b bytes.Buffer
			if err := array.WriteRaw(&b, order, a); err != nil || !bytes.Equal(b.Bytes(), raw) {
				t.Errorf("%v: written otherwise; %v", order, err)
			}
		}
	}
	if n := allocated(func() {
		_, err := array.ReadRaw(bytes.NewReader(raw), binary.LittleEndian, 100, array.Float64, 1<<27)
		if !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Error(err)
		}
	}); n > 1<<16 {
		t.Errorf("%d bytes for 4000 that came", n)
	}
}

func FuzzReadNPY(f *testing.F) {
	for _, raw := range npyVectors(f) {
		f.Add(raw)
	}
	f.Add(npyOf("{'descr': '<i4', 'fortran_order': True, 'shape': (2, 0, 4), }\n", nil))
	f.Fuzz(func(t *testing.T, raw []byte) {
		a, err := array.ReadNPY(bytes.NewReader(raw))
		if err != nil {
			if !strings.HasPrefix(err.Error(), "array: npy: ") {
				t.Fatal(err)
			}
			return
		}
		if len(a.Bytes()) > 4*len(raw) {
			t.Fatalf("%v from %d bytes", a, len(raw))
		}
		var b bytes.Buffer
		if err := array.WriteNPY(&b, a); err != nil {
			t.Fatal(err)
		}
		c, err := array.ReadNPY(&b)
		if err != nil || !bytes.Equal(a.Bytes(), c.Bytes()) || !a.Shape().Equal(c.Shape()) || a.DType() != c.DType() {
			t.Fatalf("%v became %v; %v", a, c, err)
		}
	})
}
