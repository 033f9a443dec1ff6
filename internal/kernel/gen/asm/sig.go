package asm

import (
	"fmt"
	"strings"
)

// Signature is the Go signature of a kernel: pointers to streams of elements, their number n, scalars, a float32 result.
// Without pointers it is a function of float32, and there is no n.
type Signature struct {
	Pointers []string
	Scalars  []string // float32 arguments
	// Table names an argument that points at Fields float32, the scalars then.
	Table, TableType string
	Result           bool
}

// Tile is the signature of kernel.Tile.
var Tile = Signature{Pointers: []string{"dst", "a", "b", "c"}, Table: "s", TableType: "*Scalars"}

func (s *Signature) stream(name string) int {
	for i, p := range s.Pointers {
		if p == name {
			return i
		}
	}
	panic("asm: no pointer argument " + name)
}

// offsets of the arguments: pointers, n, then the table or the scalars, then the result; and the size of all.
func (s *Signature) offsetN() int { return 8 * len(s.Pointers) }

func (s *Signature) offsetScalar(i int) int {
	if len(s.Pointers) == 0 {
		return 4 * i
	}
	return s.offsetN() + 8 + 4*i
}

func (s *Signature) size() (args, result int) {
	args = s.offsetScalar(len(s.Scalars))
	if s.Table != "" {
		args += 8
	}
	if s.Result {
		result = (args + 7) &^ 7
		return result + 4, result
	}
	return args, args
}

// Stub is the declaration of the kernel in Go.
func (s *Signature) Stub(name string) string {
	var w strings.Builder
	if len(s.Pointers) == 0 {
		return fmt.Sprintf("//go:noescape\nfunc %s(%s float32) (ret float32)\n", name, strings.Join(s.Scalars, ", "))
	}
	fmt.Fprintf(&w, "//go:noescape\nfunc %s(%s unsafe.Pointer, n int", name, strings.Join(s.Pointers, ", "))
	if s.Table != "" {
		fmt.Fprintf(&w, ", %s %s", s.Table, s.TableType)
	}
	if len(s.Scalars) > 0 {
		fmt.Fprintf(&w, ", %s float32", strings.Join(s.Scalars, ", "))
	}
	w.WriteString(")")
	if s.Result {
		w.WriteString(" (ret float32)")
	}
	w.WriteString("\n")
	return w.String()
}
