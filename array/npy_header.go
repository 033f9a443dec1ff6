package array

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

// npyHead is what the header of an npy file says.
type npyHead struct {
	descr   string
	kind    npyType
	order   binary.ByteOrder
	fortran bool
	shape   Shape
}

var errNPYHeader = errors.New("the header is cut off")

func readNPYHeader(r io.Reader) (*npyHead, error) {
	var b [12]byte
	if n, err := io.ReadFull(r, b[:10]); err != nil {
		if short(err) && !strings.HasPrefix(npyMagic, string(b[:min(n, 6)])) {
			return nil, errors.New("not an npy file")
		}
		return nil, cutHeader(err)
	}
	if string(b[:6]) != npyMagic {
		return nil, errors.New("not an npy file")
	}
	n := int(binary.LittleEndian.Uint16(b[8:]))
	switch version := b[6]; {
	case version == 0 || version > 3:
		return nil, fmt.Errorf("version %d.%d is not known", version, b[7])
	case version > 1:
		if _, err := io.ReadFull(r, b[10:12]); err != nil {
			return nil, cutHeader(err)
		}
		if long := binary.LittleEndian.Uint32(b[8:]); long > npyHeader {
			return nil, fmt.Errorf("a header of %d bytes is longer than %d", long, npyHeader)
		}
		n = int(binary.LittleEndian.Uint32(b[8:]))
	}
	text := make([]byte, n)
	if _, err := io.ReadFull(r, text); err != nil {
		return nil, cutHeader(err)
	}
	if !utf8.Valid(text) {
		return nil, errors.New("the header is no text")
	}
	return parseNPYHeader(string(text))
}

func short(err error) bool { return err == io.EOF || err == io.ErrUnexpectedEOF }

func cutHeader(err error) error {
	if short(err) {
		return fmt.Errorf("%w: %w", errNPYHeader, io.ErrUnexpectedEOF)
	}
	return err
}

// npyScanner reads the Python literal of the header.
type npyScanner struct{ rest string }

func (s *npyScanner) skip() { s.rest = strings.TrimLeft(s.rest, " \t\r\n") }

// eat takes one character, when it is the next.
func (s *npyScanner) eat(c byte) bool {
	s.skip()
	if s.rest == "" || s.rest[0] != c {
		return false
	}
	s.rest = s.rest[1:]
	return true
}

// text reads a string in either kind of quotes.
func (s *npyScanner) text() (string, bool) {
	s.skip()
	if s.rest == "" || s.rest[0] != '\'' && s.rest[0] != '"' {
		return "", false
	}
	in, rest, ok := strings.Cut(s.rest[1:], s.rest[:1])
	if !ok || strings.Contains(in, `\`) {
		return "", false
	}
	s.rest = rest
	return in, true
}

// word reads letters and digits.
func (s *npyScanner) word() string {
	s.skip()
	n := 0
	for n < len(s.rest) && (s.rest[n] >= '0' && s.rest[n] <= '9' || s.rest[n]|0x20 >= 'a' && s.rest[n]|0x20 <= 'z') {
		n++
	}
	w := s.rest[:n]
	s.rest = s.rest[n:]
	return w
}

// parseNPYHeader reads {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }.
func parseNPYHeader(text string) (*npyHead, error) {
	h, s := &npyHead{}, &npyScanner{text}
	bad := func() (*npyHead, error) { return nil, fmt.Errorf("the header makes no sense at %q", shorten(s.rest)) }
	if !s.eat('{') {
		return bad()
	}
	seen := map[string]bool{}
	for !s.eat('}') {
		key, ok := s.text()
		if !ok || !s.eat(':') {
			return bad()
		}
		if seen[key] {
			return nil, fmt.Errorf("the header has %q twice", shorten(key))
		}
		seen[key] = true
		var err error
		switch key {
		case "descr":
			err = h.setType(s)
		case "fortran_order":
			w := s.word()
			if h.fortran = w == "True"; !h.fortran && w != "False" {
				return bad()
			}
		case "shape":
			err = h.setShape(s)
		default:
			return nil, fmt.Errorf("the header has an unknown key %q", shorten(key))
		}
		if err != nil {
			return nil, err
		}
		if !s.eat(',') {
			if s.skip(); !strings.HasPrefix(s.rest, "}") {
				return bad()
			}
		}
	}
	if s.skip(); s.rest != "" {
		return bad()
	}
	if len(seen) != 3 {
		return nil, errors.New("the header lacks one of descr, fortran_order and shape")
	}
	return h, nil
}

func shorten(s string) string {
	if len(s) > 40 {
		return strings.ToValidUTF8(s[:40], "") + "..."
	}
	return s
}

func (h *npyHead) setType(s *npyScanner) error {
	if s.skip(); strings.HasPrefix(s.rest, "[") {
		return errors.New("records (structured types) are not read; store one array per field")
	}
	d, ok := s.text()
	if !ok {
		return fmt.Errorf("the header makes no sense at %q", shorten(s.rest))
	}
	h.descr, h.order = d, binary.LittleEndian
	code := d
	if d != "" && strings.Contains("<>|=", d[:1]) {
		code = d[1:]
		switch d[0] {
		case '>':
			h.order = binary.BigEndian
		case '=':
			h.order = native()
		}
	}
	for _, t := range npyTypes {
		if t.code == code && (t.size == 1 || d[0] != '|' || code == "V2") {
			h.kind = t
			return nil
		}
	}
	what := "is not read"
	if code != "" {
		if w, ok := map[byte]string{'O': "holds Python objects, which are not read", 'U': "is text, which is not read", 'S': "is text, which is not read", 'c': "is complex, which is not read"}[code[0]]; ok {
			what = w
		}
	}
	return fmt.Errorf("type %q %s; known: floats of 2, 4 and 8 bytes, integers, bool", shorten(d), what)
}

func native() binary.ByteOrder {
	if binary.NativeEndian.Uint16([]byte{1, 0}) == 1 {
		return binary.LittleEndian
	}
	return binary.BigEndian
}

// npyAxes is the most axes an array may have, NumPy's limit.
const npyAxes = 64

func (h *npyHead) setShape(s *npyScanner) error {
	if !s.eat('(') {
		return fmt.Errorf("the header makes no sense at %q", shorten(s.rest))
	}
	h.shape = Shape{}
	for !s.eat(')') {
		w := s.word()
		n, err := strconv.ParseUint(strings.TrimSuffix(w, "L"), 10, strconv.IntSize-1) // "3L" was Python 2's
		if err != nil || len(h.shape) == npyAxes {
			return fmt.Errorf("the shape makes no sense at %q", shorten(w+s.rest))
		}
		h.shape = append(h.shape, int(n))
		if !s.eat(',') {
			if s.skip(); !strings.HasPrefix(s.rest, ")") {
				return fmt.Errorf("the shape makes no sense at %q", shorten(s.rest))
			}
		}
	}
	return nil
}
