// Package lint holds the rules of the house as tests: which package may import which, what is documented, how long a file may be and
// what it may be called. They read the source and need no other tool.
//
//	go test ./internal/lint
//
// floors_test.go is the table of packages: a new package gets its line there and in docs/architecture.md. Every rule is a function
// from a tree of files to findings, and is itself tested on a small tree that breaks it.
package lint
