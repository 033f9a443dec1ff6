// Package dataset knows data sets by name: digits (made by a generator, no files), mnist, fashion_mnist and cifar10.
//
//	train, test, err := dataset.MNIST(ctx)
//	train, test, err := dataset.Load(ctx, "mnist", dataset.Options{Dir: "/data/mnist"})
//
// Files are looked for in Options.Dir, in the folder of that name below $KUN_DATA, and in the cache ($KUN_CACHE, else the
// user's cache folder); what is missing is downloaded into the cache, checked against its hash. Images are uint8, (28,28)
// or (32,32,3); labels are uint8. Package dataset may import data, array and internal/rng.
package dataset
