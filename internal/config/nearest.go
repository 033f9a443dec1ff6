package config

import (
	"slices"
	"strings"
	"unicode"
)

// Nearest is the known name closest to name: equal but for case and punctuation, or at most a third of its letters
// away by insertions, deletions, replacements and swaps of neighbours. Ties go to the first in the alphabet.
func Nearest(name string, known []string) (string, bool) {
	if len(name) > 64 {
		return "", false
	}
	best, dist := "", 2*(max(1, len(name)/3)+1)
	if len(name) <= 2 {
		dist = 2
	}
	plain := squash(name)
	for _, k := range slices.Sorted(slices.Values(known)) {
		if k == name || len(k) > 64 {
			continue
		}
		if squash(k) == plain && plain != "" {
			return k, true
		}
		d := 2 * distance([]rune(plain), []rune(squash(k)))
		if !sameStart(plain, squash(k)) {
			d++ // of two as far away, the one that begins alike
		}
		if d < dist {
			best, dist = k, d
		}
	}
	if best == "" && len(plain) >= 3 { // "lr" finds nothing, "rate" finds "learning_rate"
		for _, k := range slices.Sorted(slices.Values(known)) {
			if slices.Contains(strings.Split(k, "_"), strings.ToLower(name)) {
				return k, true
			}
		}
	}
	return best, best != ""
}

// DidYouMean is `did you mean "units"?`, or else the list of what is known when it is short, or "".
func DidYouMean(name string, known []string) string {
	if n, ok := Nearest(name, known); ok {
		return `did you mean "` + n + `"?`
	}
	return knownList(known)
}

func knownList(known []string) string {
	known = slices.Sorted(slices.Values(known))
	s := "known: " + strings.Join(known, ", ")
	if len(known) == 0 || len(s) > 300 {
		return ""
	}
	return s
}

func sameStart(a, b string) bool { return a != "" && b != "" && a[0] == b[0] }

func squash(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '_' || r == '-' || r == ' ' || r == '.' {
			return -1
		}
		return unicode.ToLower(r)
	}, s)
}

// distance is the number of edits between two names (optimal string alignment).
func distance(a, b []rune) int {
	prev2, prev, cur := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := 1; i <= len(a); i++ {
		cur[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			cur[j] = min(prev[j]+1, cur[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				cur[j] = min(cur[j], prev2[j-2]+1)
			}
		}
		prev2, prev, cur = prev, cur, prev2
	}
	return prev[len(b)]
}
