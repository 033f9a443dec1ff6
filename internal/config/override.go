package config

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Set overrides one value, as in "optimizer.adam.learning_rate=3e-4" or "model.1.dense.units=256". The path names
// keys and places in lists (from 0); the name of a variant may be left out ("optimizer.learning_rate=3e-4"). The value
// is YAML; an empty value means the default. What the path ends on is checked when the configuration is decoded.
func (n *Node) Set(spec string) error {
	path, value, ok := strings.Cut(spec, "=")
	src := &Source{Name: "--set " + shorten(spec), Short: "--set", Layer: Flag}
	if !ok || path == "" {
		return &Error{File: src.Name, Msg: "wants KEY=VALUE", Hint: "for example --set train.epochs=3"}
	}
	return n.override(src, strings.Split(path, "."), value)
}

// SetAt is Set for a flag of its own, such as --epochs: name is what the user typed, path the key that it stands for.
func (n *Node) SetAt(name, path, value string) error {
	src := &Source{Name: name, Short: strings.SplitN(name, " ", 2)[0], Layer: Flag}
	return n.override(src, strings.Split(path, "."), value)
}

// SetEnv overrides what the environment names: KUN_TRAIN__EPOCHS=3 is train.epochs (two underscores between levels).
// Of the variables with one level only, those whose key stands in top are taken, so that other KUN_ variables are left alone.
func (n *Node) SetEnv(environ []string, top ...string) error {
	for _, kv := range slices.Sorted(slices.Values(environ)) {
		name, value, _ := strings.Cut(kv, "=")
		rest, ok := strings.CutPrefix(name, "KUN_")
		if !ok || value == "" {
			continue
		}
		path := strings.Split(strings.ToLower(rest), "__")
		if len(path) == 1 && !slices.Contains(top, path[0]) {
			continue
		}
		src := &Source{Name: shorten(kv), Short: name, Layer: Environment}
		if err := n.override(src, path, value); err != nil {
			return err
		}
	}
	return nil
}

func (n *Node) override(src *Source, path []string, value string) error {
	if slices.Contains(path, "") || len(path) > maxDepth {
		return &Error{File: src.Name, Msg: "a name is missing in the path"}
	}
	v, err := parseValue(src, value)
	if err != nil {
		return err
	}
	return n.put(src, path, v)
}

// parseValue reads a typed value. Its nodes quote no line: what was typed stands in the message already.
func parseValue(src *Source, value string) (*Node, error) {
	tmp := &Source{Name: src.Name, Lines: strings.Split(value, "\n")}
	if len(value) > MaxBytes {
		return nil, &Error{File: src.Name, Msg: "is too long"}
	}
	fail := checkText(tmp)
	if fail == nil {
		n, err := parse(tmp, value)
		if err == nil {
			n.adopt(src)
			return n, nil
		}
		fail = err.(*Error)
	}
	return nil, &Error{File: src.Name, Msg: "the value: " + fail.Msg, Hint: fail.Hint}
}

func (n *Node) adopt(src *Source) {
	n.Src = src
	for _, x := range n.Items {
		x.adopt(src)
	}
	for _, e := range n.Entries {
		e.Key.adopt(src)
		e.Value.adopt(src)
	}
}

// named makes a mapping of a name alone: "adam" and "adam: {}" mean the same.
func (n *Node) named() {
	if n.Kind != Scalar {
		return
	}
	name := *n
	*n = Node{Kind: Map, Src: name.Src, Line: name.Line, Col: name.Col, Width: name.Width,
		Entries: []Entry{{&name, &Node{Src: name.Src, Line: name.Line, Col: name.Col}}}}
}

func (n *Node) put(src *Source, path []string, v *Node) error {
	if len(path) == 0 {
		*n = *v
		return nil
	}
	key := path[0]
	if n.Kind == List {
		i, err := strconv.Atoi(key)
		if err != nil || i < 0 || i >= len(n.Items) {
			return &Error{File: src.Name, Msg: fmt.Sprintf("%q is no place in a list of %d; they count from 0", key, len(n.Items))}
		}
		return n.Items[i].put(src, path[1:], v)
	}
	n.named()
	if x := n.Get(key); x != nil {
		return x.put(src, path[1:], v)
	}
	if n.Kind == Null {
		n.Kind, n.Src = Map, src
	}
	x := &Node{Src: src}
	n.Entries = append(n.Entries, Entry{&Node{Kind: Scalar, Text: key, Src: src}, x})
	return x.put(src, path[1:], v)
}
