package config

import (
	"fmt"
	"reflect"
	"strconv"
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
	if len(names) > 1 { // a name from a flag takes the place of one from the environment or the file
		if last := strongest(names); last.layer() > File {
			names = []Entry{last}
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
		switch body.Kind {
		case Null:
			body.Kind = Map
		case Map:
		default:
			w.fail(e.Key.at(fmt.Sprintf("the path goes on with %s%s", key.Text, further(body)),
				"%s holds %s, which has no %q", key.Text, body.Kind, shorten(e.Key.Text)))
			return nil, nil, false
		}
		body.merge(e)
	}
	return key, body, true
}

// further is an example of how a path goes on inside of a value.
func further(n *Node) string {
	if n.Kind == List && len(n.Items) > 0 {
		return " and a place, such as 0"
	}
	return ""
}

// strongest is the entry that comes from the highest layer, the last of several.
func strongest(entries []Entry) Entry {
	best := entries[0]
	for _, e := range entries[1:] {
		if e.layer() >= best.layer() {
			best = e
		}
	}
	return best
}

// layer is the highest layer that anything in an entry comes from.
func (e Entry) layer() Layer { return max(e.Key.layer(), e.Value.layer()) }

func (n *Node) layer() Layer {
	l := Default
	if n.Src != nil {
		l = n.Src.Layer
	}
	for _, x := range n.Items {
		l = max(l, x.layer())
	}
	for _, e := range n.Entries {
		l = max(l, e.layer())
	}
	return l
}

// merge puts an entry into a mapping. Along the path that was typed, mappings are joined key by key; where it ends, what
// comes from the higher layer stays, and of equals the entry.
func (n *Node) merge(e Entry) {
	if have := n.Get(e.Key.Text); have != nil {
		have.take(e.Value)
		return
	}
	n.Entries = append(n.Entries, e)
}

func (n *Node) take(v *Node) {
	step := v.Kind == Map && v.Line == 0 // what was typed as a value has a line
	switch {
	case step && n.Kind == List:
		for _, e := range v.Entries {
			if i, err := strconv.Atoi(e.Key.Text); err == nil && i >= 0 && i < len(n.Items) {
				n.Items[i].take(e.Value)
			} else {
				*n = *v // decoding says what is wrong with it
				return
			}
		}
	case step && n.Kind != Null:
		n.named()
		for _, e := range v.Entries {
			n.merge(e)
		}
	case v.layer() >= n.layer():
		*n = *v
	}
}
