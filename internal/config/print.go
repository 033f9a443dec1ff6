package config

import (
	"encoding"
	"fmt"
	"io"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Print writes the resolved configuration as YAML that reads back to the same values, each line with a comment that
// says where its value came from.
func (d *Decoder) Print(out io.Writer, value any, origins Origins) error {
	v := reflect.ValueOf(value)
	for v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	p := &printer{d: d, origins: origins}
	p.object(v, "", 0, "")
	width := 0
	for _, l := range p.lines {
		if n := len([]rune(l.text)); n <= 48 {
			width = max(width, n)
		}
	}
	for _, l := range p.lines {
		s := l.text
		if l.note != "" {
			s += strings.Repeat(" ", max(0, width-len([]rune(s)))) + "  # " + l.note
		}
		if _, err := io.WriteString(out, s+"\n"); err != nil {
			return err
		}
	}
	return nil
}

type printed struct{ text, note string }

type printer struct {
	d       *Decoder
	origins Origins
	lines   []printed
}

func (p *printer) add(indent int, lead, text, note string) {
	p.lines = append(p.lines, printed{strings.Repeat("  ", indent) + lead + text, note})
}

func (p *printer) note(path string) string {
	if o, ok := p.origins[path]; ok {
		return o.Where
	}
	return "default"
}

// object prints the fields of a struct; lead, "- " or "", goes before the first.
func (p *printer) object(v reflect.Value, path string, indent int, lead string) {
	for _, f := range p.d.fieldsOf(v.Type()) {
		p.entry(f.key, v.FieldByIndex(f.index), join(path, f.key), indent, lead, &f)
		if lead != "" {
			lead, indent = "", indent+1
		}
	}
}

// entry prints "key: value".
func (p *printer) entry(key string, v reflect.Value, path string, indent int, lead string, f *field) {
	inner := indent + 1
	if lead != "" {
		inner++
	}
	s, kind := p.inline(v, path, f)
	if f != nil && v.IsZero() && f.shown != "" {
		s, kind = f.shown, isScalar
	}
	switch kind {
	case isScalar:
		p.add(indent, lead, key+": "+s, p.note(path))
	case isEmpty:
		p.add(indent, lead, key+": null", p.note(path))
	case isBlock:
		p.add(indent, lead, key+":", "")
		p.block(v, path, inner)
	}
}

type form int

const (
	isScalar form = iota
	isEmpty
	isBlock
)

// inline gives a value that fits on its key's line.
func (p *printer) inline(v reflect.Value, path string, f *field) (string, form) {
	if s, ok := p.d.scalars[v.Type()]; ok {
		text := s.text(v)
		if _, err := s.decode(text); text == "" && err != nil { // no value has this name: it is the default
			return "", isEmpty
		}
		return quote(text), isScalar
	}
	if v.Type() == durationType {
		return time.Duration(v.Int()).String(), isScalar
	}
	if v.Kind() != reflect.Pointer && v.Kind() != reflect.Interface {
		if m, ok := v.Interface().(encoding.TextMarshaler); ok {
			b, err := m.MarshalText()
			if err != nil {
				return "", isEmpty
			}
			return quote(string(b)), isScalar
		}
	}
	switch v.Kind() {
	case reflect.Bool:
		return strconv.FormatBool(v.Bool()), isScalar
	case reflect.String:
		return quote(v.String()), isScalar
	case reflect.Float32, reflect.Float64:
		x := v.Float()
		if f != nil && p.d.Zero != nil && x != 0 {
			if z, ok := p.d.Zero(path, f.f); ok && z == x {
				return "0", isScalar
			}
		}
		return strconv.FormatFloat(x, 'g', -1, v.Type().Bits()), isScalar
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return strconv.FormatInt(v.Int(), 10), isScalar
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return strconv.FormatUint(v.Uint(), 10), isScalar
	case reflect.Pointer:
		if v.IsNil() {
			return "", isEmpty
		}
		return p.inline(v.Elem(), path, f)
	case reflect.Interface:
		if v.IsNil() {
			return "", isEmpty
		}
		name, body := p.named(v)
		if p.bare(body) {
			return name, isScalar
		}
	case reflect.Slice, reflect.Array:
		return p.inlineList(v, path, f)
	case reflect.Map:
		if v.Len() == 0 {
			return "", isEmpty
		}
	case reflect.Struct:
		if len(p.d.fieldsOf(v.Type())) == 0 {
			return "", isEmpty
		}
	}
	return "", isBlock
}

// inlineList gives a list of plain values as [1, 2, 3].
func (p *printer) inlineList(v reflect.Value, path string, f *field) (string, form) {
	if v.Kind() == reflect.Slice && v.IsNil() {
		return "", isEmpty
	}
	var parts []string
	for i := range v.Len() {
		item := v.Index(i)
		if item.Kind() == reflect.Interface || item.Kind() == reflect.Slice {
			return "", isBlock
		}
		s, kind := p.inline(item, fmt.Sprintf("%s.%d", path, i), f)
		if kind != isScalar {
			return "", isBlock
		}
		parts = append(parts, s)
	}
	return "[" + strings.Join(parts, ", ") + "]", isScalar
}

// named is the registered name of the variant that an interface holds, and its settings.
func (p *printer) named(v reflect.Value) (string, reflect.Value) {
	x := v.Elem()
	name := ""
	if vs := p.d.variants[v.Type()]; vs != nil {
		if vs.own(x) {
			return x.String(), reflect.Value{}
		}
		name = vs.name[x.Type()]
		if name == "" && x.Kind() != reflect.Pointer { // registered by pointer, held by value
			name = vs.name[reflect.PointerTo(x.Type())]
		}
	}
	if name == "" {
		name = Key(strings.TrimPrefix(x.Type().String(), "*"))
	}
	if x.Kind() == reflect.Pointer {
		x = x.Elem()
	}
	return name, x
}

// bare reports whether a variant has no settings to print.
func (p *printer) bare(body reflect.Value) bool {
	switch body.Kind() {
	case reflect.Invalid:
		return true
	case reflect.Struct:
		return len(p.d.fieldsOf(body.Type())) == 0
	case reflect.Slice:
		return body.Len() == 0
	}
	return false
}

// block prints what needs lines of its own.
func (p *printer) block(v reflect.Value, path string, indent int) {
	switch v.Kind() {
	case reflect.Pointer:
		p.block(v.Elem(), path, indent)
	case reflect.Struct:
		p.object(v, path, indent, "")
	case reflect.Interface:
		p.variant(v, path, indent, "")
	case reflect.Map:
		keys := v.MapKeys()
		slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
		for _, k := range keys {
			p.entry(quote(k.String()), v.MapIndex(k), join(path, k.String()), indent, "", nil)
		}
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			p.item(v.Index(i), fmt.Sprintf("%s.%d", path, i), indent)
		}
	}
}

