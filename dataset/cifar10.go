package dataset

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"slices"

	"github.com/kun-ml/kun/array"
	"github.com/kun-ml/kun/data"
)

// A record of the binary version is the label and 32x32 pixels, channels first.
const (
	cifarSide   = 32
	cifarPlane  = cifarSide * cifarSide
	cifarRecord = 1 + 3*cifarPlane
)

var cifarBatch = 10000 // records of a file; tests shorten them

// cifarParts are the members of the archive that count: of the training data, then of the test data.
var cifarParts = []string{"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin", "test_batch.bin"}

func loadCIFAR10(ctx context.Context, d *definition, o Options) (train, test *data.Set, err error) {
	paths, err := d.paths(ctx, o)
	if err != nil {
		return nil, nil, err
	}
	f, err := os.Open(paths[0])
	if err != nil {
		return nil, nil, fmt.Errorf("dataset: %w", err)
	}
	defer f.Close()
	bad := func(format string, a ...any) error {
		return &data.FormatError{Format: "CIFAR-10", Path: paths[0], Why: fmt.Sprintf(format, a...)}
	}
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, nil, bad("is not a gzip file: %v", err)
	}
	raw := map[string][]byte{}
	for t := tar.NewReader(z); ; {
		if err := ctx.Err(); err != nil {
			return nil, nil, err
		}
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, nil, bad("is damaged: %v", err)
		}
		name := path.Base(h.Name)
		if !slices.Contains(cifarParts, name) {
			continue
		}
		if h.Size != int64(cifarBatch*cifarRecord) {
			return nil, nil, bad("%s has %d bytes, want %d", name, h.Size, cifarBatch*cifarRecord)
		}
		b := make([]byte, h.Size)
		if _, err := io.ReadFull(t, b); err != nil {
			return nil, nil, bad("%s is damaged: %v", name, err)
		}
		raw[name] = b
	}
	if _, err := io.Copy(io.Discard, z); err != nil { // the checksum comes after the archive's end
		return nil, nil, bad("is damaged: %v", err)
	}
	if train, err = cifarSet(raw, cifarParts[:5], bad); err != nil {
		return nil, nil, err
	}
	test, err = cifarSet(raw, cifarParts[5:], bad)
	return train, test, err
}

// cifarSet puts the records of files together, channels last.
func cifarSet(raw map[string][]byte, parts []string, bad func(string, ...any) error) (*data.Set, error) {
	n := len(parts) * cifarBatch
	x, y := array.New(array.Uint8, n, cifarSide, cifarSide, 3), array.New(array.Uint8, n)
	at := 0
	for _, name := range parts {
		b := raw[name]
		if b == nil {
			return nil, bad("has no %s", name)
		}
		for r := range slices.Chunk(b, cifarRecord) {
			if r[0] > 9 {
				return nil, bad("%s: label %d is no class", name, r[0])
			}
			y.Bytes()[at] = r[0]
			dst := x.Bytes()[at*3*cifarPlane : (at+1)*3*cifarPlane]
			for p := range cifarPlane {
				dst[3*p], dst[3*p+1], dst[3*p+2] = r[1+p], r[1+cifarPlane+p], r[1+2*cifarPlane+p]
			}
			at++
		}
	}
	return data.FromArrays(x, y)
}
