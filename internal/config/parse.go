package config

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// Limits on what is read. The YAML parser takes time that grows with the square of some of these.
const (
	MaxBytes  = 256 << 10 // of the text
	maxTokens = 20_000
	maxDepth  = 48  // nested brackets, and nesting altogether
	maxIndent = 200 // columns
	maxDashes = 16  // list markers on one line
)

// ReadFile reads and parses a file. An error names the path as given.
func ReadFile(path string) (*Node, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, readError(path, err)
	}
	defer f.Close()
	if st, err := f.Stat(); err == nil && st.IsDir() {
		return nil, &Error{File: path, Msg: "is a folder; a configuration is one YAML file"}
	}
	text, err := io.ReadAll(io.LimitReader(f, MaxBytes+1))
	if err != nil {
		return nil, readError(path, err)
	}
	return Parse(path, text)
}

func readError(path string, err error) *Error {
	var pe *os.PathError
	if errors.As(err, &pe) {
		err = pe.Err
	}
	e := &Error{File: path, Msg: "cannot be read: " + err.Error()}
	if errors.Is(err, os.ErrNotExist) {
		e.Msg = "no such file"
		if near := neighbour(path); near != "" {
			e.Hint = fmt.Sprintf("did you mean %q?", near)
		}
	}
	return e
}

// neighbour is a YAML file beside path with a name near to it.
func neighbour(path string) string {
	dir, base := filepath.Split(path)
	entries, err := os.ReadDir(filepath.Clean(dir + "."))
	if err != nil {
		return ""
	}
	var names []string
	for _, e := range entries {
		if ext := filepath.Ext(e.Name()); len(names) < 1000 && (ext == ".yaml" || ext == ".yml") {
			names = append(names, e.Name())
		}
	}
	if n, ok := Nearest(base, names); ok {
		return dir + n
	}
	return ""
}

// Parse turns YAML text into a tree. An empty text is an empty mapping. The error is an *Error.
func Parse(name string, text []byte) (*Node, error) {
	src := &Source{Name: name, Short: name, Layer: File}
	if len(text) > MaxBytes {
		return nil, &Error{File: name, Msg: fmt.Sprintf("is larger than %d KiB; that is no configuration", MaxBytes>>10)}
	}
	s := strings.TrimPrefix(string(text), "\ufeff")
	s = strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n")
	src.Lines = strings.Split(s, "\n")
	if e := checkText(src); e != nil {
		return nil, e
	}
	root, err := parse(src, s)
	if err != nil {
		return nil, err
	}
	if root.Kind == Null {
		root.Kind = Map
	}
	return root, nil
}

// checkText refuses what is no text and what would make the parser slow or deep.
func checkText(src *Source) *Error {
	for i, line := range src.Lines {
		at := func(col, width int) *Node { return &Node{Src: src, Line: i + 1, Col: col, Width: width} }
		if !utf8.ValidString(line) {
			return &Error{File: src.Name, Msg: fmt.Sprintf("line %d is not UTF-8 text; is this a configuration?", i+1)}
		}
		for j, r := range []rune(line) {
			if r < ' ' && r != '\t' || r == 0x7f {
				return at(j+1, 1).at("", "a control character (code %d) stands here", r)
			}
		}
		indent := len(line) - len(strings.TrimLeft(line, " \t"))
		if indent == len(line) {
			continue
		}
		if tab := strings.IndexByte(line[:indent], '\t'); tab >= 0 {
			return at(tab+1, 1).at("use two spaces for each level", "a tab in the indentation; YAML indents with spaces only")
		}
		if indent > maxIndent {
			return at(indent+1, 1).at("", "indented by %d columns; at most %d are read", indent, maxIndent)
		}
	}
	return nil
}

