package input

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/kun-ml/kun/array"
)

// Limits on what one file may hold.
const (
	MaxBytes  = 256 << 20   // of a file, and of what a gzip file unpacks to
	MaxPixels = 100_000_000 // of a picture
)

// Spec is what a model takes.
type Spec struct {
	Shape  array.Shape // of one sample, without the batch: (28, 28), (32, 32, 3), (784,)
	Invert bool        // pictures: 255 - value
}

// Batch is what was read: Len samples.
type Batch struct {
	X     *array.Array // (samples, Shape...); uint8 for pictures, as stored for npy and IDX, float32 for CSV
	Names []string     // of each sample: the file, with the row for a file of several
	Notes []string     // one line each, for the person
}

// Len is the number of samples.
func (b *Batch) Len() int { return b.X.Dim(0) }

// Open opens a file to read. Errors name the path.
func Open(path string) (*os.File, error) {
	f, err := os.Open(path)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("%s: no such file: %w", path, fs.ErrNotExist)
		}
		return nil, err
	}
	if st, err := f.Stat(); err == nil && st.IsDir() {
		f.Close()
		return nil, fmt.Errorf("%s: is a folder", path)
	}
	return f, nil
}

// Read reads one file from r; name is used in messages.
func Read(name string, r io.Reader, spec Spec) (*Batch, error) {
	raw, err := readAll(r)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if bytes.HasPrefix(raw, []byte{0x1f, 0x8b}) {
		if raw, err = gunzip(raw); err != nil {
			return nil, fmt.Errorf("%s: gzip: %w", name, err)
		}
	}
	b := &Batch{}
	switch sniff(raw) {
	case "png", "jpeg":
		err = b.picture(raw, spec)
	case "idx":
		err = b.idx(raw, spec)
	case "npy":
		err = b.npy(raw, spec)
	case "csv":
		err = b.csv(raw, spec)
	case "empty":
		err = errors.New("is empty")
	default:
		err = errors.New("is of no kind that can be read; known: PNG, JPEG, npy, IDX, CSV")
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	b.Names = make([]string, b.Len())
	for i := range b.Names {
		b.Names[i] = name
		if b.Len() > 1 {
			b.Names[i] = fmt.Sprintf("%s[%d]", name, i)
		}
	}
	for i, n := range b.Notes {
		b.Notes[i] = name + ": " + n
	}
	return b, nil
}

var errTooLarge = fmt.Errorf("is larger than %d MiB; split it", MaxBytes>>20)

func readAll(r io.Reader) ([]byte, error) {
	raw, err := io.ReadAll(io.LimitReader(r, MaxBytes+1))
	if err == nil && len(raw) > MaxBytes {
		err = errTooLarge
	}
	return raw, err
}

func gunzip(raw []byte) ([]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		return nil, err
	}
	defer z.Close()
	out, err := readAll(z)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = errors.New("the file ends too early; it was cut off")
	}
	return out, err
}

// Kind tells by the first bytes of a file, plain or packed by gzip, what it holds: png, jpeg, npy, idx, csv for any text, empty,
// or "" for what is not known.
func Kind(head []byte) string {
	if z, err := gzip.NewReader(bytes.NewReader(head)); err == nil {
		head, _ = io.ReadAll(io.LimitReader(z, 1<<12)) // of a beginning the end is missing
	}
	return sniff(head)
}

// sniff tells what the bytes are.
func sniff(raw []byte) string {
	switch {
	case len(raw) == 0:
		return "empty"
	case bytes.HasPrefix(raw, []byte("\x89PNG\r\n\x1a\n")):
		return "png"
	case bytes.HasPrefix(raw, []byte("\xff\xd8\xff")):
		return "jpeg"
	case bytes.HasPrefix(raw, []byte("\x93NUMPY")):
		return "npy"
	case len(raw) >= 4 && raw[0] == 0 && raw[1] == 0 && raw[2] >= 8 && raw[2] <= 14 && raw[3] > 0:
		return "idx"
	}
	for _, c := range raw[:min(len(raw), 1<<12)] {
		if c < ' ' && c != '\n' && c != '\r' && c != '\t' {
			return ""
		}
	}
	return "csv"
}

// fit gives x, one sample or a batch of them, the shape (n, shape...).
func fit(x *array.Array, shape array.Shape) (*array.Array, error) {
	want := shape.Size()
	if want <= 0 {
		return nil, fmt.Errorf("the model takes samples of shape %v, which hold nothing", shape)
	}
	n := -1
	switch s := x.Shape(); {
	case x.Len() == 0:
		return nil, fmt.Errorf("holds no samples (shape %v)", s)
	case s.Equal(shape), squeezed(s).Equal(squeezed(shape)):
		n = 1
	case len(s) > 0 && s[1:].Size() == want: // also (n, 784) for (28, 28) and (n, 28, 28, 1)
		n = s[0]
	}
	if n < 0 {
		return nil, fmt.Errorf("holds %v; the model takes samples of shape %v, one or several", x, shape)
	}
	return x.Reshape(append(array.Shape{n}, shape...)...), nil
}

// squeezed leaves axes of size 1 out.
func squeezed(s array.Shape) array.Shape {
	return slices.DeleteFunc(s.Clone(), func(d int) bool { return d == 1 })
}

// Expand replaces folders by the files in them whose names end as a picture's or an array's do, in the order of their
// names. A name "-" stays as it is: it stands for standard input.
func Expand(paths []string) ([]string, error) {
	var out []string
	for _, p := range paths {
		st, err := os.Stat(p)
		if p == "-" || err != nil || !st.IsDir() {
			out = append(out, p) // what is wrong with it shows when it is read
			continue
		}
		entries, err := os.ReadDir(p)
		if err != nil {
			return nil, err
		}
		before := len(out)
		for _, e := range entries {
			if !e.IsDir() && readable(e.Name()) {
				out = append(out, filepath.Join(p, e.Name()))
			}
		}
		if len(out) == before {
			return nil, fmt.Errorf("%s: the folder holds no file that can be read (png, jpg, npy, idx, csv, tsv)", p)
		}
	}
	return out, nil
}

func readable(name string) bool {
	name = strings.TrimSuffix(strings.ToLower(name), ".gz")
	if strings.HasPrefix(name, ".") {
		return false
	}
	switch filepath.Ext(name) {
	case ".png", ".jpg", ".jpeg", ".npy", ".idx", ".csv", ".tsv":
		return true
	}
	return strings.HasSuffix(name, "-ubyte")
}
