package cli

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/kun-ml/kun/array"
	"github.com/kun-ml/kun/data"
	"github.com/kun-ml/kun/internal/cli/term"
	"github.com/kun-ml/kun/store"
)

// arrays reads inputs and labels from npy, IDX or npz files.
func (d dataRecipe) arrays(w want) (*parts, error) {
	p := &parts{name: d.Path}
	var test *data.Set
	read := d.pair
	if d.Source == npzSource {
		read = d.archive
	}
	train, test, err := read(w.at(d.Path), w.at(d.Labels), true)
	if err != nil {
		return nil, err
	}
	if d.TestPath != "" {
		if test, _, err = read(w.at(d.TestPath), w.at(d.TestLabels), false); err != nil {
			return nil, err
		}
	}
	p.train = train
	if test != nil {
		p.test = test
	}
	return p, nil
}

// at is where a path of the configuration leads.
func (w want) at(path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(w.folder, path)
}

// pair reads a file of inputs and one of labels.
func (d dataRecipe) pair(inputs, labels string, _ bool) (set, test *data.Set, err error) {
	x, err := readArray(inputs)
	if err != nil {
		return nil, nil, err
	}
	y, err := readArray(labels)
	if err != nil {
		return nil, nil, err
	}
	set, err = d.set(inputs, x, y)
	return set, nil, err
}

// archive reads arrays by name: those of the recipe, else x_train, y_train, x_test, y_test as Keras names them, else x and y.
func (d dataRecipe) archive(path, _ string, first bool) (set, test *data.Set, err error) {
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil, nil, fmt.Errorf("%s: no such file: %w", path, fs.ErrNotExist)
	}
	ts, err := store.ReadNPZ(path)
	if err != nil {
		var bad *store.CorruptError
		if errors.As(err, &bad) { // a damaged file of data, not a damaged model
			return nil, nil, &Exit{Code: Data, Err: err, Hint: bad.Hint}
		}
		return nil, nil, err
	}
	var names []string
	for _, t := range ts.All() {
		names = append(names, t.Name)
	}
	get := func(given string, usual ...string) (*array.Array, error) {
		if given != "" {
			usual = []string{given}
		}
		for _, n := range usual {
			if a := ts.Get(n); a != nil {
				return a, nil
			}
		}
		return nil, fmt.Errorf("%s: no array %q; there are %s", path, usual[0], strings.Join(names, ", "))
	}
	usual := func(what string) []string {
		if first {
			return []string{what + "_train", what}
		}
		return []string{what + "_test", what}
	}
	x, err := get(d.Input, usual("x")...)
	if err != nil {
		return nil, nil, err
	}
	y, err := get(d.Target, usual("y")...)
	if err != nil {
		return nil, nil, err
	}
	if set, err = d.set(path, x, y); err != nil || !first || d.Input != "" || d.Target != "" || d.TestPath != "" {
		return set, nil, err
	}
	if x, y := ts.Get("x_test"), ts.Get("y_test"); x != nil && y != nil {
		test, err = d.set(path, x, y)
	}
	return set, test, err
}

// set makes a set of inputs and labels. Models compute in float32, so floating-point numbers become that.
func (d dataRecipe) set(path string, x, y *array.Array) (*data.Set, error) {
	for _, a := range []**array.Array{&x, &y} {
		if (*a).DType().IsFloat() && (*a).DType() != array.Float32 {
			*a = (*a).To(array.Float32)
		}
	}
	s, err := data.FromArrays(x, y)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if s.Len() == 0 {
		return nil, fmt.Errorf("%s holds no samples", path)
	}
	s.Name, s.Classes = path, d.Classes
	return s, nil
}

// readArray reads a file in NumPy's format or in IDX.
func readArray(path string) (*array.Array, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: no such file: %w", path, fs.ErrNotExist)
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	head := make([]byte, 6)
	if n, _ := io.ReadFull(f, head); !bytes.Equal(head[:n], []byte("\x93NUMPY")) {
		return data.ReadIDXFile(path)
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	r := bufio.NewReaderSize(f, 1<<16)
	a, err := array.ReadNPY(r)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if _, err := r.ReadByte(); err == nil {
		return nil, fmt.Errorf("%s: bytes follow the array %v%v", path, a.DType(), a.Shape())
	}
	return a, nil
}

func downloaded(done, total int64) string {
	if total <= 0 {
		return term.Bytes(uint64(done))
	}
	return fmt.Sprintf("%s of %s", term.Bytes(uint64(done)), term.Bytes(uint64(total)))
}
