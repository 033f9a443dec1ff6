package dataset

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/kun-ml/kun/array"
	"github.com/kun-ml/kun/data"
)

// names are the spellings under which a file is found: as downloaded, unpacked, and with a dot.
func (f file) names() []string {
	plain := strings.TrimSuffix(f.name, ".gz")
	dotted := strings.Replace(plain, "-idx", ".idx", 1)
	return []string{f.name, plain, dotted, dotted + ".gz"}
}

// find gives the path of a file in one of the folders, "" when it is in none.
func (f file) find(folders []string) string {
	for _, dir := range folders {
		for _, n := range f.names() {
			if p := filepath.Join(dir, n); isFile(p) {
				return p
			}
		}
	}
	return ""
}

func isFile(path string) bool {
	st, err := os.Stat(path)
	return err == nil && st.Mode().IsRegular()
}

// paths finds all files of a data set, downloading those that are missing when that is allowed.
func (d *definition) paths(ctx context.Context, o Options) ([]string, error) {
	folders := d.folders(o)
	out := make([]string, len(d.files))
	var missing []string
	for i, f := range d.files {
		if out[i] = f.find(folders); out[i] == "" {
			missing = append(missing, f.name)
		}
	}
	if len(missing) == 0 {
		return out, nil
	}
	if o.Offline || o.Dir != "" {
		return nil, &MissingError{Set: d.Name, Files: missing, Folders: folders}
	}
	cache, err := cacheDir(o)
	if err != nil {
		return nil, err
	}
	for i, f := range d.files {
		if out[i] != "" {
			continue
		}
		out[i] = filepath.Join(cache, d.Name, f.name)
		if err := fetch(ctx, f, out[i], o); err != nil {
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			return nil, &MissingError{Set: d.Name, Files: missing, Folders: folders, Err: err}
		}
	}
	return out, nil
}

func loadIDX(ctx context.Context, d *definition, o Options) (train, test *data.Set, err error) {
	paths, err := d.paths(ctx, o)
	if err != nil {
		return nil, nil, err
	}
	if train, err = d.readIDX(paths[0], paths[1]); err != nil {
		return nil, nil, err
	}
	test, err = d.readIDX(paths[2], paths[3])
	return train, test, err
}

// readIDX reads images and their labels and checks that they are what the data set holds.
func (d *definition) readIDX(images, labels string) (*data.Set, error) {
	x, err := data.ReadIDXFile(images)
	if err != nil {
		return nil, err
	}
	y, err := data.ReadIDXFile(labels)
	if err != nil {
		return nil, err
	}
	bad := func(path, format string, a ...any) error {
		return &data.FormatError{Format: "IDX", Path: path, Why: fmt.Sprintf(format, a...)}
	}
	switch {
	case x.DType() != array.Uint8 || x.Rank() != 3 || !x.Shape()[1:].Equal(d.Shape):
		return nil, bad(images, "holds %v%v, want uint8 images of %v", x.DType(), x.Shape(), d.Shape)
	case y.DType() != array.Uint8 || y.Rank() != 1:
		return nil, bad(labels, "holds %v%v, want uint8 labels", y.DType(), y.Shape())
	case x.Dim(0) != y.Dim(0):
		return nil, bad(labels, "holds %d labels for the %d images of %s", y.Dim(0), x.Dim(0), filepath.Base(images))
	case x.Dim(0) == 0:
		return nil, bad(images, "holds no images")
	}
	for i, v := range y.Bytes() {
		if int(v) >= len(d.Classes) {
			return nil, bad(labels, "label %d of sample %d is no class; there are %d", v, i, len(d.Classes))
		}
	}
	return data.FromArrays(x, y)
}
