package tensor

import (
	"fmt"
	"reflect"
	"slices"
	"sort"
	"strconv"
	"unsafe"
)

type key struct {
	at  unsafe.Pointer
	typ reflect.Type
}

// Names maps the layers and parameters of a model to their paths: field names joined by dots, slices by index, maps by
// sorted key. A trace holds one; nothing is global.
type Names struct {
	path    map[key]string
	hidden  map[key]string // reachable only through unexported fields
	cells   map[*Cell]string
	private map[*Cell]string
	Aliases map[string]string // second path of a shared parameter -> first path
	Order   []string          // paths of parameters in the order of the walk
}

var holderType = reflect.TypeFor[Holder]()

// Walk visits the exported fields of a model depth first. The first path of a shared pointer wins.
func Walk(model any) (*Names, error) {
	n := &Names{map[key]string{}, map[key]string{}, map[*Cell]string{}, map[*Cell]string{}, map[string]string{}, nil}
	if model == nil {
		return n, nil
	}
	return n, n.walk(reflect.ValueOf(model), "", false)
}

func join(path, s string) string {
	if path == "" {
		return s
	}
	return path + "." + s
}

func (n *Names) walk(v reflect.Value, path string, hidden bool) error {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return nil
		}
		return n.walk(v.Elem(), path, hidden)
	case reflect.Interface:
		if v.IsNil() {
			return nil
		}
		if e := v.Elem(); e.Kind() == reflect.Struct && holds(e.Type(), nil) {
			return fmt.Errorf("tensor: %s holds a %v by value, which cannot learn; store a pointer to it", path, e.Type())
		}
		return n.walk(v.Elem(), path, hidden)
	case reflect.Struct:
		return n.walkStruct(v, path, hidden)
	case reflect.Slice, reflect.Array:
		if !mayHold(v.Type().Elem()) {
			return nil
		}
		for i := range v.Len() {
			if err := n.walk(v.Index(i), join(path, strconv.Itoa(i)), hidden); err != nil {
				return err
			}
		}
	case reflect.Map:
		if !mayHold(v.Type().Elem()) {
			return nil
		}
		keys := v.MapKeys()
		sort.Slice(keys, func(i, j int) bool { return fmt.Sprint(keys[i]) < fmt.Sprint(keys[j]) })
		for _, k := range keys {
			at := join(path, fmt.Sprint(k))
			e := v.MapIndex(k)
			if e.Kind() == reflect.Struct && holds(e.Type(), nil) {
				return fmt.Errorf("tensor: %s holds a %v by value, which cannot learn; store a pointer to it", at, e.Type())
			}
			if err := n.walk(e, at, hidden); err != nil {
				return err
			}
		}
	}
	return nil
}

func (n *Names) walkStruct(v reflect.Value, path string, hidden bool) error {
	if v.CanAddr() {
		at := unsafe.Pointer(v.UnsafeAddr())
		k := key{at, v.Type()}
		if reflect.PointerTo(v.Type()).Implements(holderType) {
			c := reflect.NewAt(v.Type(), at).Interface().(Holder).Cell()
			first, known := n.cells[c]
			switch {
			case hidden:
				n.private[c] = path
			case known:
				n.Aliases[path] = first
			default:
				n.cells[c] = path
				n.Order = append(n.Order, path)
			}
			return nil
		}
		if hidden {
			if _, ok := n.hidden[k]; ok {
				return nil
			}
			n.hidden[k] = path
		} else if first, ok := n.path[k]; ok {
			return n.alias(v, path, first)
		} else {
			n.path[k] = path
		}
	}
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if !mayHold(f.Type) {
			continue
		}
		at := join(path, f.Name)
		if f.Anonymous {
			at = path
		}
		if err := n.walk(v.Field(i), at, hidden || !f.IsExported()); err != nil {
			return err
		}
	}
	return nil
}

// alias notes the second paths of the parameters below a shared struct.
func (n *Names) alias(v reflect.Value, path, first string) error {
	if path == first {
		return nil
	}
	for _, p := range slices.Clone(n.Order) {
		if len(p) > len(first) && p[:len(first)] == first && p[len(first)] == '.' {
			n.Aliases[path+p[len(first):]] = p
		}
	}
	return nil
}

// mayHold is false for types that certainly lead to no parameter, so that data in a layer is not walked.
func mayHold(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map:
		return mayHold2(t.Elem(), 0)
	case reflect.Struct, reflect.Interface:
		return true
	}
	return false
}

func mayHold2(t reflect.Type, depth int) bool {
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map:
		return depth > 4 || mayHold2(t.Elem(), depth+1)
	case reflect.Struct, reflect.Interface:
		return true
	}
	return false
}

// holds reports whether a struct type contains a Holder by value.
func holds(t reflect.Type, seen []reflect.Type) bool {
	if t.Kind() == reflect.Struct && reflect.PointerTo(t).Implements(holderType) {
		return true
	}
	if t.Kind() != reflect.Struct || slices.Contains(seen, t) {
		return false
	}
	for i := range t.NumField() {
		if holds(t.Field(i).Type, append(seen, t)) {
			return true
		}
	}
	return false
}

func (n *Names) cell(c *Cell) (string, error) {
	if p, ok := n.cells[c]; ok {
		return p, nil
	}
	if p, ok := n.private[c]; ok {
		return "", fmt.Errorf("%s is unexported, so its parameters would not be trained or saved: export it", p)
	}
	return "", fmt.Errorf("this parameter is not part of the model: keep its layer in an exported field")
}

func (n *Names) layer(at unsafe.Pointer, typ reflect.Type) (string, error) {
	if p, ok := n.path[key{at, typ}]; ok {
		return p, nil
	}
	if p, ok := n.hidden[key{at, typ}]; ok {
		return p, nil
	}
	return "", fmt.Errorf("this %v is not part of the model: keep it in an exported field", typ)
}

// Path is the path of a layer (a pointer to a struct of the model).
func (n *Names) Path(layer any) (string, bool) {
	v := reflect.ValueOf(layer)
	if v.Kind() != reflect.Pointer {
		return "", false
	}
	p, err := n.layer(v.UnsafePointer(), v.Type().Elem())
	return p, err == nil
}

// Cells maps the path of every parameter to its cell.
func (n *Names) Cells() map[string]*Cell {
	out := make(map[string]*Cell, len(n.cells))
	for c, p := range n.cells {
		out[p] = c
	}
	return out
}

// At says that what follows from x belongs to layer, a pointer to a struct of the model. Layers without parameters use it
// to be named in errors and profiles and to name their random streams. A struct of size zero has no address of its own:
// such a layer keeps the path that x already has.
func (x *Tensor) At(layer any) *Tensor {
	v := reflect.ValueOf(layer)
	if v.Kind() != reflect.Pointer || v.Type().Elem().Size() == 0 {
		return x
	}
	path, err := x.n.g.Root().root.names.layer(v.UnsafePointer(), v.Type().Elem())
	if err != nil {
		fail("At", x.label, "%v", err)
	}
	y := *x
	y.label = path
	return &y
}
