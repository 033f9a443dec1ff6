// Package data holds samples and hands them out in batches.
//
//	train, err := data.FromArrays(x, y)                          // x uint8 (60000,28,28), y uint8 (60000)
//	train.Classes = []string{"zero", "one", ...}                 // names for people, optional
//
//	fit, check, err := data.Split(train, data.SplitOptions{Fraction: 0.1, Seed: 1}) // stratified by y
//	b, err := data.NewBatches(fit, data.Options{Batch: 32, Shuffle: true, Seed: 1, Prefetch: 2})
//	for epoch := range 5 {
//		for batch, err := range b.Epoch(ctx, epoch, 0) {
//			if err != nil {
//				return err
//			}
//			images := batch.Array(data.X) // uint8 (32,28,28), valid until the next step
//			...
//		}
//	}
//
//	digits, err := data.ReadIDXFile("train-images-idx3-ubyte.gz") // plain or gzip
//	table, err := data.ReadCSVFile("iris.csv", data.CSVOptions{}) // numbers, and categories as codes
//	iris, err := table.Set(data.SetOptions{Target: "species"})    // x, y and the names of the classes
//	warnings, err := data.Validate(ctx, iris, data.Expect{})      // NaN, labels out of range, with the row
//
// A Source is anything that has samples by position: a Set in memory, a Subset of another source, or a type of your own.
// The order of an epoch follows from the seed and the epoch's number alone, so training that stopped in the middle of an
// epoch goes on with the batches that were left. A step allocates nothing.
//
// Package data imports array and the random streams.
package data
