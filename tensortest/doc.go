// Package tensortest holds conformance suites: run them on an operation, a layer or a device of your own.
//
//	func TestSoftplus(t *testing.T) { tensortest.Gradient(t, softplus) }
//	func TestRMSNorm(t *testing.T)  { tensortest.Layer(t, &RMSNorm{}, tensor.Case{In: []tensor.Type{tensor.F(3, 8)}}) }
//
// Reference values come from package device/ref, gradients are checked by finite differences in one random direction in float64.
package tensortest
