package term

import (
	"io"
	"os"
	"runtime"
	"strconv"
	"strings"

	"golang.org/x/term"

	"github.com/kun-ml/kun/internal/config/width"
)

// Screen is where text goes and what can be shown there.
type Screen struct {
	io.Writer
	Terminal bool // a person sees it now; lines can be drawn over
	Color    bool // colours and bold
	Unicode  bool // characters beyond ASCII
	columns  int  // 0: ask the terminal each time
	fd       int
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
	s.fd, s.Terminal = int(f.Fd()), true
	s.Color = getenv("NO_COLOR") == "" && prepareTerminal(f)
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

// SetWidth fixes the number of columns.
func (s *Screen) SetWidth(columns int) { s.columns = clampWidth(columns) }

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
