package store

import (
	"fmt"

	"github.com/kun-ml/kun/array"
)

// Tensor is an array with a name.
type Tensor struct {
	Name  string
	Array *array.Array
}

// Tensors are named arrays read from a file, in the order in which the file holds them.
type Tensors struct {
	Meta  map[string]string // what the writer noted beside the arrays; nil when nothing
	list  []Tensor
	index map[string]int
}

// All lists the arrays in the file's order; do not write to the slice.
func (t *Tensors) All() []Tensor { return t.list }

// Len is the number of arrays.
func (t *Tensors) Len() int { return len(t.list) }

// Get is the array called name, nil when there is none.
func (t *Tensors) Get(name string) *array.Array {
	i, ok := t.index[name]
	if !ok {
		return nil
	}
	return t.list[i].Array
}

// add appends an array; a name that is already there is an error.
func (t *Tensors) add(name string, a *array.Array) error {
	if _, ok := t.index[name]; ok {
		return broken("two arrays are called %q", name)
	}
	if t.index == nil {
		t.index = map[string]int{}
	}
	t.index[name] = len(t.list)
	t.list = append(t.list, Tensor{name, a})
	return nil
}

// checkNames refuses lists that no format can hold: a nil array, the same name twice.
func checkNames(tensors []Tensor) error {
	seen := make(map[string]bool, len(tensors))
	for _, t := range tensors {
		if t.Array == nil {
			return fmt.Errorf("store: no array for the name %q", t.Name)
		}
		if seen[t.Name] {
			return fmt.Errorf("store: two arrays are called %q", t.Name)
		}
		seen[t.Name] = true
	}
	return nil
}
