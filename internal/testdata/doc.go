// Package testdata finds the real data and the golden vectors that some tests need. They live outside the repository:
//
//	dir := testdata.Dir(t, "mnist")                          // $KUN_DATA/mnist, else shared/data/mnist beside the checkout
//	golden := filepath.Join(testdata.Golden(t), "layers.json") // $KUN_GOLDEN, else shared/golden/keras beside the checkout
//
// A test whose files are not there is skipped with the name of the variable to set; with CI=true it fails, so that the
// gate cannot pass by skipping.
//
// Package testdata imports nothing of Kun. The go command leaves folders of this name out of "./...", so its own tests run when
// named: go test ./internal/testdata.
package testdata