// parse runs the YAML parser on checked text. The parser is not ours: a panic in it becomes an error.
func parse(src *Source, s string) (root *Node, err error) {
	defer func() {
		if p := recover(); p != nil {
			root, err = nil, &Error{File: src.Name, Msg: "is not YAML that can be read"}
		}
	}()
	tokens := lexer.Tokenize(s)
	if e := checkTokens(src, tokens); e != nil {
		return nil, e
	}
	file, perr := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
	if perr != nil {
		return nil, syntaxError(src, perr)
	}
	root = &Node{Src: src, Line: 1, Col: 1}
	first := true
	for _, d := range file.Docs {
		if d == nil || d.Body == nil || isComment(d.Body) {
			continue
		}
		c := converter{src: src}
		n := c.node(d.Body, 0)
		if c.err != nil {
			return nil, c.err
		}
		if !first {
			return nil, n.at("keep one, without the line ---", "a second document begins here; a configuration is one")
		}
		root, first = n, false
	}
	return root, nil
}

func isComment(n ast.Node) bool {
	switch n.(type) {
	case *ast.CommentNode, *ast.CommentGroupNode:
		return true
	}
	return false
}

// checkTokens bounds the nesting and the number of tokens, and refuses the parts of YAML that are not used here.
func checkTokens(src *Source, tokens token.Tokens) *Error {
	depth, dashes, line := 0, 0, 0
	for i, t := range tokens {
		n := tokenNode(src, t)
		if i >= maxTokens {
			return n.at("", "more than %d words and marks; that is no configuration", maxTokens)
		}
		if n.Line != line {
			line, dashes = n.Line, 0
		}
		switch t.Type {
		case token.MappingStartType, token.SequenceStartType:
			depth++
		case token.MappingEndType, token.SequenceEndType:
			depth--
		case token.SequenceEntryType:
			dashes++
		case token.AnchorType, token.AliasType:
			return n.at("write the value out where it is needed", "anchors and aliases (& and *) are not read here")
		case token.TagType:
			return n.at("leave the tag out", "tags (%s) are not read here", t.Value)
		case token.MergeKeyType:
			return n.at("write the keys out", "merge keys (<<) are not read here")
		case token.MappingKeyType:
			return n.at("", "complex keys (?) are not read here")
		case token.DirectiveType:
			return n.at("leave the line out", "directives (%%) are not read here")
		}
		if depth > maxDepth || dashes > maxDashes {
			return n.at("", "nested too deeply")
		}
	}
	return nil
}

func tokenNode(src *Source, t *token.Token) *Node {
	n := &Node{Src: src, Line: 1, Col: 1, Width: 1}
	if t == nil || t.Position == nil {
		return n
	}
	n.Line = min(max(t.Position.Line, 1), len(src.Lines))
	n.Col = max(t.Position.Column, 1)
	// The parser counts a tab before the token as nothing; the origin text says where the token really stands.
	line := []rune(src.Lines[n.Line-1])
	n.Col = min(n.Col, len(line)+1)
	n.Width = max(1, utf8.RuneCountInString(strings.TrimSpace(t.Value)))
	switch t.Type {
	case token.DoubleQuoteType, token.SingleQuoteType:
		n.Width += 2
	}
	n.Width = max(1, min(n.Width, len(line)+1-n.Col))
	return n
}

func syntaxError(src *Source, err error) *Error {
	var se interface {
		GetToken() *token.Token
		GetMessage() string
	}
	if !errors.As(err, &se) {
		return &Error{File: src.Name, Msg: "is not YAML: " + firstLine(err.Error())}
	}
	n, msg := tokenNode(src, se.GetToken()), firstLine(se.GetMessage())
	hint := ""
	switch {
	case strings.Contains(msg, "mapping value is not allowed"):
		msg, hint = "a key is not expected here", "is the indentation right, and a text with \": \" in quotes?"
	case strings.Contains(msg, "value is not allowed in this context"):
		msg, hint = "not expected here", "is the indentation right?"
	case strings.Contains(msg, "sequence end token"):
		msg = `the list opened here is never closed by "]"`
	case strings.Contains(msg, "flow mapping end token"):
		msg = `the mapping opened here is never closed by "}"`
	case strings.Contains(msg, "could not find end character"):
		msg = "the quoted text opened here is never closed"
	}
	return n.at(hint, "%s", msg)
}

func firstLine(s string) string {
	s, _, _ = strings.Cut(s, "\n")
	return s
}
