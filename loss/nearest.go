package loss

import (
	"slices"
	"strings"
)

// didYouMean is `did you mean "huber"?` for the known name closest to name, else the list of what is known.
func didYouMean(name string, known []string) string {
	plain := func(s string) string {
		return strings.ToLower(strings.NewReplacer("_", "", "-", "", " ", "").Replace(s))
	}
	known = slices.Sorted(slices.Values(known))
	best, least := "", len(name)/3+2
	for _, k := range known {
		if len(name) > 64 {
			break
		}
		if d := edits(plain(name), plain(k)); d < least {
			best, least = k, d
		}
	}
	if best != "" {
		return `did you mean "` + best + `"?`
	}
	return "known: " + strings.Join(known, ", ")
}

// edits is the number of insertions, deletions, replacements and swaps of neighbours between two names.
func edits(a, b string) int {
	before, prev, cur := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
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
				cur[j] = min(cur[j], before[j-2]+1)
			}
		}
		before, prev, cur = prev, cur, before
	}
	return prev[len(b)]
}
