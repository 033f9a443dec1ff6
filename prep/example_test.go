package prep_test

import (
	"encoding/json"
	"fmt"

	"github.com/kun-ml/kun/array"
	"github.com/kun-ml/kun/data"
	"github.com/kun-ml/kun/prep"
)

// A pipeline is fitted to the training data; its numbers go with the model.
func Example() {
	train, err := data.FromArrays(array.From([]uint8{0, 10, 0, 30, 255, 20}, 3, 2), array.From([]uint8{0, 2, 1}))
	if err != nil {
		fmt.Println(err)
		return
	}
	p := prep.Pipeline{&prep.Rescale{Scale: 2}, &prep.Normalize{}, &prep.OneHot{On: data.Y}}
	if err := p.Fit(ctx, train); err != nil {
		fmt.Println(err)
		return
	}
	b, err := json.Marshal(p)
	fmt.Println(string(b), err)
	// Output:
	// [{"rescale":{"scale":2}},{"normalize":{"mean":[170,40],"var":[57800,266.6666666666667]}},{"one_hot":{"classes":3,"on":"y"}}] <nil>
}
