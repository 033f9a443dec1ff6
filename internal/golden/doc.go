// Package golden runs cases that Keras made: it reads the files of vectors, runs a trace on both devices and compares.
//
// The files are one JSON object per family, {"cases": [...]}, with tensors as {"shape", "dtype", "data"} where data is
// base64 of little-endian values. Package testdata finds their folder.
package golden
