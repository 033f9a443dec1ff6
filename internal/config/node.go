package config

import "strconv"

// Kind tells the four forms of a Node apart.
type Kind uint8

// The kinds of a node.
const (
	Null   Kind = iota // nothing, "null" or "~": the default is meant
	Scalar             // one word or number, as text
	List
	Map
)

// String names the kind in the words of an error message.
func (k Kind) String() string {
	return [...]string{"nothing", "a value", "a list", "a mapping"}[min(k, Map)]
}

// Layer is where a value came from.
type Layer uint8

// The layers, weakest first.
const (
	Default Layer = iota
	File
	Environment
	Flag
)

// Origin is where a value came from, in words: "default", "config.yaml:7", "KUN_TRAIN__EPOCHS" or "--set".
type Origin struct {
	Layer Layer
	Where string
}

// Source is a text that nodes were read from.
type Source struct {
	Name  string   // file name, or what was typed, such as `--set train.epochs=3`
	Short string   // name for the list of origins, such as "--set"
	Lines []string // of a file; nil for what was typed
	Layer Layer
}

// Node is one value of a parsed configuration with its place.
type Node struct {
	Kind    Kind
	Text    string // of a Scalar
	Quoted  bool   // the scalar stood in quotes or in a block, so it is text whatever it looks like
	Items   []*Node
	Entries []Entry
	Src     *Source
	Line    int // from 1
	Col     int // from 1, in characters
	Width   int // characters to underline
}

// Entry is a key of a mapping with its value.
type Entry struct {
	Key   *Node
	Value *Node
}

// Get is the value under a key, or nil.
func (n *Node) Get(key string) *Node {
	for _, e := range n.Entries {
		if e.Key.Text == key {
			return e.Value
		}
	}
	return nil
}

// Key is where a key of a mapping stands; the mapping itself when it has no such key.
func (n *Node) Key(key string) *Node {
	if n == nil {
		return nil
	}
	for _, e := range n.Entries {
		if e.Key.Text == key {
			return e.Key
		}
	}
	return n
}

// Find is the value at a path of keys and places in lists, as Set takes it ("callbacks.0"), or the last one
// on the way there that exists.
func (n *Node) Find(path ...string) *Node {
	for _, p := range path {
		next := n.Get(p)
		if i, err := strconv.Atoi(p); err == nil && n.Kind == List && i >= 0 && i < len(n.Items) {
			next = n.Items[i]
		}
		if next == nil {
			return n
		}
		n = next
	}
	return n
}

// clone copies the tree, so that overrides leave the original alone.
func (n *Node) clone() *Node {
	c := *n
	c.Items = make([]*Node, len(n.Items))
	for i, x := range n.Items {
		c.Items[i] = x.clone()
	}
	c.Entries = make([]Entry, len(n.Entries))
	for i, e := range n.Entries {
		c.Entries[i] = Entry{e.Key.clone(), e.Value.clone()}
	}
	return &c
}