// variant prints "name: settings".
func (p *printer) variant(v reflect.Value, path string, indent int, lead string) {
	name, body := p.named(v)
	p.entry(name, body, join(path, name), indent, lead, nil)
}

// item prints one item of a list.
func (p *printer) item(v reflect.Value, path string, indent int) {
	s, kind := p.inline(v, path, nil)
	switch {
	case kind == isScalar:
		note := p.note(path)
		p.add(indent, "- ", s, note)
	case kind == isEmpty:
		p.add(indent, "- ", "null", "")
	case v.Kind() == reflect.Interface:
		p.variant(v, path, indent, "- ")
	case v.Kind() == reflect.Pointer:
		p.item(v.Elem(), path, indent)
	case v.Kind() == reflect.Struct:
		p.object(v, path, indent, "- ")
	default:
		p.add(indent, "-", "", "")
		p.block(v, path, indent+1)
	}
}

var plainWord = regexp.MustCompile(`^[A-Za-z./][A-Za-z0-9_./+-]*$`)

// quote writes a text so that it reads back as the same text.
func quote(s string) string {
	switch strings.ToLower(s) {
	case "null", "true", "false", "yes", "no", "on", "off", ".nan", ".inf":
		return `"` + s + `"`
	}
	if plainWord.MatchString(s) {
		return s
	}
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case r < ' ' || r == 0x7f:
			fmt.Fprintf(&b, `\x%02x`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
