package data

import (
	"context"
	"fmt"
)

// ClassWeights gives every class of y the weight n / (classes * samples of the class), so that all classes count alike;
// the mean weight of a sample is 1. Classes without a sample have no weight and do not count. y must hold one class
// number per sample.
func ClassWeights(ctx context.Context, src Source) (map[int]float64, error) {
	f, ok := FieldOf(src, Y)
	switch {
	case !ok:
		return nil, noField(src.Fields(), Y)
	case !isLabel(f):
		return nil, fmt.Errorf("data: ClassWeights: field %v is no class number", f)
	case src.Len() == 0:
		return nil, fmt.Errorf("data: ClassWeights: the source has no samples")
	}
	y, err := labels(ctx, src, Y)
	if err != nil {
		return nil, err
	}
	w := map[int]float64{}
	for _, c := range y {
		w[int(c)]++
	}
	for c, n := range w {
		w[c] = float64(len(y)) / (float64(len(w)) * n)
	}
	return w, nil
}
