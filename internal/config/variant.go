package config

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// variant decodes "name", "name: {...}" or "name:" into an interface.
func (w *walk) variant(n *Node, v reflect.Value, path string, vs *variants) {
	key, body := n, &Node{Src: n.Src, Line: n.Line, Col: n.Col}
	switch n.Kind {
	case Scalar:
	case Map:
		var ok bool
		if key, body, ok = w.pick(n, vs); !ok {
			return
		}
	default:
		w.fail(n.at(fmt.Sprintf("write the name of the %s", vs.what), "a %s is wanted here, found %s", vs.what, found(n)))
		return
	}
	mk := vs.make[key.Text]
	if mk == nil {
		w.fail(key.at(DidYouMean(key.Text, vs.names()), "unknown %s %q", vs.what, shorten(key.Text)))
		return
	}
	path = join(path, key.Text)
	if key.Src != nil {
		w.origins[path] = key.origin()
	}
	x := mk()
	if vs.own(x) {
		if body.Kind != Null && (body.Kind != Map || len(body.Entries) > 0) {
			w.fail(body.at("write "+key.Text+" alone", "%s has no settings", key.Text))
			return
		}
	} else if x.Kind() == reflect.Pointer {
		w.inside(body, x.Elem(), path, key)
		if e := x.Elem(); e.Kind() == reflect.Slice && e.Type().AssignableTo(v.Type()) {
			x = e // a list is held by value, as in Go code
		}
	} else {
		p := reflect.New(x.Type()).Elem()
		p.Set(x)
		w.inside(body, p, path, key)
		x = p
	}
	v.Set(x)
}

// inside decodes the settings of the variant that key names.
func (w *walk) inside(body *Node, v reflect.Value, path string, key *Node) {
	if v.Kind() == reflect.Struct {
		w.object(body, v, path, key.Text, key)
		return
	}
	if body.Kind == Null {
		return
	}
	w.value(body, v, path, "", field{key: key.Text})
}

// pick finds the one name in a mapping, and puts settings that an override gave without the name where they belong.
func (w *walk) pick(n *Node, vs *variants) (key, body *Node, ok bool) {
	var names, rest []Entry
	for _, e := range n.Entries {
		if vs.make[e.Key.Text] != nil {
			names = append(names, e)
		} else {
			rest = append(rest, e)
		}
	}
	if len(names) > 1 { // a name from a flag takes the place of one from the file
		strong := slices.DeleteFunc(slices.Clone(names), func(e Entry) bool { return e.Key.Src.Layer <= File })
		if len(strong) > 0 {
			names = strong[len(strong)-1:]
		}
	}
	switch {
	case len(n.Entries) == 0:
		w.fail(n.at("", "a %s is wanted here, found an empty mapping", vs.what))
		return nil, nil, false
	case len(names) == 0:
		k := n.Entries[0].Key
		w.fail(k.at(DidYouMean(k.Text, vs.names()), "unknown %s %q", vs.what, shorten(k.Text)))
		return nil, nil, false
	case len(names) > 1:
		k := names[1].Key
		w.fail(k.at(`begin each with "- " in a list, or keep one`, "one %s is wanted here, found %s and %s",
			vs.what, names[0].Key.Text, k.Text))
		return nil, nil, false
	}
	key, body = names[0].Key, names[0].Value
	for _, e := range rest {
		if e.Key.Src.Layer <= File {
			w.fail(e.Key.at(fmt.Sprintf("indent it below %s, or write %s: {%s: ...}", key.Text, key.Text, e.Key.Text),
				"%q stands beside %s, not in it", shorten(e.Key.Text), key.Text))
			return nil, nil, false
		}
		if body.Kind == Null {
			body.Kind = Map
		}
		if x := body.Get(e.Key.Text); x != nil {
			*x = *e.Value
		} else if body.Kind == Map {
			body.Entries = append(body.Entries, e)
		}
	}
	return key, body, true
}

// Describe lists the variants of T by name, "adam, adamw, sgd", for help texts.
func Describe[T any](d *Decoder) string {
	vs := d.variants[reflect.TypeFor[T]()]
	if vs == nil {
		return ""
	}
	return strings.Join(vs.names(), ", ")
}
