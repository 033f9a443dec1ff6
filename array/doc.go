// Package array holds values on the host: a shape, an element type and the numbers, row-major and contiguous.
// It is Kun's NumPy for data code; traced computation lives in package tensor.
//
//	x := array.From([]float32{1, 2, 3, 4, 5, 6}, 2, 3) // (2,3), shares the slice
//	row := x.Rows(1, 2)                                // (1,3), a view
//	y := x.To(array.Float64)                           // a converted copy
//	err := array.WriteNPY(file, y)                     // a NumPy file; ReadNPY reads one
//	fmt.Println(array.Data[float32](row)[0])           // 4
//
// An Array is not a tensor with strides: views are cut along the first axis only, so every Array is one
// contiguous run of memory. Generics live at the edge (From, Data); an Array itself carries its DType as a value.
//
// Package array imports nothing of Kun.
package array
