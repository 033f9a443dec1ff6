package tensor

import "github.com/kun-ml/kun/array"

// F is a float32 type of the given shape: a short form for test cases.
func F(dims ...int) Type { return Type{array.Float32, append(array.Shape{}, dims...)} }

// I is an int32 type of the given shape.
func I(dims ...int) Type { return Type{array.Int32, append(array.Shape{}, dims...)} }

var shapesUnary = [][]int{{}, {7}, {3, 37}, {2, 3, 129}}

var shapesBinary = [][2][]int{{{3, 37}, {3, 37}}, {{3, 37}, {37}}, {{3, 37}, {3, 1}}, {{2, 1, 5}, {3, 1}}, {{4, 6}, {}}, {{}, {5}}}
