// Package tensor records computations. A Tensor is a promise of values: ordinary Go code over tensors is run once by
// Trace, which writes down every operation with its shape; Grad adds the operations of the gradient to the same record;
// package program simplifies the record and a device compiles and runs it. (Package array holds values themselves.)
//
//	g, err := tensor.Trace(tensor.Options{Model: net}, func(in []*tensor.Tensor) []*tensor.Tensor {
//		y := net.Forward(in[0])                    // (B,10)
//		return []*tensor.Tensor{y.Square().Mean()} // ()
//	}, tensor.Spec{Name: "x", DType: array.Float32, Shape: array.Shape{32, 784}})
//
// Inside a trace a mistake panics with a *ShapeError; the edges (Trace and what is built on it) turn it into an error that
// names the operation, the shapes, the layer's path and the user's file and line. Any other panic passes untouched.
//
// Operations are Op values in a table (Ops). An Op says what it means: shape rule, float64 reference, gradient, cost,
// test cases. How a device runs it stands elsewhere, found by the op's name. Operations demand equal element types;
// scalars take the tensor's. Elementwise operations broadcast as NumPy does.
//
// Package tensor imports package array and the random streams, nothing else of Kun.
package tensor
