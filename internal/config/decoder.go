package config

import (
	"encoding"
	"reflect"
	"slices"
)

// Decoder knows the types that a configuration may name. It serves one goroutine.
type Decoder struct {
	// Zero says what an explicit 0 means for a floating-point field whose Go zero value means "the default". It gets
	// the path ("optimizer.adam.beta1") and the field, and gives the value to store, such as optim.Zero.
	Zero func(path string, field reflect.StructField) (value float64, ok bool)

	// Skip says which types are no configuration, such as parameters: fields of them are left out. nil: none.
	Skip func(t reflect.Type) bool

	variants map[reflect.Type]*variants
	scalars  map[reflect.Type]scalar
	fields   map[reflect.Type][]field
}

// NewDecoder makes a decoder that knows Go's own types only.
func NewDecoder() *Decoder {
	return &Decoder{
		variants: map[reflect.Type]*variants{},
		scalars:  map[reflect.Type]scalar{},
		fields:   map[reflect.Type][]field{},
	}
}

// Registry makes the variants of an interface type by name. Each function gives a fresh value with its defaults,
// usually a pointer to a struct. A string type whose values are their own names has no settings. Two names may make the
// same type; the one equal to the type's name is printed.
type Registry[T any] map[string]func() T

type variants struct {
	what string // "layer"
	make map[string]func() reflect.Value
	name map[reflect.Type]string // of what a function makes
}

func (v *variants) names() []string {
	var out []string
	for n := range v.make {
		out = append(out, n)
	}
	slices.Sort(out)
	return out
}

// Variants registers the variants of the interface type T; what is the word for one of them in messages: "layer".
func Variants[T any](d *Decoder, what string, r Registry[T]) {
	v := &variants{what, map[string]func() reflect.Value{}, map[reflect.Type]string{}}
	for name, f := range r {
		v.make[name] = func() reflect.Value { return reflect.ValueOf(f()) }
	}
	for _, name := range v.names() {
		x := v.make[name]()
		if x.Kind() == reflect.String && x.String() == name {
			continue
		}
		t := x.Type()
		own := t
		if own.Kind() == reflect.Pointer {
			own = own.Elem()
		}
		if v.name[t] == "" || name == Key(own.Name()) {
			v.name[t] = name
		}
	}
	d.variants[reflect.TypeFor[T]()] = v
}

// own reports whether a value is its own name.
func (v *variants) own(x reflect.Value) bool {
	if x.Kind() != reflect.String || v.make[x.String()] == nil {
		return false
	}
	y := v.make[x.String()]()
	return y.Type() == x.Type() && y.String() == x.String()
}

type scalar struct {
	want   string
	names  func() []string // known names, may be nil
	decode func(text string) (reflect.Value, error)
	text   func(v reflect.Value) string
}

// Enum registers the names that a string type may hold; what is the word for one in messages: "activation".
func Enum[T ~string](d *Decoder, what string, names ...T) {
	known := make([]string, len(names))
	for i, n := range names {
		known[i] = string(n)
	}
	d.scalars[reflect.TypeFor[T]()] = scalar{
		want:  what,
		names: func() []string { return known },
		decode: func(s string) (reflect.Value, error) {
			if !slices.Contains(known, s) {
				return reflect.Value{}, errUnknown
			}
			return reflect.ValueOf(T(s)), nil
		},
		text: func(v reflect.Value) string { return v.String() },
	}
}

type field struct {
	key   string
	index []int
	rule  Rule
	shown string // from the tag default: what the field's zero value means to its owner
	f     reflect.StructField
}

// fieldsOf lists the configuration's fields of a struct type, those of embedded structs included.
func (d *Decoder) fieldsOf(t reflect.Type) []field {
	if fs, ok := d.fields[t]; ok {
		return fs
	}
	var out []field
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Anonymous && f.Type.Kind() == reflect.Struct && f.IsExported() && f.Tag.Get("json") == "" && !d.skipped(f.Type) {
			for _, sub := range d.fieldsOf(f.Type) {
				sub.index = append([]int{i}, sub.index...)
				out = append(out, sub)
			}
			continue
		}
		key, ok := fieldKey(f)
		if !ok || !d.configurable(f.Type, 0) {
			continue
		}
		rule, err := parseRule(f.Tag.Get("config"))
		if err != nil {
			panic(err.Error()) // a mistake in the program's own struct
		}
		out = append(out, field{key, []int{i}, rule, f.Tag.Get("default"), f})
	}
	d.fields[t] = out
	return out
}

func (d *Decoder) skipped(t reflect.Type) bool { return d.Skip != nil && d.Skip(t) }

var textType = reflect.TypeFor[encoding.TextUnmarshaler]()

// configurable reports whether a value of this type can be written in a configuration.
func (d *Decoder) configurable(t reflect.Type, depth int) bool {
	if d.skipped(t) || depth > 8 {
		return false
	}
	if _, ok := d.scalars[t]; ok || t == durationType || reflect.PointerTo(t).Implements(textType) {
		return true
	}
	switch t.Kind() {
	case reflect.Bool, reflect.String, reflect.Float32, reflect.Float64,
		reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return true
	case reflect.Pointer, reflect.Slice, reflect.Array:
		return d.configurable(t.Elem(), depth+1)
	case reflect.Map:
		return t.Key().Kind() == reflect.String && d.configurable(t.Elem(), depth+1)
	case reflect.Interface:
		return d.variants[t] != nil
	case reflect.Struct:
		for i := range t.NumField() {
			if t.Field(i).IsExported() {
				return true
			}
		}
	}
	return false
}
