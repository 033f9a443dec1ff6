// Package width measures text as a terminal shows it, and takes out what a terminal would obey. It imports nothing of Kun.
package width

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Cells is the number of columns that text takes: East Asian characters and pictographs take two, combining marks none.
func Cells(text string) int {
	n := 0
	for _, r := range text {
		n += Rune(r)
	}
	return n
}

// Rune is the number of columns of one character.
func Rune(r rune) int {
	switch {
	case r < 0x300:
		return 1
	case unicode.Is(unicode.Mn, r):
		return 0
	case r >= 0x1100 && r <= 0x115f, r >= 0x2e80 && r <= 0xa4cf, r >= 0xac00 && r <= 0xd7a3,
		r >= 0xf900 && r <= 0xfaff, r >= 0xfe30 && r <= 0xfe6f, r >= 0xff00 && r <= 0xff60,
		r >= 0xffe0 && r <= 0xffe6, r >= 0x1f300 && r <= 0x1faff, r >= 0x20000 && r <= 0x3fffd:
		return 2
	}
	return 1
}

// Printable replaces what a terminal would not print, or would obey, by "?"; line ends stay.
func Printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || unicode.IsPrint(r) && r != utf8.RuneError {
			return r
		}
		return '?'
	}, s)
}
