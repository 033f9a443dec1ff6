package nn

import (
	"github.com/kun-ml/kun/array"
	"github.com/kun-ml/kun/tensor"
)

// Embedding turns numbers of words or categories into vectors: (...) of 0..Size-1 to (...,Units). A number outside gives
// NaN, so that it does not go unnoticed.
type Embedding struct {
	// Size is how many different numbers there are; at least 1.
	Size int
	// Units is the length of a vector; at least 1.
	Units int
	// MaskZero treats the number 0 as padding: the output carries a mask that is false there.
	MaskZero bool

	// TableInit fills the table; nil: RandomUniform between -0.05 and 0.05.
	TableInit tensor.Initializer
	// TableRegularizer adds a penalty on the table to the loss; nil: none.
	TableRegularizer Regularizer
	// ActivityRegularizer adds a penalty on the output, divided by the batch size; nil: none.
	ActivityRegularizer Regularizer

	Table Param // (Size,Units)
}

// Forward looks the numbers up: (...) to (...,Units). Other element types than int32 are converted.
func (e *Embedding) Forward(ids *tensor.Tensor) *tensor.Tensor {
	ids = ids.At(e)
	id := ids.Cast(array.Int32)
	y := e.in(ids).Take(id)
	penalise(ids, "table", e.TableRegularizer, func() *tensor.Tensor { return e.Table.master(ids, e.init(), e.Size, e.Units) })
	penaliseActivity(ids, e.ActivityRegularizer, y)
	if e.MaskZero {
		return y.WithMask(id.NotEqual(tensor.Full(id, 0)))
	}
	return y.WithMask(ids.Mask())
}

// Logits multiplies by the transposed table, (...,Units) to (...,Size): output weights tied to the embedding.
func (e *Embedding) Logits(x *tensor.Tensor) *tensor.Tensor {
	t := e.in(x.At(e))
	return x.Cast(t.DType()).MatMulT(t).WithMask(x.Mask())
}

func (e *Embedding) in(x *tensor.Tensor) *tensor.Tensor {
	if e.Size < 1 || e.Units < 1 {
		fail(x, "Embedding", "Size counts the different numbers, Units is the length of a vector", "Size is %d and Units is %d, both must be at least 1", e.Size, e.Units)
	}
	return e.Table.In(x, e.init(), e.Size, e.Units)
}

func (e *Embedding) init() tensor.Initializer { return orInit(e.TableInit, RandomUniform{}) }
