package store

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/kun-ml/kun/array"
)

// The limits of an npz archive, which may be compressed: what it unpacks to is at most npzFree bytes, or npzRatio times the
// size of the file where that is more.
const (
	npzFree  = 256 << 20
	npzRatio = 100
)

// ReadNPZ reads NumPy's archive of named arrays, as np.savez and np.savez_compressed write it. Arrays come in the archive's
// order, without the ".npy" of their names; array.ReadNPY says which types are read and how. An archive that is damaged (its checksums are
// checked), that holds something other than arrays or the same name twice is a *CorruptError; so is one that would unpack
// to more than 256 MB and more than 100 times its size.
func ReadNPZ(path string) (*Tensors, error) {
	f, size, err := openRegular(path)
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	defer f.Close()
	t, err := ReadNPZFrom(f, size)
	if err != nil {
		return nil, at(path, err)
	}
	return t, nil
}

// ReadNPZFrom is ReadNPZ for size bytes of any random-access reader.
func ReadNPZFrom(r io.ReaderAt, size int64) (*Tensors, error) {
	z, err := zip.NewReader(r, size)
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) { // names are checked below; nothing is unpacked to disk
		return nil, broken("not an npz archive (%v)", err)
	}
	if err := bounded(z.File, size); err != nil {
		return nil, err
	}
	t := &Tensors{}
	for _, f := range z.File {
		name, ok := strings.CutSuffix(f.Name, ".npy")
		if !ok {
			return nil, broken("the archive holds %q, which is no .npy array", f.Name)
		}
		a, err := readMember(f)
		if err != nil {
			return nil, broken("array %q: %v", name, err)
		}
		if err := t.add(name, a); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// bounded refuses archives that unpack to far more than they hold, by compression or by naming the same bytes often.
func bounded(files []*zip.File, size int64) error {
	limit := uint64(max(npzFree, npzRatio*size))
	var packed, unpacked uint64
	for _, f := range files {
		if f.CompressedSize64 > uint64(size) || f.UncompressedSize64 > limit {
			return broken("%q claims %d bytes, unpacked %d, in an archive of %d (limit %d)", f.Name, f.CompressedSize64, f.UncompressedSize64, size, limit)
		}
		packed += f.CompressedSize64 // no overflow: each is at most size, and there are fewer files than bytes
		unpacked += f.UncompressedSize64
		if packed > uint64(size) || unpacked > limit {
			return broken("the archive of %d bytes claims to hold more than it can, or to unpack to more than %d bytes", size, limit)
		}
	}
	return nil
}

// readMember reads one array to its last byte, which checks the checksum.
func readMember(f *zip.File) (*array.Array, error) {
	if f.Flags&1 != 0 {
		return nil, errors.New("it is encrypted")
	}
	r, err := f.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	a, err := array.ReadNPY(r)
	if err != nil {
		return nil, err
	}
	switch n, err := io.ReadFull(r, make([]byte, 1)); {
	case n > 0:
		return nil, errors.New("bytes follow the array")
	case err != io.EOF:
		return nil, err
	}
	return a, nil
}

// WriteNPZ writes arrays in the order given as NumPy's archive: uncompressed, as np.savez does, or with deflate. The same arguments
// give the same bytes.
func WriteNPZ(w io.Writer, tensors []Tensor, deflate bool) error {
	if err := checkNames(tensors); err != nil {
		return err
	}
	method := zip.Store
	if deflate {
		method = zip.Deflate
	}
	z := zip.NewWriter(w)
	for _, t := range tensors {
		f, err := z.CreateHeader(&zip.FileHeader{Name: t.Name + ".npy", Method: method})
		if err == nil {
			err = array.WriteNPY(f, t.Array)
		}
		if err != nil {
			return fmt.Errorf("store: writing array %q: %w", t.Name, err)
		}
	}
	if err := z.Close(); err != nil {
		return fmt.Errorf("store: writing the archive's directory: %w", err)
	}
	return nil
}
