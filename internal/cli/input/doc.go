// Package input turns the files that a person hands to `kun predict` into arrays that a model takes: pictures (PNG,
// JPEG), NumPy arrays (npy), IDX files as MNIST's (plain or gzip) and tables of numbers (CSV).
//
//	f, err := input.Open("seven.png")
//	b, err := input.Read("seven.png", f, input.Spec{Shape: array.Shape{28, 28}})
//	b.X     // uint8 (1, 28, 28): grey values, resized; preparation and casting are the model's
//	b.Notes // what the person should know: resized, stretched, a light background
//
// What a file is follows from its first bytes, never from its name; of a folder, Expand takes the files whose names end as
// those of samples do. Nothing is guessed silently: a picture is never
// inverted unless Spec.Invert says so. Sizes are checked before anything is allocated for them.
//
// Package input imports array and data, whose readers of npy, IDX and CSV it uses. CSV here is numbers column by column;
// tables by the names of their columns are read by package data.
package input
