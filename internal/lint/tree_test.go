package lint

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
)

const module = "github.com/kun-ml/kun"

// tree is the source of the module.
type tree struct {
	fset  *token.FileSet
	files []*source
}

// source is one file.
type source struct {
	path string // slash-separated, from the module's root
	text []byte // nil when it is no text
	size int64
	ast  *ast.File // of Go files
}

// dir is the package's path from the module's root, "." for the root itself.
func (s *source) dir() string { return path.Dir(s.path) }

func (s *source) isGo() bool   { return s.ast != nil }
func (s *source) isTest() bool { return strings.HasSuffix(s.path, "_test.go") }

// firstLine is the first line of a text.
func (s *source) firstLine() string {
	line, _, _ := bytes.Cut(s.text, []byte("\n"))
	return string(line)
}

// generated reports whether a program wrote the file.
func (s *source) generated() bool { return strings.Contains(s.firstLine(), "enerated by ") }

// load reads a tree, without what .gitignore leaves out.
func load(f fs.FS) (*tree, error) {
	ignore := ignored(f)
	t := &tree{fset: token.NewFileSet()}
	err := fs.WalkDir(f, ".", func(p string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case e.IsDir() && (p == ".git" || ignore(p+"/")):
			return fs.SkipDir
		case e.IsDir() || ignore(p):
			return nil
		}
		info, err := e.Info()
		if err != nil || !info.Mode().IsRegular() {
			return err
		}
		s := &source{path: p, size: info.Size()}
		t.files = append(t.files, s)
		if info.Size() > maxSize {
			return nil
		}
		b, err := fs.ReadFile(f, p)
		if err != nil || bytes.IndexByte(b, 0) >= 0 {
			return err
		}
		s.text = b
		if strings.HasSuffix(p, ".go") && !strings.Contains(p, "/testdata/fuzz/") {
			s.ast, err = parser.ParseFile(t.fset, p, b, parser.ParseComments|parser.SkipObjectResolution)
		}
		return err
	})
	return t, err
}

// ignored gives the rule of .gitignore: lines "/name", "/dir/" and "*.ext", which is all that it holds here.
func ignored(f fs.FS) func(p string) bool {
	b, _ := fs.ReadFile(f, ".gitignore")
	lines := strings.Fields(string(b))
	return func(p string) bool {
		return slices.ContainsFunc(lines, func(l string) bool {
			if ext, ok := strings.CutPrefix(l, "*"); ok {
				return strings.HasSuffix(p, ext)
			}
			if !strings.HasPrefix(l, "/") { // a name at any depth
				return path.Base(p) == strings.TrimSuffix(l, "/") || strings.HasSuffix(p, "/"+l)
			}
			return "/"+p == l
		})
	}
}

// packages are the folders with Go files that are not tests, by path, in order.
func (t *tree) packages() ([]string, map[string][]*source) {
	all := map[string][]*source{}
	for _, s := range t.files {
		if s.isGo() && !s.isTest() && !strings.Contains(s.path, "/testdata/") {
			all[s.dir()] = append(all[s.dir()], s)
		}
	}
	var names []string
	for p := range all {
		names = append(names, p)
	}
	slices.Sort(names)
	return names, all
}

// findings are breaches of a rule.
type findings []string

func (f *findings) add(format string, args ...any) { *f = append(*f, fmt.Sprintf(format, args...)) }

// at adds a finding at a place.
func (f *findings) at(t *tree, pos token.Pos, format string, args ...any) {
	p := t.fset.Position(pos)
	f.add("%s:%d: %s", p.Filename, p.Line, fmt.Sprintf(format, args...))
}

// rule is a check of the whole tree.
type rule func(t *tree) findings

// house is this module's tree, read once.
var house = sync.OnceValues(func() (*tree, error) {
	at, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	return load(os.DirFS(filepath.Dir(filepath.Dir(at))))
})

// obey fails the test for every finding of r in this module.
func obey(t *testing.T, r rule) {
	t.Helper()
	h, err := house()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range r(h) {
		t.Error(f)
	}
}

// catches demands that r, on a tree of the given files, gives findings that contain the given texts, one each, in order.
func catches(t *testing.T, r rule, files map[string]string, want ...string) {
	t.Helper()
	m := fstest.MapFS{}
	for p, text := range files {
		m[p] = &fstest.MapFile{Data: []byte(text)}
	}
	tr, err := load(m)
	if err != nil {
		t.Fatal(err)
	}
	got := r(tr)
	ok := len(got) == len(want)
	for i := 0; ok && i < len(got); i++ {
		ok = strings.Contains(got[i], want[i])
	}
	if !ok {
		t.Errorf("findings:\n  %s\nwant:\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}
