package data_test

import (
	"context"
	"fmt"
	"strings"

	"github.com/kun-ml/kun/data"
)

const flowers = `petal length,petal width,species
1.4,0.2,setosa
4.7,1.4,versicolor
1.3,0.2,setosa
4.5,1.5,versicolor
6.0,2.5,virginica
5.1,1.9,virginica
`

// A table of numbers and names becomes a set, is checked, divided and cut into batches.
func Example() {
	table, err := data.ReadCSV(strings.NewReader(flowers), data.CSVOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	set, err := table.Set(data.SetOptions{Target: "species"})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(set.Fields(), set.Classes)

	ctx := context.Background()
	warnings, err := data.Validate(ctx, set, data.Expect{Classes: 3})
	fmt.Println(warnings, err)

	train, check, err := data.Split(set, data.SplitOptions{Fraction: 0.5, Seed: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	batches, err := data.NewBatches(train, data.Options{Batch: 2, Shuffle: true, Seed: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	for batch, err := range batches.Epoch(ctx, 0, 0) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(batch.Size, batch.Array(data.X).Shape(), batch.Array(data.Y).DType())
	}
	fmt.Println(check.Len(), "samples to check with")
	// Output:
	// [x float32(2,) y int32()] [setosa versicolor virginica]
	// [] <nil>
	// 2 (2, 2) int32
	// 1 (1, 2) int32
	// 3 samples to check with
}
