package cpu

import "sort"

const alignment = 64

func up(n, m int) int { return (n + m - 1) / m * m }

// plan gives every arena value an offset: largest first into the lowest gap that is free during its life.
// It returns the size of the arena in bytes.
func (c *compiler) plan() int {
	var live []*value
	for _, v := range c.all {
		if v.place == inArena && v.alias == nil && v.first >= 0 {
			live = append(live, v)
		}
	}
	sort.SliceStable(live, func(i, j int) bool { return live[i].bytes() > live[j].bytes() })
	size := 0
	var placed []*value // by offset
	for _, v := range live {
		need, at := up(max(v.bytes(), 1), alignment), 0
		for _, p := range placed {
			if p.last < v.first || v.last < p.first {
				continue
			}
			if p.offset >= at+need {
				break
			}
			at = max(at, p.offset+up(max(p.bytes(), 1), alignment))
		}
		v.offset = at
		size = max(size, at+need)
		i := sort.Search(len(placed), func(i int) bool { return placed[i].offset > at })
		placed = append(placed, nil)
		copy(placed[i+1:], placed[i:])
		placed[i] = v
	}
	return size
}
