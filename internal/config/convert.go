package config

import (
	"unicode/utf8"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// converter turns the parser's tree into Nodes; the first mistake ends it.
type converter struct {
	src *Source
	err *Error
}

func (c *converter) fail(e *Error) *Node {
	if c.err == nil {
		c.err = e
	}
	return &Node{Src: c.src, Line: 1, Col: 1}
}

func (c *converter) node(a ast.Node, depth int) *Node {
	if a == nil || c.err != nil {
		return &Node{Src: c.src, Line: 1, Col: 1}
	}
	n := tokenNode(c.src, a.GetToken())
	if depth > maxDepth {
		return c.fail(n.at("", "nested too deeply"))
	}
	switch a := a.(type) {
	case *ast.NullNode:
		return n
	case *ast.StringNode:
		n.Kind, n.Text = Scalar, a.Value
		if t := a.GetToken(); t != nil {
			n.Quoted = t.Type == token.DoubleQuoteType || t.Type == token.SingleQuoteType
		}
		return n
	case *ast.LiteralNode:
		n.Kind, n.Quoted, n.Width = Scalar, true, 1
		if a.Value != nil {
			n.Text = a.Value.Value
		}
		return n
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		n.Kind, n.Text = Scalar, a.GetToken().Value
		return n
	case *ast.SequenceNode:
		n.Kind, n.Width = List, 1
		for _, v := range a.Values {
			n.Items = append(n.Items, c.node(v, depth+1))
		}
		return n
	case *ast.MappingNode:
		n.Kind = Map
		c.entries(n, a.Values, depth)
		return n
	case *ast.MappingValueNode:
		n.Kind = Map
		c.entries(n, []*ast.MappingValueNode{a}, depth)
		return n
	}
	return c.fail(n.at("", "this part of YAML is not read here"))
}

func (c *converter) entries(n *Node, values []*ast.MappingValueNode, depth int) {
	seen := make(map[string]*Node, len(values))
	for _, v := range values {
		if v == nil || v.Key == nil {
			continue
		}
		if k, ok := v.Key.(ast.Node); ok && c.err == nil {
			key := c.node(k, depth+1)
			switch {
			case c.err != nil:
				return
			case key.Kind == Null:
				key.Kind, key.Text = Scalar, k.GetToken().Value
			case key.Kind != Scalar:
				c.fail(key.at("", "a key must be one word"))
				return
			}
			if first := seen[key.Text]; first != nil {
				c.fail(key.at("", "key %q is given twice; first in line %d", shorten(key.Text), first.Line))
				return
			}
			seen[key.Text] = key
			n.Entries = append(n.Entries, Entry{key, c.node(v.Value, depth+1)})
		}
	}
	if len(n.Entries) > 0 { // point at the first key rather than at the colon
		k := n.Entries[0].Key
		n.Line, n.Col, n.Width = k.Line, k.Col, k.Width
	}
}

// shorten keeps an error message readable when a value is long.
func shorten(s string) string {
	const most = 40
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return string([]rune(s)[:most-1]) + "…"
}
