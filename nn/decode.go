package nn

import (
	"bytes"
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strconv"
)

// maxDepth bounds how deep a configuration may nest.
const maxDepth = 64

// Unmarshal makes a value of the registry's interface type from what Marshal wrote. Unknown names, unknown or doubled
// keys, wrong types, numbers that do not fit and text after the end are errors that name the place.
func (r *Registry[T]) Unmarshal(b []byte) (T, error) {
	var v, zero T
	if !json.Valid(b) {
		var any any
		return zero, fmt.Errorf("%s: the configuration is not JSON: %w", r.pkg, json.Unmarshal(b, &any))
	}
	if err := (decoder{}).variant(b, reflect.ValueOf(&v).Elem(), "", 0); err != nil {
		return zero, fmt.Errorf("%s: %w", r.pkg, err)
	}
	return v, nil
}

type decoder struct{}

type entry struct {
	key string
	raw json.RawMessage
}

// entries splits an object; ok is false when raw is none.
func entries(raw []byte, path string) (out []entry, ok bool, err error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, false, err
	}
	seen := map[string]bool{}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return nil, false, err
		}
		e := entry{key: t.(string)}
		if seen[e.key] {
			return nil, false, fmt.Errorf("%skey %q appears twice", where(path), e.key)
		}
		seen[e.key] = true
		if err := d.Decode(&e.raw); err != nil && !errors.Is(err, io.EOF) {
			return nil, false, err
		}
		out = append(out, e)
	}
	return out, true, nil
}

func kindOf(raw []byte) byte {
	if raw = bytes.TrimSpace(raw); len(raw) > 0 {
		return raw[0]
	}
	return 0
}

// found describes a JSON value in words.
func found(raw []byte) string {
	switch kindOf(raw) {
	case '{':
		return "an object"
	case '[':
		return "a list"
	case '"':
		return "the text " + short(raw)
	case 'n':
		return "null"
	}
	return short(raw)
}

func short(raw []byte) string {
	s := string(bytes.TrimSpace(raw))
	if len(s) > 40 {
		s = s[:40] + "..."
	}
	return s
}

// variant reads {"name": {...}}, "name" or, for layers, a list.
func (d decoder) variant(raw []byte, v reflect.Value, path string, depth int) error {
	c := codecOf(v.Type())
	if c == nil {
		return fmt.Errorf("%sa field of type %v cannot be configured", where(path), v.Type())
	}
	if depth > maxDepth {
		return fmt.Errorf("%snested deeper than %d", where(path), maxDepth)
	}
	name, body := "", json.RawMessage(nil)
	switch kindOf(raw) {
	case '[':
		name, body = "sequential", raw
	case '"':
		if err := json.Unmarshal(raw, &name); err != nil {
			return err
		}
	case '{':
		es, _, err := entries(raw, path)
		if err != nil {
			return err
		}
		if len(es) != 1 {
			return fmt.Errorf("%sa %s is written as {\"name\": {settings}}, found %d names", where(path), c.kind(), len(es))
		}
		name, body = es[0].key, es[0].raw
	default:
		return fmt.Errorf("%swant a %s, found %s", where(path), c.kind(), found(raw))
	}
	x, ok := c.fresh(name)
	if !ok {
		return fmt.Errorf("%s%w", where(path), unknown(c.kind(), name, c.known()))
	}
	path = join(path, name)
	if body != nil {
		in := x.Elem()
		if in.Kind() == reflect.Pointer {
			if err := d.value(body, in.Elem(), path, depth+1, false); err != nil {
				return err
			}
		} else {
			p := reflect.New(in.Type()).Elem()
			p.Set(in)
			if isName(p, name) && kindOf(body) == '{' {
				if es, _, err := entries(body, path); err != nil || len(es) > 0 {
					return fmt.Errorf("%shas no settings", where(path))
				}
			} else if err := d.value(body, p, path, depth+1, false); err != nil {
				return err
			}
			x.Set(p)
		}
	}
	if in := x.Elem(); in.Kind() == reflect.Pointer && in.Type().Elem() == sequentialType {
		x = in.Elem() // a list is held by value, as in Go code
	}
	v.Set(x)
	return nil
}

