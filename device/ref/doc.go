// Package ref runs graphs by the float64 reference of each operation: slow, obvious, and the oracle for other devices.
// Values are held as float64 whatever their element type; integers beyond 2^53 are not exact.
//
// It imports package device and what lies below it.
package ref
