package store

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kun-ml/kun/array"
	"github.com/kun-ml/kun/internal/testdata"
)

func encodeNPZ(t testing.TB, tensors []Tensor, deflate bool) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := WriteNPZ(&b, tensors, deflate); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func decodeNPZ(b []byte) (*Tensors, error) {
	return ReadNPZFrom(bytes.NewReader(b), int64(len(b)))
}

func TestNPZ_RoundTrip(t *testing.T) {
	list := append(samples(), Tensor{"zeros", array.New(array.Float32, 1000, 100)})
	plain, packed := encodeNPZ(t, list, false), encodeNPZ(t, list, true)
	for _, b := range [][]byte{plain, packed} {
		got, err := decodeNPZ(b)
		if err != nil {
			t.Fatal(err)
		}
		sameTensors(t, got.All(), list)
	}
	if len(packed) > len(plain)/10 {
		t.Errorf("%d bytes, compressed %d", len(plain), len(packed))
	}
	if !bytes.Equal(plain, encodeNPZ(t, list, false)) {
		t.Error("writing twice gives different bytes")
	}
	if err := WriteNPZ(new(bytes.Buffer), []Tensor{list[0], list[0]}, false); err == nil {
		t.Error("two arrays of one name were written")
	}
}

func TestReadNPZ_FileOfNumPy(t *testing.T) {
	ts, err := ReadNPZ(filepath.Join(testdata.Dir(t, "models/formats"), "candle-test.npz"))
	if err != nil {
		t.Fatal(err)
	}
	for name, first := range map[string]float64{"x": 0, "x_plus_one": 1} {
		a := ts.Get(name)
		if a == nil || a.DType() != array.Int64 || !a.Shape().Equal(array.Shape{10}) {
			t.Fatalf("%s: %v", name, a)
		}
		for i, v := range a.Float64s() {
			if v != first+float64(i) {
				t.Errorf("%s: element %d is %v", name, i, v)
			}
		}
	}
}

// zipOf makes an archive of members by name.
func zipOf(members ...string) []byte {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i := 0; i < len(members); i += 2 {
		f, _ := z.CreateHeader(&zip.FileHeader{Name: members[i]})
		f.Write([]byte(members[i+1]))
	}
	z.Close()
	return b.Bytes()
}

// malformedNPZ are archives that must be refused, with a word of the reason.
func malformedNPZ(t testing.TB) map[string][]byte {
	var npy bytes.Buffer
	if err := array.WriteNPY(&npy, array.From([]float32{1, 2, 3})); err != nil {
		t.Fatal(err)
	}
	one := npy.String()
	good := zipOf("a.npy", one)
	edit := func(at int, f func(b []byte)) []byte { b := bytes.Clone(good); f(b[at:]); return b }
	directory := bytes.Index(good, []byte("PK\x01\x02"))
	bomb := encodeNPZ(t, []Tensor{{"a", array.New(array.Uint8, 1<<20)}}, true)
	huge := bytes.Index(bomb, []byte("PK\x01\x02"))
	binary.LittleEndian.PutUint32(bomb[huge+24:], 1<<31)
	return map[string][]byte{
		"not an npz archive: nothing":        nil,
		"not an npz archive: text":           []byte("PK\x03\x04 and nothing else"),
		"not an npz archive: cut":            good[:len(good)-1],
		"checksum error: a bit of the data":  edit(directory-20, func(b []byte) { b[0] ^= 1 }),
		"is no .npy array: a text":           zipOf("a.txt", "hello"),
		"not an npy file: no array":          zipOf("a.npy", "hello"),
		"end too early: array cut short":     zipOf("a.npy", one[:len(one)-1]),
		"bytes follow: something behind":     zipOf("a.npy", one+"x"),
		"two arrays: name twice":             zipOf("a.npy", one, "a.npy", one),
		"encrypted: flag":                    edit(directory+8, func(b []byte) { b[0] |= 1 }),
		"unsupported compression: method 99": edit(directory+10, func(b []byte) { b[0] = 99 }),
		"claims: packed size":                edit(directory+20, func(b []byte) { b[2] = 0xff }),
		"claims: unpacked size":              bomb,
		"Python objects: pickle":             zipOf("a.npy", strings.Replace(one, "'<f4'", "'|O' ", 1)),
		"array \"a\": a directory that lies": edit(directory+42, func(b []byte) { b[0] = 4 }),
		"claims to hold more: overlapping":   overlapping(one, 100),
	}
}

// overlapping is an archive whose directory names one member n times.
func overlapping(data string, n int) []byte {
	one := zipOf("a.npy", data)
	at := bytes.Index(one, []byte("PK\x01\x02"))
	end := bytes.Index(one, []byte("PK\x05\x06"))
	b := bytes.Clone(one[:at])
	for range n {
		b = append(b, one[at:end]...)
	}
	tail := bytes.Clone(one[end:])
	binary.LittleEndian.PutUint16(tail[8:], uint16(n))
	binary.LittleEndian.PutUint16(tail[10:], uint16(n))
	binary.LittleEndian.PutUint32(tail[12:], uint32(n*(end-at)))
	return append(b, tail...)
}

func TestReadNPZ_RefusesMalformed(t *testing.T) {
	for name, b := range malformedNPZ(t) {
		why, _, _ := strings.Cut(name, ": ")
		_, err := decodeNPZ(b)
		var corrupt *CorruptError
		if !errors.As(err, &corrupt) || !strings.Contains(err.Error(), why) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// FuzzReadNPZ demands that any bytes give an error or an archive that, written again, reads the same.
func FuzzReadNPZ(f *testing.F) {
	f.Add(encodeNPZ(f, samples(), false))
	f.Add(encodeNPZ(f, samples(), true))
	for _, b := range malformedNPZ(f) {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		first, err := decodeNPZ(b)
		if err != nil {
			return
		}
		second, err := decodeNPZ(encodeNPZ(t, first.All(), false))
		if err != nil {
			t.Fatalf("what was read cannot be read again: %v", err)
		}
		sameTensors(t, second.All(), first.All())
	})
}
