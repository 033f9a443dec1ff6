package nn

import (
	"bytes"
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"unicode"

	"github.com/kun-ml/kun/tensor"
)

// Marshal writes a value of the registry's interface type as JSON, in the order of the struct's fields. Fields that are
// no configuration stay out: parameters, unexported fields, those tagged json:"-".
func (r *Registry[T]) Marshal(v T) ([]byte, error) {
	e := &encoder{}
	if err := e.variant(reflect.ValueOf(&v).Elem(), ""); err != nil {
		return nil, fmt.Errorf("%s: %w", r.pkg, err)
	}
	return e.b.Bytes(), nil
}

type encoder struct{ b bytes.Buffer }

var (
	holderType     = reflect.TypeFor[tensor.Holder]()
	textMarshaler  = reflect.TypeFor[encoding.TextMarshaler]()
	sequentialType = reflect.TypeFor[Sequential]()
)

func where(path string) string {
	if path == "" {
		return ""
	}
	return path + ": "
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// variant writes what an interface holds.
func (e *encoder) variant(v reflect.Value, path string) error {
	c := codecOf(v.Type())
	if c == nil {
		return fmt.Errorf("%sa field of type %v cannot be configured", where(path), v.Type())
	}
	if v.IsNil() {
		return fmt.Errorf("%sthe %s is nil", where(path), c.kind())
	}
	in := v.Elem()
	if in.Kind() == reflect.Pointer && in.IsNil() {
		return fmt.Errorf("%sthe %s is a nil %v", where(path), c.kind(), in.Type())
	}
	name, bare := c.nameOf(in)
	switch {
	case bare:
		return e.json(name)
	case name == "":
		return fmt.Errorf("%sthe %s type %v is not registered; register it under a name at the program's start", where(path), c.kind(), in.Type())
	}
	if in.Kind() == reflect.Pointer {
		in = in.Elem()
	}
	path = join(path, name)
	if in.Type() == sequentialType {
		return e.value(in, path)
	}
	e.b.WriteString("{")
	if err := e.json(name); err != nil {
		return err
	}
	e.b.WriteString(":")
	if err := e.value(in, path); err != nil {
		return err
	}
	e.b.WriteString("}")
	return nil
}

func (e *encoder) json(v any) error {
	b, err := json.Marshal(v)
	e.b.Write(b)
	return err
}

func (e *encoder) value(v reflect.Value, path string) error {
	if v.Type().Implements(textMarshaler) && v.Kind() != reflect.Pointer && v.Kind() != reflect.Interface {
		b, err := v.Interface().(encoding.TextMarshaler).MarshalText()
		if err != nil {
			return fmt.Errorf("%s%w", where(path), err)
		}
		return e.json(string(b))
	}
	switch v.Kind() {
	case reflect.Bool, reflect.String:
		return e.json(v.Interface())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		e.b.WriteString(strconv.FormatInt(v.Int(), 10))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		e.b.WriteString(strconv.FormatUint(v.Uint(), 10))
	case reflect.Float32, reflect.Float64:
		f := v.Float()
		if f-f != 0 {
			return fmt.Errorf("%s%v is not a finite number", where(path), f)
		}
		if f == Zero {
			f = 0
		}
		e.b.WriteString(strconv.FormatFloat(f, 'g', -1, v.Type().Bits()))
	case reflect.Interface:
		return e.variant(v, path)
	case reflect.Pointer:
		if v.IsNil() {
			return fmt.Errorf("%sa nil %v", where(path), v.Type())
		}
		return e.value(v.Elem(), path)
	case reflect.Slice, reflect.Array:
		e.b.WriteString("[")
		for i := range v.Len() {
			if i > 0 {
				e.b.WriteString(",")
			}
			if err := e.value(v.Index(i), join(path, strconv.Itoa(i))); err != nil {
				return err
			}
		}
		e.b.WriteString("]")
	case reflect.Struct:
		return e.object(v, path)
	default:
		return fmt.Errorf(`%sa value of type %v cannot be written; tag its field json:"-" to leave it out`, where(path), v.Type())
	}
	return nil
}

func (e *encoder) object(v reflect.Value, path string) error {
	e.b.WriteString("{")
	first := true
	for _, f := range fieldsOf(v.Type()) {
		x := v.FieldByIndex(f.index)
		if x.IsZero() {
			continue
		}
		mark := e.b.Len()
		if !first {
			e.b.WriteString(",")
		}
		if err := e.json(f.key); err != nil {
			return err
		}
		e.b.WriteString(":")
		start := e.b.Len()
		if err := e.value(x, join(path, f.key)); err != nil {
			return err
		}
		if x.Kind() == reflect.Struct && string(e.b.Bytes()[start:]) == "{}" {
			e.b.Truncate(mark) // nothing in it but parameters
			continue
		}
		first = false
	}
	e.b.WriteString("}")
	return nil
}

// field is one setting of a struct.
type field struct {
	key   string
	index []int
	f     reflect.StructField
}

// fieldsOf lists the settings of a struct type; those of embedded structs count as its own.
func fieldsOf(t reflect.Type) (out []field) {
	for i := range t.NumField() {
		f := t.Field(i)
		tag, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if !f.IsExported() || tag == "-" || isParam(f.Type) {
			continue
		}
		if f.Anonymous && f.Type.Kind() == reflect.Struct && tag == "" {
			for _, g := range fieldsOf(f.Type) {
				g.index = append([]int{i}, g.index...)
				out = append(out, g)
			}
			continue
		}
		if tag == "" {
			tag = key(f.Name)
		}
		out = append(out, field{tag, []int{i}, f})
	}
	return out
}

// isParam reports whether a type is a parameter or a collection of parameters.
func isParam(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map:
		return t.Implements(holderType) || isParam(t.Elem())
	case reflect.Struct:
		return reflect.PointerTo(t).Implements(holderType)
	}
	return false
}

// key is a Go name in snake case: NoBias is no_bias, L2 is l2, FromLogits is from_logits.
func key(name string) string {
	rs := []rune(name)
	var b strings.Builder
	for i, r := range rs {
		if unicode.IsUpper(r) && i > 0 {
			next := rune(0)
			if i+1 < len(rs) {
				next = rs[i+1]
			}
			if unicode.IsLower(rs[i-1]) || (unicode.IsDigit(rs[i-1]) || unicode.IsUpper(rs[i-1])) && unicode.IsLower(next) {
				b.WriteByte('_')
			}
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}
