// Package device is the boundary below the program: a Device compiles a whole graph, an Executable is the immutable
// result, shared by all, and an Instance runs it for one goroutine at a time with memory and session variables of its own.
//
//	exe, err := cpu.New(cpu.Options{}).Compile(graph)
//	in, err := exe.Instance(vars)               // vars: one per declaration of the graph, by path
//	err = in.Run(device.Run{Inputs: batch, Outputs: results, Step: 17, Seed: 1})
//
// Package device imports program and what lies below it. The devices are in device/cpu and device/ref.
package device
