package data

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"

	"github.com/kun-ml/kun/array"
)

var idxTypes = map[byte]array.DType{
	0x08: array.Uint8, 0x09: array.Int8, 0x0c: array.Int32, 0x0d: array.Float32, 0x0e: array.Float64,
}

// idxAxes is the most axes that are read.
const idxAxes = 8

// ReadIDX reads the format of MNIST's files, plain or packed by gzip: two zero bytes, the type, the number of axes, their
// sizes (32 bits each, most significant byte first), the values. The values go straight into the array. What the header
// claims is compared with the size of the file where that is known, and allocated only as far as bytes arrive where it
// is not. Errors, all *FormatError but those of r itself: no IDX file, a type that is not read (16-bit integers), fewer
// or more bytes than the header says, samples without elements, a packed file that is cut off or altered.
func ReadIDX(r io.Reader) (*array.Array, error) { return readIDX(r, "") }

// ReadIDXFile is ReadIDX of a file; errors name it.
func ReadIDXFile(path string) (*array.Array, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, openError(path, err)
	}
	defer f.Close()
	return readIDX(f, path)
}

func openError(path string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("data: %s: no such file: %w", path, fs.ErrNotExist)
	}
	return fmt.Errorf("data: %w", err)
}

func readIDX(r io.Reader, path string) (*array.Array, error) {
	p, err := open(r, path)
	if err != nil {
		return nil, err
	}
	bad := func(format string, a ...any) error {
		if err := p.broken(); err != nil {
			return err
		}
		return &FormatError{Format: "IDX", Path: path, Why: fmt.Sprintf(format, a...)}
	}
	var head [4 + 4*idxAxes]byte
	if _, err := io.ReadFull(p, head[:4]); err != nil {
		return nil, bad("the header is cut off")
	}
	t, ok := idxTypes[head[2]]
	rank := int(head[3])
	switch {
	case head[0] != 0 || head[1] != 0:
		return nil, bad("not an IDX file: it begins with %#02x %#02x, not with two zero bytes", head[0], head[1])
	case head[2] == 0x0b:
		return nil, bad("16-bit integers are not read; store bytes or 32-bit integers")
	case !ok || rank == 0 || rank > idxAxes:
		return nil, bad("unknown type %#x with %d axes", head[2], rank)
	}
	sizes := head[4 : 4+4*rank]
	if _, err := io.ReadFull(p, sizes); err != nil {
		return nil, bad("the header is cut off")
	}
	shape := make(array.Shape, rank)
	for i := range shape {
		d := binary.BigEndian.Uint32(sizes[4*i:])
		if d > math.MaxInt32 {
			return nil, bad("axis %d of %d elements", i, d)
		}
		shape[i] = int(d)
	}
	n, err := shape.CheckedSize(t.Size())
	if err != nil {
		return nil, bad("%v", err)
	}
	if n == 0 && shape[0] > 0 { // any number of them would be in a file of no size
		return nil, bad("the header says %d samples without elements, %v", shape[0], shape)
	}
	return p.body(t, shape, int64(n), bad)
}

// body reads the values and demands that the file ends with them.
func (p *packed) body(t array.DType, shape array.Shape, n int64, bad func(string, ...any) error) (*array.Array, error) {
	trust := 0
	if most := p.most(); most >= 0 {
		if !p.gzip && n != most || n > most {
			what := "the file holds"
			if p.gzip {
				what = "the packed file can hold at most"
			}
			return nil, bad("the header says %v of %v, %d bytes; %s %d", t, shape, n, what, most)
		}
		trust = int(min(n, max(array.Trust, 16*p.size))) // images pack to more than 1/16
	}
	start := p.out
	a, err := array.ReadRaw(p, binary.BigEndian, trust, t, shape...)
	if err != nil {
		return nil, bad("the header says %v of %v, %d bytes; the file holds %d", t, shape, n, p.out-start)
	}
	// The end also brings the checksum of a packed file.
	if more, err := io.Copy(io.Discard, io.LimitReader(p, 1)); err != nil || more > 0 {
		return nil, bad("the header says %v of %v, %d bytes; the file holds more", t, shape, n)
	}
	return a, nil
}