// value reads one value; zero says that an explicit 0 means Zero.
func (d decoder) value(raw []byte, v reflect.Value, path string, depth int, zero bool) error {
	if depth > maxDepth {
		return fmt.Errorf("%snested deeper than %d", where(path), maxDepth)
	}
	if u, ok := v.Addr().Interface().(encoding.TextUnmarshaler); ok && v.Kind() != reflect.Pointer {
		var s string
		if kindOf(raw) != '"' {
			return fmt.Errorf("%swant a text, found %s", where(path), found(raw))
		}
		if err := json.Unmarshal(raw, &s); err != nil {
			return err
		}
		if err := u.UnmarshalText([]byte(s)); err != nil {
			return fmt.Errorf("%s%w", where(path), err)
		}
		return nil
	}
	switch v.Kind() {
	case reflect.Struct:
		return d.object(raw, v, path, depth)
	case reflect.Interface:
		return d.variant(raw, v, path, depth)
	case reflect.Pointer:
		p := reflect.New(v.Type().Elem())
		if err := d.value(raw, p.Elem(), path, depth+1, zero); err != nil {
			return err
		}
		v.Set(p)
		return nil
	case reflect.Slice, reflect.Array:
		return d.list(raw, v, path, depth)
	}
	return scalar(raw, v, path, zero)
}

func (d decoder) object(raw []byte, v reflect.Value, path string, depth int) error {
	es, ok, err := entries(raw, path)
	if err != nil {
		return err
	}
	if !ok {
		return fmt.Errorf("%swant an object of settings, found %s", where(path), found(raw))
	}
	fields := fieldsOf(v.Type())
	keys := make([]string, len(fields))
	for i, f := range fields {
		keys[i] = f.key
	}
next:
	for _, e := range es {
		for _, f := range fields {
			if f.key == e.key {
				if err := d.value(e.raw, v.FieldByIndex(f.index), join(path, e.key), depth+1, ZeroMeans(f.f)); err != nil {
					return err
				}
				continue next
			}
		}
		hint := "it has no settings"
		if len(keys) > 0 {
			hint = didYouMean(e.key, keys)
		}
		return fmt.Errorf("%sunknown key %q; %s", where(path), short([]byte(e.key)), hint)
	}
	return nil
}

func (d decoder) list(raw []byte, v reflect.Value, path string, depth int) error {
	var items []json.RawMessage
	if kindOf(raw) != '[' {
		return fmt.Errorf("%swant a list, found %s", where(path), found(raw))
	}
	if err := json.Unmarshal(raw, &items); err != nil {
		return err
	}
	if v.Kind() == reflect.Array {
		if len(items) != v.Len() {
			return fmt.Errorf("%swant %d items, found %d", where(path), v.Len(), len(items))
		}
	} else {
		v.Set(reflect.MakeSlice(v.Type(), len(items), len(items)))
	}
	for i, it := range items {
		if err := d.value(it, v.Index(i), join(path, strconv.Itoa(i)), depth+1, false); err != nil {
			return err
		}
	}
	return nil
}

func scalar(raw []byte, v reflect.Value, path string, zero bool) error {
	text := string(bytes.TrimSpace(raw))
	wrong := func(want string) error { return fmt.Errorf("%swant %s, found %s", where(path), want, found(raw)) }
	switch v.Kind() {
	case reflect.Bool:
		if text != "true" && text != "false" {
			return wrong("true or false")
		}
		v.SetBool(text == "true")
	case reflect.String:
		var s string
		if kindOf(raw) != '"' {
			return wrong("a text")
		}
		if err := json.Unmarshal(raw, &s); err != nil {
			return err
		}
		v.SetString(s)
	case reflect.Float32, reflect.Float64:
		f, err := strconv.ParseFloat(text, v.Type().Bits())
		if err != nil {
			return wrong("a number")
		}
		if f == 0 && zero {
			f = Zero
		}
		v.SetFloat(f)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		i, err := strconv.ParseInt(text, 10, v.Type().Bits())
		if err != nil {
			return wrong("a whole number")
		}
		v.SetInt(i)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		u, err := strconv.ParseUint(text, 10, v.Type().Bits())
		if err != nil {
			return wrong("a whole number that is not negative")
		}
		v.SetUint(u)
	default:
		return fmt.Errorf("%sa field of type %v cannot be configured", where(path), v.Type())
	}
	return nil
}
