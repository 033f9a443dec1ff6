package tensor

import (
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
)

// ShapeError is what goes wrong inside a trace: operands that do not fit, a parameter that is not part of the model,
// a gradient that does not exist. It panics within a trace and is an error at its edge.
type ShapeError struct {
	Op    string // operation or place, "MatMul"
	Why   string // "inner dimensions 256 and 300 differ"
	Layer string // path of the layer, "" outside of any
	Got   string // operand types, "" when they do not matter
	Hint  string // what to do about it, or ""
	File  string // the user's file, base name
	Line  int
	Func  string // the user's function
}

// Error writes the message over one to four lines: what, where, the operands, a hint.
func (e *ShapeError) Error() string {
	var b strings.Builder
	if e.Layer != "" {
		b.WriteString(e.Layer + ": ")
	}
	fmt.Fprintf(&b, "%s: %s", e.Op, e.Why)
	if e.File != "" {
		fmt.Fprintf(&b, "\n  in   %s:%d", e.File, e.Line)
		if e.Func != "" {
			b.WriteString("  " + e.Func)
		}
		if e.Layer != "" {
			fmt.Fprintf(&b, ", layer %q", e.Layer)
		}
	}
	if e.Got != "" {
		b.WriteString("\n  got  " + e.Got)
	}
	if e.Hint != "" {
		b.WriteString("\n  hint " + e.Hint)
	}
	return b.String()
}

// fail panics with a ShapeError placed at the user's line.
func fail(op, layer, format string, a ...any) {
	panic(place(&ShapeError{Op: op, Layer: layer, Why: fmt.Sprintf(format, a...)}, callers(3)))
}

const module = "github.com/kun-ml/kun/"

type stack [24]uintptr

func callers(skip int) *stack {
	var s stack
	runtime.Callers(skip+1, s[:])
	return &s
}

// place fills in the innermost frame that is not Kun's own code.
func place(e *ShapeError, s *stack) *ShapeError {
	if s == nil {
		return e
	}
	e.File, e.Line, e.Func = s.user()
	return e
}

func (s *stack) user() (file string, line int, fn string) {
	n := 0
	for n < len(s) && s[n] != 0 {
		n++
	}
	if n == 0 {
		return "", 0, ""
	}
	frames := runtime.CallersFrames(s[:n])
	for {
		f, more := frames.Next()
		own := strings.HasPrefix(f.Function, module) && !strings.HasSuffix(f.File, "_test.go") || strings.HasPrefix(f.Function, "runtime.") || strings.HasPrefix(f.Function, "reflect.")
		if !own && f.Function != "" {
			name := f.Function
			if i := strings.LastIndexByte(name, '/'); i >= 0 {
				name = name[i+1:]
			}
			if i := strings.IndexByte(name, '.'); i >= 0 {
				name = name[i+1:]
			}
			return filepath.Base(f.File), f.Line, name
		}
		if !more {
			return "", 0, ""
		}
	}
}

// Catch turns a *ShapeError panic into *err; any other panic goes on. Use it deferred at an edge: defer tensor.Catch(&err).
func Catch(err *error) {
	switch r := recover().(type) {
	case nil:
	case *ShapeError:
		if r.File == "" { // the frames of the panic are still on the stack
			place(r, callers(2))
		}
		*err = r
	default:
		panic(r)
	}
}
