package lint

import (
	"maps"
	"path"
	"slices"
	"strings"
	"testing"
)

// room is a place in the house.
type room struct {
	floor int
	may   string // the packages of this module that it may import, ANY for all
	libs  string // the modules of others that it may import
}

const (
	beside = 99 // stands beside the floors: may import, is not imported by them
	all    = "ANY"
)

// rooms is the table of floors. A key that ends in "/..." stands for everything below it that has no line of its own. Imports go down only:
// to a lower floor, or to a neighbour that the line names.
var rooms = map[string]room{
	"array":               {0, "", ""},
	"internal/rng":        {0, "", ""},
	"internal/cpu":        {0, "", "golang.org/x/sys"},
	"internal/par":        {0, "", ""},
	"internal/kernel":     {1, "internal/cpu internal/par internal/rng", ""},
	"tensor":              {1, "array internal/rng", ""},
	"program":             {2, "array tensor", ""},
	"device":              {3, "array tensor program", ""},
	"nn":                  {3, "array tensor internal/rng", ""},
	"loss":                {3, "array tensor nn", ""},
	"data":                {3, "array internal/rng internal/par", ""},
	"store":               {3, "array", ""},
	"device/cpu":          {4, "array tensor program device device/ref internal/cpu internal/kernel internal/par internal/rng", ""},
	"device/ref":          {4, "array tensor program device", ""},
	"metric":              {4, "array tensor nn loss", ""},
	"optim":               {4, "array tensor nn", ""},
	"prep":                {4, "array tensor nn data", ""},
	"dataset":             {4, "array data store internal/rng", ""},
	"train":               {5, "array tensor program device device/cpu device/ref nn loss data store metric optim prep internal/rng internal/par", ""},
	".":                   {6, "array tensor program device device/cpu device/ref nn loss data store metric optim prep dataset train internal/rng internal/par", ""},
	"internal/config/...": {0, "internal/config/width", ""},
	"internal/config":     {0, "internal/config/width", "github.com/goccy/go-yaml"},

	// the command and what it alone uses
	"internal/cli":         {7, all, "github.com/spf13/cobra github.com/spf13/pflag"},
	"internal/cli/input":   {6, "array data", "golang.org/x/image"},
	"internal/cli/term":    {6, "array internal/config/width", "golang.org/x/sys golang.org/x/term"},
	"internal/cli/machine": {6, "", "golang.org/x/sys"},
	"internal/cli/...":     {6, all, ""},
	"cmd/...":              {8, "internal/cli", ""},

	"tensortest":              {beside, "array internal/rng tensor program device device/cpu device/ref nn loss metric optim", ""},
	"internal/kernel/gen/...": {beside, "internal/kernel/gen/asm", ""},
	"internal/docgen":         {beside, all, ""},
	"internal/golden":         {beside, all, ""},
	"internal/lint":           {beside, "", ""},
	"internal/testdata":       {beside, "", ""},
	"bench/...":               {beside, all, "golang.org/x/sys"},
	"bench":                   {beside, all, "golang.org/x/sys"},
	"examples/...":            {beside, all, ""},
}

// guarded are packages of Go's own library that only the named rooms may import: nothing else reaches the network or starts programs.
var guarded = map[string]string{
	"net/http": "dataset",
	"net":      "internal/cli",
	"os/exec":  "bench bench/... internal/lint internal/kernel/gen/...",
	"plugin":   "",
}

// find gives the line of the table for a package.
func find(pkg string) (room, bool) {
	if r, ok := rooms[pkg]; ok {
		return r, true
	}
	for p := pkg; p != "." && p != "/"; {
		p = path.Dir(p)
		if r, ok := rooms[p+"/..."]; ok {
			return r, true
		}
	}
	return room{}, false
}

// listed reports whether a list of words has pkg or a pattern "dir/..." above it.
func listed(list, pkg string) bool {
	return slices.ContainsFunc(strings.Fields(list), func(w string) bool {
		dir, tree := strings.CutSuffix(w, "/...")
		return w == all || w == pkg || tree && strings.HasPrefix(pkg, dir+"/")
	})
}

