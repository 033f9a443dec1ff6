// Package tensortest holds conformance suites: run them on an operation, a layer or a device of your own.
//
//	func TestSoftplus(t *testing.T) { tensortest.Gradient(t, softplus) }
//
// Reference values come from package device/ref, gradients are checked by finite differences in one random direction in float64.
package tensortest
