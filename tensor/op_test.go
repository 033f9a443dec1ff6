package tensor_test

import (
	"testing"

	"github.com/kun-ml/kun/tensor"
	"github.com/kun-ml/kun/tensortest"
)

func TestOps_GradientsMatchDifferences(t *testing.T) {
	count := 0
	for _, op := range tensor.Ops() {
		count += tensortest.Gradient(t, op)
	}
	t.Logf("%d operations, %d gradients compared", len(tensor.Ops()), count)
	if count < 100 {
		t.Errorf("only %d gradients were compared", count)
	}
}

func TestOps_HaveCases(t *testing.T) {
	for _, op := range tensor.Ops() {
		if op.Class != tensor.Source && op.Name != "Scan" && len(op.Cases) == 0 {
			t.Errorf("%s has no test case", op.Name)
		}
	}
}
