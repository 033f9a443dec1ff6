package input

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/kun-ml/kun/array"
	"github.com/kun-ml/kun/data"
)

// idx reads the format of MNIST's files: one sample or a batch of them.
func (b *Batch) idx(raw []byte, spec Spec) error {
	x, err := data.ReadIDX(bytes.NewReader(raw))
	if err != nil {
		return detail(err)
	}
	if x.Rank() == 1 && spec.Shape.Size() > 1 && x.Dim(0) != spec.Shape.Size() {
		return fmt.Errorf("IDX: one number per sample: these are labels, not samples of shape %v", spec.Shape)
	}
	b.X, err = fit(x, spec.Shape)
	return err
}

// npy reads a NumPy array: one sample or a batch of them.
func (b *Batch) npy(raw []byte, spec Spec) error {
	r := bytes.NewReader(raw)
	x, err := array.ReadNPY(r)
	if err != nil {
		return errors.New(strings.TrimPrefix(err.Error(), "array: "))
	}
	if r.Len() > 0 {
		return fmt.Errorf("npy: %d bytes follow the array %v", r.Len(), x.Shape())
	}
	b.X, err = fit(x, spec.Shape)
	return err
}
