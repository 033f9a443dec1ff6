package term

import (
	"io"
	"os"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/term"

	"github.com/kun-ml/kun/internal/config/width"
)

// Screen is where text goes and what can be shown there. Several goroutines may write to it: what one writes takes the live
// line of another away first.
type Screen struct {
	Writer   io.Writer
	Terminal bool // a person sees it now; lines can be drawn over
	Color    bool // colours and bold
	Unicode  bool // characters beyond ASCII
	columns  int  // 0: ask the terminal each time
	fd       int

	mu   sync.Mutex
	live int   // lines of an unfinished display that stand on the terminal
	err  error // the first failure to write
}

// Write writes text that stays, in place of the live line if one stands there.
func (s *Screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clear()
	return s.put(p)
}

// Print is Write for text that may hold names from anywhere: of what a terminal obeys only styles and tabs are left.
func (s *Screen) Print(text string) {
	var b strings.Builder
	for text != "" {
		i := strings.IndexAny(text, "\x1b\t")
		if i < 0 {
			i = len(text)
		}
		b.WriteString(width.Printable(text[:i]))
		text = text[i:]
		n := 0
		if strings.HasPrefix(text, "\t") {
			n = 1
		} else if s.Color {
			n = len(styled.FindString(text))
		}
		b.WriteString(text[:n])
		if text = text[n:]; n == 0 && text != "" {
			b.WriteByte('?')
			text = text[1:]
		}
	}
	_, _ = s.Write([]byte(b.String()))
}

var styled = regexp.MustCompile(`^\x1b\[[0-9;]*m`)

// Err is the first failure to write, nil when there was none.
func (s *Screen) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// Live draws a line that the next text, or the next line, takes the place of. It ends without a line end.
func (s *Screen) Live(line string) {
	s.draw([]byte("\r"+s.Cut(width.Printable(line), s.Width()-1)+"\x1b[K"), 0)
}

// Clear takes the live line away.
func (s *Screen) Clear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clear()
}

// draw draws the live line p[heading:]; where none stands, its heading p[:heading], a line of its own, goes before it.
func (s *Screen) draw(p []byte, heading int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.live > 0 {
		p = p[heading:]
	} else if s.live = 1; heading > 0 {
		s.live = 2
	}
	_, _ = s.put(p)
}

// clear needs mu.
func (s *Screen) clear() {
	if s.live > 0 {
		_, _ = s.put([]byte("\r\x1b[K"))
	}
	if s.live > 1 {
		_, _ = s.put([]byte("\x1b[1A\x1b[K"))
	}
	s.live = 0
}

// put needs mu.
func (s *Screen) put(p []byte) (int, error) {
	n, err := s.Writer.Write(p)
	if err != nil && s.err == nil {
		s.err = err
	}
	return n, err
}

// NewScreen looks at w and at the environment (NO_COLOR, TERM, COLUMNS, LC_ALL, LC_CTYPE, LANG). A w that is no terminal
// gets no colours and 80 columns.
func NewScreen(w io.Writer, getenv func(string) string) *Screen {
	s := &Screen{Writer: w, columns: DefaultWidth, Unicode: utf8Locale(getenv)}
	if n, err := strconv.Atoi(getenv("COLUMNS")); err == nil {
		s.columns = clampWidth(n)
	}
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) || getenv("TERM") == "dumb" {
		return s
	}
	s.fd, s.Terminal = int(f.Fd()), prepareTerminal(f)
	s.Color = s.Terminal && getenv("NO_COLOR") == ""
	if getenv("COLUMNS") == "" {
		s.columns = 0
	}
	return s
}

// DefaultWidth is the width in columns when nothing says otherwise.
const DefaultWidth = 80

func clampWidth(n int) int { return min(max(n, 20), 400) }

// Width is the number of columns now: a window may change its size.
func (s *Screen) Width() int {
	if s.columns > 0 {
		return s.columns
	}
	w, _, err := term.GetSize(s.fd)
	if err != nil || w <= 0 {
		return DefaultWidth
	}
	return clampWidth(w)
}

func utf8Locale(getenv func(string) string) bool {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if v := strings.ToLower(getenv(name)); v != "" {
			return strings.Contains(v, "utf-8") || strings.Contains(v, "utf8")
		}
	}
	return runtime.GOOS != "windows" || getenv("WT_SESSION") != ""
}

// The styles, as the parameters of a terminal's "select graphic rendition".
const (
	Bold   = "1"
	Dim    = "2"
	Red    = "31"
	Green  = "32"
	Yellow = "33"
)

// Style puts text into a style, if the screen has colours.
func (s *Screen) Style(style, text string) string {
	if !s.Color || text == "" {
		return text
	}
	return "\x1b[" + style + "m" + text + "\x1b[0m"
}

// Cut shortens text to so many columns, its last one "…" (or ".") where something is missing.
func (s *Screen) Cut(text string, columns int) string {
	if width.Cells(text) <= columns {
		return text
	}
	if columns <= 0 {
		return ""
	}
	n, end := 0, 0
	for i, r := range text {
		if n += width.Rune(r); n > columns-1 {
			end = i
			break
		}
	}
	if s.Unicode {
		return text[:end] + "…"
	}
	return text[:end] + "."
}
