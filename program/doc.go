// Package program simplifies recorded graphs in ways that help every device: dead code, common subexpressions, algebra;
// and it counts their cost and writes them down.
//
//	g = program.Optimize(g)
//	fmt.Print(program.Dump(g))
//
// How a device fuses, tiles and places memory is the device's own matter.
package program
