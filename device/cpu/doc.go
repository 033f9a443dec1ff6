// Package cpu is the device that runs graphs on the processor: it fuses elementwise chains into tiles, runs products,
// reductions and the other structural operations by rules of their own, and plans the memory of a whole run ahead.
//
//	d := cpu.New(cpu.Options{Threads: 2})
//	defer d.Close()
//	exe, err := d.Compile(program.Optimize(graph))
//
// The way of a graph: values.go gives every node output a place (input, variable, constant, arena); fuse.go groups
// elementwise nodes; rules.go picks a rule for each other node; plan.go lays the arena out from the lifetimes;
// instance.go binds everything to memory once, so that Run allocates nothing.
//
// An operation without a fast rule runs by its float64 reference (slow.go); Stats names such operations.
package cpu
