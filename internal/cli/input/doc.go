// Package input turns the files that a person hands to `kun predict` into arrays that a model takes: pictures (PNG,
// JPEG), NumPy arrays (npy), IDX files as MNIST's (plain or gzip) and tables of numbers (CSV).
//
//	b, err := input.ReadFile("seven.png", input.Spec{Shape: array.Shape{28, 28}})
//	b.X     // uint8 (1, 28, 28): grey values, resized; preparation and casting are the model's
//	b.Notes // what the person should know: resized, stretched, a light background
//
// What a file is follows from its first bytes, never from its name. Nothing is guessed silently: a picture is never
// inverted unless Spec.Invert says so. Sizes are checked before anything is allocated for them.
//
// Package input imports array and data, whose readers of npy, IDX and CSV it uses.
package input
