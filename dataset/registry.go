package dataset

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/kun-ml/kun/array"
	"github.com/kun-ml/kun/data"
)

// Options says where data sets come from. The zero value looks in the usual places and downloads what is missing.
type Options struct {
	// Dir is a folder that holds the files, or holds a folder of the data set's name; empty: $KUN_DATA, then the cache.
	Dir string
	// Offline never downloads.
	Offline bool
	// CacheDir is where downloads go; empty: $KUN_CACHE, else kun below the user's cache folder.
	CacheDir string
	// Progress is told how a download goes; total is 0 when it is not known. nil: nobody is.
	Progress func(file string, done, total int64)
}

// Info describes a data set.
type Info struct {
	Name    string
	Title   string
	Train   int         // training samples
	Test    int         // test samples
	Shape   array.Shape // of one image
	Classes []string
}

// definition is a data set of the registry.
type definition struct {
	Info
	files []file
	load  func(ctx context.Context, d *definition, o Options) (train, test *data.Set, err error)
}

var digitNames = strings.Split("0 1 2 3 4 5 6 7 8 9", " ")

var registry = []*definition{
	{Info: Info{"digits", "handwriting-like digits from a generator", 10000, 2000, array.Shape{28, 28}, digitNames}, load: loadDigits},
	{Info: Info{"mnist", "handwritten digits (LeCun, Cortes, Burges)", 60000, 10000, array.Shape{28, 28}, digitNames}, load: loadIDX, files: []file{
		{name: "train-images-idx3-ubyte.gz", sha256: "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609", size: 9912422, mirrors: mnistMirrors},
		{name: "train-labels-idx1-ubyte.gz", sha256: "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c", size: 28881, mirrors: mnistMirrors},
		{name: "t10k-images-idx3-ubyte.gz", sha256: "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6", size: 1648877, mirrors: mnistMirrors},
		{name: "t10k-labels-idx1-ubyte.gz", sha256: "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6", size: 4542, mirrors: mnistMirrors}}},
	{Info: Info{"fashion_mnist", "pictures of clothes (Xiao, Rasul, Vollgraf 2017)", 60000, 10000, array.Shape{28, 28},
		[]string{"T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"}}, load: loadIDX, files: []file{
		{name: "train-images-idx3-ubyte.gz", sha256: "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84", size: 26421880, mirrors: fashionMirrors},
		{name: "train-labels-idx1-ubyte.gz", sha256: "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845", size: 29515, mirrors: fashionMirrors},
		{name: "t10k-images-idx3-ubyte.gz", sha256: "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073", size: 4422102, mirrors: fashionMirrors},
		{name: "t10k-labels-idx1-ubyte.gz", sha256: "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5", size: 5148, mirrors: fashionMirrors}}},
	{Info: Info{"cifar10", "small colour photographs (Krizhevsky 2009)", 50000, 10000, array.Shape{32, 32, 3},
		[]string{"airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"}}, load: loadCIFAR10, files: []file{
		{name: "cifar-10-binary.tar.gz", sha256: "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd", size: 170052171, mirrors: []string{"https://www.cs.toronto.edu/~kriz/"}}}},
}

var (
	mnistMirrors = []string{"https://storage.googleapis.com/cvdf-datasets/mnist/", "https://ossci-datasets.s3.amazonaws.com/mnist/",
		"http://yann.lecun.com/exdb/mnist/"}
	fashionMirrors = []string{"https://storage.googleapis.com/tensorflow/tf-keras-datasets/", "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"}
)

// Names lists the data sets.
func Names() []string {
	var out []string
	for _, d := range registry {
		out = append(out, d.Name)
	}
	return out
}

// Describe tells about a data set; false for a name that is not known.
func Describe(name string) (Info, bool) {
	for _, d := range registry {
		if d.Name == name {
			return d.Info, true
		}
	}
	return Info{}, false
}

// Load gives the training and the test set of that name. An unknown name, files that are missing or not what they should
// be, and a download that fails are errors; see MissingError.
func Load(ctx context.Context, name string, o Options) (train, test *data.Set, err error) {
	i := slices.IndexFunc(registry, func(d *definition) bool { return d.Name == name })
	if i < 0 {
		return nil, nil, fmt.Errorf("dataset: unknown data set %q; known are %s", name, strings.Join(Names(), ", "))
	}
	d := registry[i]
	train, test, err = d.load(ctx, d, o)
	if err != nil {
		return nil, nil, err
	}
	for _, s := range []*data.Set{train, test} {
		s.Name, s.Classes = d.Name, d.Classes
	}
	return train, test, nil
}

// MNIST is Load of "mnist" with the zero Options: 60,000 and 10,000 images of 28x28.
func MNIST(ctx context.Context) (train, test *data.Set, err error) {
	return Load(ctx, "mnist", Options{})
}

// FashionMNIST is Load of "fashion_mnist" with the zero Options: 60,000 and 10,000 images of 28x28.
func FashionMNIST(ctx context.Context) (train, test *data.Set, err error) {
	return Load(ctx, "fashion_mnist", Options{})
}

// CIFAR10 is Load of "cifar10" with the zero Options: 50,000 and 10,000 images of 32x32x3.
func CIFAR10(ctx context.Context) (train, test *data.Set, err error) {
	return Load(ctx, "cifar10", Options{})
}

// Digits is Load of "digits": 10,000 and 2,000 images of 28x28, made on the spot and always the same.
func Digits(ctx context.Context) (train, test *data.Set, err error) {
	return Load(ctx, "digits", Options{})
}

func loadDigits(ctx context.Context, d *definition, _ Options) (train, test *data.Set, err error) {
	draw := func(split string, n int) (*data.Set, error) {
		x, y := array.New(array.Uint8, n, digitSize, digitSize), array.New(array.Uint8, n)
		if err := makeDigits(ctx, 0, split, x.Bytes(), y.Bytes()); err != nil {
			return nil, err
		}
		return data.FromArrays(x, y)
	}
	if train, err = draw("train", d.Train); err != nil {
		return nil, nil, err
	}
	test, err = draw("test", d.Test)
	return train, test, err
}

// folders are the places where the files of a data set may lie, in the order in which they are looked at.
func (d *definition) folders(o Options) []string {
	if o.Dir != "" {
		return []string{o.Dir, filepath.Join(o.Dir, d.Name)}
	}
	var out []string
	if k := os.Getenv("KUN_DATA"); k != "" {
		out = append(out, filepath.Join(k, d.Name))
	}
	if c, err := cacheDir(o); err == nil {
		out = append(out, filepath.Join(c, d.Name))
	}
	return out
}

func cacheDir(o Options) (string, error) {
	if o.CacheDir != "" {
		return o.CacheDir, nil
	}
	if c := os.Getenv("KUN_CACHE"); c != "" {
		return c, nil
	}
	c, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("dataset: no cache folder: %w; set KUN_CACHE", err)
	}
	return filepath.Join(c, "kun"), nil
}
