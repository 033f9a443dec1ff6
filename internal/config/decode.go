package config

import (
	"encoding"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"
)

var (
	errUnknown   = errors.New("unknown")
	durationType = reflect.TypeFor[time.Duration]()
)

// maxErrors is how many mistakes one reading reports.
const maxErrors = 10

// Origins tells where each value came from, by path ("model.1.dense.units"); a path that is missing has its default.
type Origins map[string]Origin

// Decode fills the struct that into points to. What the configuration leaves out keeps the value that it has in into,
// or the default of its rule. The error is of type Errors and holds every mistake that was found.
func (d *Decoder) Decode(root *Node, into any) (Origins, error) {
	v := reflect.ValueOf(into)
	if v.Kind() != reflect.Pointer || v.IsNil() || v.Elem().Kind() != reflect.Struct {
		return nil, fmt.Errorf("config: Decode wants a pointer to a struct, not %T", into)
	}
	w := &walk{d: d, origins: Origins{}}
	w.object(root.clone(), v.Elem(), "", "", root)
	if len(w.errs) > 0 {
		return nil, w.errs
	}
	return w.origins, nil
}

type walk struct {
	d       *Decoder
	errs    Errors
	origins Origins
}

func (w *walk) fail(e *Error) {
	if len(w.errs) < maxErrors {
		w.errs = append(w.errs, e)
	}
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// place is a value's place in words, for messages: "units in dense".
func place(key, in string) string {
	if in == "" {
		return key
	}
	return key + " in " + in
}

// object decodes a mapping into a struct. in is the name of the struct in messages; owner is where to point at when a
// key is missing.
func (w *walk) object(n *Node, v reflect.Value, path, in string, owner *Node) {
	fields := w.d.fieldsOf(v.Type())
	if n.Kind != Map && n.Kind != Null {
		w.fail(n.at(example(in, fields), "%s wants a mapping of keys to values, found %s", orTop(in), found(n)))
		return
	}
	keys := make([]string, len(fields))
	for i, f := range fields {
		keys[i] = f.key
	}
	for _, e := range n.Entries {
		if !contains(keys, e.Key.Text) {
			hint := DidYouMean(e.Key.Text, keys)
			if len(keys) == 0 {
				hint = in + " has no settings"
			}
			w.fail(e.Key.at(hint, "unknown key %q%s", shorten(e.Key.Text), inWords(in)))
		}
	}
	for _, f := range fields {
		x := n.Get(f.key)
		target, p := v.FieldByIndex(f.index), join(path, f.key)
		if x == nil || x.Kind == Null {
			switch {
			case f.rule.Required:
				w.fail(owner.at(missingHint(in, f), "missing key %q%s", f.key, inWords(in)))
			case f.rule.Default != "" && target.IsZero():
				def, err := parseValue(&Source{Name: "default of " + p, Short: "default"}, f.rule.Default)
				if err != nil {
					panic(fmt.Sprintf("config: default of %s: %v", p, err)) // a mistake in the program's own struct
				}
				w.value(def, target, p, in, f)
			case target.Kind() == reflect.Struct && w.plain(target.Type()):
				w.object(&Node{Src: n.Src}, target, p, f.key, owner)
			}
			continue
		}
		before := len(w.errs)
		w.value(x, target, p, in, f)
		if len(w.errs) == before && x.Src != nil {
			w.origins[p] = x.origin()
		}
	}
}

// plain reports whether a struct is decoded field by field.
func (w *walk) plain(t reflect.Type) bool {
	_, named := w.d.scalars[t]
	return !named && !reflect.PointerTo(t).Implements(textType)
}

func (n *Node) origin() Origin {
	if n.Src.Layer == File {
		return Origin{File, fmt.Sprintf("%s:%d", n.Src.Short, n.Line)}
	}
	return Origin{n.Src.Layer, n.Src.Short}
}

// value decodes one value; f carries the name and the rule.
func (w *walk) value(n *Node, v reflect.Value, path, in string, f field) {
	name := place(f.key, in)
	t := v.Type()
	if s, ok := w.d.scalars[t]; ok {
		w.named(n, v, name, s)
		return
	}
	if vs := w.d.variants[t]; vs != nil {
		w.variant(n, v, path, vs)
		return
	}
	if t == durationType {
		w.duration(n, v, name)
		return
	}
	if u, ok := v.Addr().Interface().(encoding.TextUnmarshaler); ok {
		if n.Kind != Scalar {
			w.fail(n.at("", "%s wants one word, found %s", name, found(n)))
		} else if err := u.UnmarshalText([]byte(n.Text)); err != nil {
			w.fail(n.at("", "%s: %v", name, err))
		}
		return
	}
	switch t.Kind() {
	case reflect.Pointer:
		p := reflect.New(t.Elem())
		w.value(n, p.Elem(), path, in, f)
		v.Set(p)
	case reflect.Struct:
		w.object(n, v, path, f.key, n)
	case reflect.Slice, reflect.Array:
		w.list(n, v, path, in, f)
	case reflect.Map:
		w.mapping(n, v, path, in, f)
	default:
		w.scalar(n, v, path, name, f)
	}
}

func (w *walk) named(n *Node, v reflect.Value, name string, s scalar) {
	if n.Kind != Scalar {
		w.fail(n.at("", "%s wants the name of one %s, found %s", name, s.want, found(n)))
		return
	}
	x, err := s.decode(n.Text)
	if err != nil {
		w.fail(n.at(DidYouMean(n.Text, s.names()), "unknown %s %q", s.want, shorten(n.Text)))
		return
	}
	v.Set(x)
}

func (w *walk) duration(n *Node, v reflect.Value, name string) {
	d, err := time.ParseDuration(n.Text)
	if n.Kind != Scalar || err != nil {
		w.fail(n.at("", "%s wants a time such as 30s or 5m, found %s", name, found(n)))
		return
	}
	v.SetInt(int64(d))
}

func (w *walk) list(n *Node, v reflect.Value, path, in string, f field) {
	if n.Kind != List {
		hint := ""
		if n.Kind == Scalar && len(n.Text) < 40 {
			hint = fmt.Sprintf("write [%s]", n.Text)
		} else if n.Kind == Map {
			hint = `begin each item with "- "`
		}
		w.fail(n.at(hint, "%s wants a list, found %s", place(f.key, in), found(n)))
		return
	}
	if v.Kind() == reflect.Array && v.Len() != len(n.Items) {
		w.fail(n.at("", "%s wants %d items, found %d", place(f.key, in), v.Len(), len(n.Items)))
		return
	}
	out := v
	if v.Kind() == reflect.Slice {
		out = reflect.MakeSlice(v.Type(), len(n.Items), len(n.Items))
	}
	for i, x := range n.Items {
		item := f
		item.key = fmt.Sprintf("item %d of %s", i, f.key)
		p := fmt.Sprintf("%s.%d", path, i)
		if x.Kind == Null {
			w.fail(x.at("", "%s is empty", place(item.key, in)))
			continue
		}
		w.value(x, out.Index(i), p, in, item)
		w.origins[p] = x.origin()
	}
	v.Set(out)
}

func (w *walk) mapping(n *Node, v reflect.Value, path, in string, f field) {
	if n.Kind != Map {
		w.fail(n.at("", "%s wants a mapping of keys to values, found %s", place(f.key, in), found(n)))
		return
	}
	out := reflect.MakeMapWithSize(v.Type(), len(n.Entries))
	for _, e := range n.Entries {
		x := reflect.New(v.Type().Elem()).Elem()
		item := f
		item.key = e.Key.Text
		p := join(path, e.Key.Text)
		w.value(e.Value, x, p, f.key, item)
		out.SetMapIndex(reflect.ValueOf(e.Key.Text).Convert(v.Type().Key()), x)
		w.origins[p] = e.Value.origin()
	}
	v.Set(out)
}

func contains(keys []string, k string) bool {
	for _, x := range keys {
		if x == k {
			return true
		}
	}
	return false
}

func inWords(in string) string {
	if in == "" {
		return ""
	}
	return " in " + in
}

func orTop(in string) string {
	if in == "" {
		return "the configuration"
	}
	return in
}

// found says what stands in place of what was wanted.
func found(n *Node) string {
	switch n.Kind {
	case Scalar:
		if _, err := parseFloat(n.Text); err == nil && !n.Quoted {
			return "the number " + shorten(n.Text)
		}
		return fmt.Sprintf("the text %q", shorten(n.Text))
	}
	return n.Kind.String()
}

func example(in string, fields []field) string {
	if in == "" || len(fields) == 0 {
		return ""
	}
	keys := make([]string, 0, 3)
	for _, f := range fields[:min(3, len(fields))] {
		keys = append(keys, f.key+": ...")
	}
	return fmt.Sprintf("write %s: {%s}", in, strings.Join(keys, ", "))
}

func missingHint(in string, f field) string {
	if in == "" {
		return fmt.Sprintf("write %s: ...", f.key)
	}
	return fmt.Sprintf("write %s: {%s: ...}", in, f.key)
}
