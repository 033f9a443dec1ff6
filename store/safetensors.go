package store

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"unicode/utf8"

	"github.com/kun-ml/kun/array"
)

// ReadSafetensors reads a safetensors file: eight bytes that give the length of a JSON header, the header, and the data
// of the arrays one after the other, little-endian. Arrays come in the order of their data. Every way in which the file can break
// the format is a *CorruptError; an element type that array lacks is an error that names it.
//
// Data are read straight into the arrays' memory; nothing is allocated before the header agrees with the length of the file.
func ReadSafetensors(path string) (*Tensors, error) {
	f, size, err := openRegular(path)
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	defer f.Close()
	t, err := ReadSafetensorsFrom(f, size)
	if err != nil {
		return nil, at(path, err)
	}
	return t, nil
}

// ReadSafetensorsFrom is ReadSafetensors for size bytes of any random-access reader.
func ReadSafetensorsFrom(r io.ReaderAt, size int64) (*Tensors, error) {
	var lead [8]byte
	if size < int64(len(lead)) {
		return nil, broken("%d bytes are too few for a safetensors file", size)
	}
	if err := readAt(r, lead[:], 0); err != nil {
		return nil, err
	}
	n, rest := binary.LittleEndian.Uint64(lead[:]), size-int64(len(lead))
	if n > safeHeader || n > uint64(rest) {
		return nil, broken("the header claims %d bytes; the file has %d after its first 8 (and a header at most %d)", n, rest, safeHeader)
	}
	text := make([]byte, n)
	if err := readAt(r, text, 8); err != nil {
		return nil, err
	}
	entries, meta, err := parseHeader(text, rest-int64(n))
	if err != nil {
		return nil, err
	}
	t := &Tensors{Meta: meta}
	for _, e := range entries {
		a := array.New(e.dtype, e.shape...)
		if err := readAt(r, a.Bytes(), 8+int64(n)+e.begin); err != nil {
			return nil, err
		}
		if err := native(a); err != nil {
			return nil, broken("array %q: %v", e.name, err)
		}
		if err := t.add(e.name, a); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// native turns an array's little-endian bytes into the machine's own; a truth value other than 0 and 1 is an error.
func native(a *array.Array) error {
	if bigEndian {
		swap(a.Bytes(), a.DType().Size())
	}
	if a.DType() == array.Bool {
		for i, b := range a.Bytes() {
			if b > 1 {
				return fmt.Errorf("element %d of a bool array is the byte %d", i, b)
			}
		}
	}
	return nil
}

// WriteSafetensors writes arrays in the order given, with meta as the file's metadata (nil for none). The header is
// padded with spaces so that the data begin at a multiple of 8 bytes. The same arguments give the same bytes.
func WriteSafetensors(w io.Writer, tensors []Tensor, meta map[string]string) error {
	text, err := safeHead(tensors, meta)
	if err != nil {
		return err
	}
	if _, err := w.Write(text); err != nil {
		return fmt.Errorf("store: writing the header: %w", err)
	}
	for _, t := range tensors {
		b := t.Array.Bytes()
		if bigEndian {
			b = bytes.Clone(b)
			swap(b, t.Array.DType().Size())
		}
		if _, err := w.Write(b); err != nil {
			return fmt.Errorf("store: writing array %q: %w", t.Name, err)
		}
	}
	return nil
}

// safeHead is everything that comes before the data.
func safeHead(tensors []Tensor, meta map[string]string) ([]byte, error) {
	if err := checkNames(tensors); err != nil {
		return nil, err
	}
	b := bytes.NewBuffer(make([]byte, 8))
	sep := "{"
	if len(meta) > 0 {
		for k, v := range meta {
			if !utf8.ValidString(k) || !utf8.ValidString(v) {
				return nil, fmt.Errorf("store: the metadata %q: %q is not valid UTF-8", k, v)
			}
		}
		fmt.Fprintf(b, "{%q:%s", safeMeta, quote(meta))
		sep = ","
	}
	at := 0
	for _, t := range tensors {
		if t.Name == safeMeta || !utf8.ValidString(t.Name) {
			return nil, fmt.Errorf("store: a safetensors file cannot hold an array called %q", t.Name)
		}
		if t.Array.Rank() > maxRank {
			return nil, fmt.Errorf("store: array %q has %d axes, more than %d", t.Name, t.Array.Rank(), maxRank)
		}
		shape := append([]int{}, t.Array.Shape()...)
		end := at + len(t.Array.Bytes())
		fmt.Fprintf(b, `%s%s:{"dtype":"%s","shape":%s,"data_offsets":[%d,%d]}`, sep, quote(t.Name), safeNames[t.Array.DType()], quote(shape), at, end)
		at, sep = end, ","
	}
	if sep == "{" {
		b.WriteString(sep)
	}
	b.WriteByte('}')
	for b.Len()%8 != 0 {
		b.WriteByte(' ')
	}
	if b.Len()-8 > safeHeader {
		return nil, fmt.Errorf("store: a header of %d bytes is too large for a safetensors file (at most %d)", b.Len()-8, safeHeader)
	}
	binary.LittleEndian.PutUint64(b.Bytes(), uint64(b.Len()-8))
	return b.Bytes(), nil
}

// quote is v as JSON, with <, > and & as they are.
func quote(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(err) // strings, maps of strings and lists of numbers always encode
	}
	return bytes.TrimSpace(b.Bytes())
}

// openRegular opens a file for reading and gives its size; a folder, pipe or device is an error.
func openRegular(path string) (*os.File, int64, error) {
	if s, err := os.Stat(path); err != nil {
		return nil, 0, err
	} else if !s.Mode().IsRegular() {
		return nil, 0, fmt.Errorf("%s is not a file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, err
	}
	s, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, 0, err
	}
	return f, s.Size(), nil
}

// readAt fills b from offset at; a file that ends early is corrupt.
func readAt(r io.ReaderAt, b []byte, at int64) error {
	n, err := r.ReadAt(b, at)
	switch {
	case n == len(b):
		return nil
	case errors.Is(err, io.EOF) || err == nil:
		return broken("the file ends at byte %d, inside what its header announces", at+int64(n))
	}
	return err
}