// floors checks the imports of every package, tests apart, against the table.
func floors(t *tree) (out findings) {
	names, pkgs := t.packages()
	for _, pkg := range names {
		r, ok := find(pkg)
		if !ok {
			out.add("package %s has no place: add it to the table in internal/lint/floors_test.go and to docs/architecture.md", pkg)
			continue
		}
		for _, s := range pkgs[pkg] {
			for _, i := range s.ast.Imports {
				if why := r.forbids(pkg, strings.Trim(i.Path.Value, `"`)); why != "" {
					out.at(t, i.Pos(), "%s", why)
				}
			}
		}
	}
	return out
}

// forbids says why a package in room r may not import what, "" when it may.
func (r room) forbids(pkg, what string) string {
	own, inside := strings.CutPrefix(what, module+"/")
	if what == module {
		own, inside = ".", true
	}
	first, _, _ := strings.Cut(what, "/")
	switch {
	case what == "C":
		return pkg + " uses cgo; the module is built without it"
	case inside:
		to, known := find(own)
		if listed(r.may, own) && known && (to.floor < r.floor || r.may != all || r.floor == beside) {
			return ""
		}
		return pkg + " may not import " + own + "; see the floors in internal/lint/floors_test.go"
	case strings.Contains(first, "."):
		for _, lib := range strings.Fields(r.libs) {
			if what == lib || strings.HasPrefix(what, lib+"/") {
				return ""
			}
		}
		return pkg + " may not import " + what + "; see the libraries in internal/lint/floors_test.go and RATIONALE.md"
	}
	if who, ok := guarded[what]; ok && !listed(who, pkg) {
		return pkg + " may not import " + what + "; see guarded in internal/lint/floors_test.go"
	}
	return ""
}

// downward checks the table itself: what a line names exists and lies on a lower floor, or beside on the same without a cycle.
func downward() (out findings) {
	for _, pkg := range slices.Sorted(maps.Keys(rooms)) {
		for _, to := range strings.Fields(rooms[pkg].may) {
			r, ok := find(to)
			switch {
			case to == all:
			case !ok:
				out.add("%s may import %s, which is not in the table", pkg, to)
			case r.floor > rooms[pkg].floor:
				out.add("%s on floor %d may import %s on floor %d", pkg, rooms[pkg].floor, to, r.floor)
			case r.floor == rooms[pkg].floor && listed(r.may, pkg):
				out.add("%s and %s may import each other", pkg, to)
			}
		}
	}
	return out
}

func TestFloors(t *testing.T) {
	obey(t, floors)
	for _, f := range downward() {
		t.Error(f)
	}
}

func TestFloors_CatchesBreaches(t *testing.T) {
	imports := func(pkg string, list ...string) string {
		text := "package " + pkg + "\n"
		for _, l := range list {
			text += "import _ \"" + l + "\"\n"
		}
		return text
	}
	catches(t, floors, map[string]string{
		"array/a.go":             imports("array", "fmt", "unsafe"),
		"array/a_test.go":        imports("array", module+"/tensor"),
		"cmd/kun/main.go":        imports("main", module+"/internal/cli", module+"/internal/cli/term"),
		"data/a.go":              imports("data", module+"/array", module+"/tensor"),
		"internal/cli/term/a.go": imports("term", "C", "github.com/spf13/cobra", "golang.org/x/term"),
		"internal/cli/a.go":      imports("cli", module, module+"/nn", module+"/cmd/kun"),
		"internal/new/a.go":      imports("new"),
		"nn/a.go":                imports("nn", module+"/train", "net/http", "golang.org/x/term"),
		"store/a.go":             imports("store", module, module+"/array", module+"/none"),
		"tensor/a.go":            imports("tensor", module+"/internal/kernel"),
	},
		"cmd/kun/main.go:3: cmd/kun may not import internal/cli/term",
		"data/a.go:3: data may not import tensor",
		"internal/cli/a.go:4: internal/cli may not import cmd/kun",
		"internal/cli/term/a.go:2: internal/cli/term uses cgo",
		"internal/cli/term/a.go:3: internal/cli/term may not import github.com/spf13/cobra",
		"internal/new has no place: add it to",
		"nn/a.go:2: nn may not import train",
		"nn/a.go:3: nn may not import net/http",
		"nn/a.go:4: nn may not import golang.org/x/term",
		"store/a.go:2: store may not import .",
		"store/a.go:4: store may not import none",
		"tensor/a.go:2: tensor may not import internal/kernel",
	)
}
