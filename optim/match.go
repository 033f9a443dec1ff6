package optim

import (
	"fmt"
	"regexp"
	"strings"
	"sync"
	"unicode/utf8"
)

// Match reports whether a path such as "Blocks.3.Up.Kernel" fits a pattern: "*" stands for one element or a part of it,
// "**" for any number of elements, none included, "{a,b}" for one of several: "Backbone.**", "**.Bias",
// "Blocks.*.{Up,Down}.Kernel". Everything else stands for itself. A pattern that does not read, see CheckPattern, fits
// nothing.
func Match(pattern, path string) bool {
	re := compiled(pattern).re
	return re != nil && re.MatchString(path)
}

// CheckPattern is the error of a pattern that does not read: empty, longer than 1,000 bytes, or with a brace that has no
// partner.
func CheckPattern(pattern string) error { return compiled(pattern).err }

type compiledPattern struct {
	re  *regexp.Regexp
	err error
}

// recent keeps the last pattern: one is asked about many paths in a row.
var recent struct {
	sync.Mutex
	pattern string
	compiledPattern
}

func compiled(pattern string) compiledPattern {
	recent.Lock()
	defer recent.Unlock()
	if recent.pattern != pattern || recent.re == nil {
		recent.pattern = pattern
		recent.re, recent.err = compile(pattern)
	}
	return recent.compiledPattern
}

const maxPattern = 1000

func compile(p string) (*regexp.Regexp, error) {
	bad := func(why string) (*regexp.Regexp, error) {
		if len(p) > 80 {
			p = p[:80] + "..."
		}
		return nil, fmt.Errorf("optim: pattern %q: %s", p, why)
	}
	if p == "" || len(p) > maxPattern {
		return bad(fmt.Sprintf("must have 1 to %d bytes", maxPattern))
	}
	var b strings.Builder
	b.WriteString("^(?s:")
	depth := 0
	for i := 0; i < len(p); {
		ends := func(at int) bool { return at == len(p) || p[at] == ',' && depth > 0 || p[at] == '}' && depth > 0 }
		switch rest := p[i:]; {
		case strings.HasPrefix(rest, ".**") && ends(i+3): // any elements at the end, none included
			b.WriteString(`(?:\.[^.]+)*`)
			i += 3
		case strings.HasPrefix(rest, "**."): // any elements at the start or between
			b.WriteString(`(?:[^.]+\.)*`)
			i += 3
		case strings.HasPrefix(rest, "**"):
			b.WriteString(`.*`)
			i += 2
		case rest[0] == '*':
			b.WriteString(`[^.]*`)
			i++
		case rest[0] == '{':
			b.WriteString(`(?:`)
			depth++
			i++
		case rest[0] == '}':
			if depth == 0 {
				return bad("a } has no {")
			}
			b.WriteString(`)`)
			depth--
			i++
		case rest[0] == ',' && depth > 0:
			b.WriteString(`|`)
			i++
		default:
			_, n := utf8.DecodeRuneInString(rest)
			b.WriteString(regexp.QuoteMeta(rest[:n]))
			i += n
		}
	}
	if depth > 0 {
		return bad("a { has no }")
	}
	b.WriteString(`)$`)
	re, err := regexp.Compile(b.String())
	if err != nil {
		return bad(err.Error())
	}
	return re, nil
}
