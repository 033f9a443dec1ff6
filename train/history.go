package train

import (
	"encoding/json"
	"slices"
)

// History holds the figures of every epoch. It marshals to JSON; null stands for a figure that is not finite.
type History struct {
	// Epochs are the numbers of the epochs, from 0.
	Epochs []int
	// Names are the figures in the order in which they were first seen.
	Names []string
	// Figures are the values by name, one per epoch.
	Figures map[string][]float64
	// Seconds is how long each epoch took, without its validation.
	Seconds []float64
	// Stopped says why training ended before the last epoch; empty when it did not.
	Stopped string
	// Warnings are what is legal but rarely meant, such as a parameter that nothing uses; Model.Fit of package kun fills them in.
	Warnings []string
}

// historyJSON is a History in JSON.
type historyJSON struct {
	Epochs   []int               `json:"epochs"`
	Names    []string            `json:"names"`
	Figures  map[string][]number `json:"figures"`
	Seconds  []float64           `json:"seconds"`
	Stopped  string              `json:"stopped,omitempty"`
	Warnings []string            `json:"warnings,omitempty"`
}

// MarshalJSON writes the history.
func (h History) MarshalJSON() ([]byte, error) {
	j := historyJSON{h.Epochs, h.Names, map[string][]number{}, h.Seconds, h.Stopped, h.Warnings}
	for name, vs := range h.Figures {
		for _, v := range vs {
			j.Figures[name] = append(j.Figures[name], number(v))
		}
	}
	return json.Marshal(j)
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (h *History) UnmarshalJSON(b []byte) error {
	var j historyJSON
	if err := json.Unmarshal(b, &j); err != nil {
		return err
	}
	*h = History{j.Epochs, j.Names, map[string][]float64{}, j.Seconds, j.Stopped, j.Warnings}
	for name, vs := range j.Figures {
		for _, v := range vs {
			h.Figures[name] = append(h.Figures[name], float64(v))
		}
	}
	return nil
}

// Last is the value of a figure at the end of the last epoch.
func (h *History) Last(name string) (float64, bool) {
	v := h.Figures[name]
	if len(v) == 0 {
		return 0, false
	}
	return v[len(v)-1], true
}

// last are the figures of the last epoch, in order.
func (h *History) last() (out []Figure) {
	for _, n := range h.Names {
		if v, ok := h.Last(n); ok {
			out = append(out, Figure{n, v})
		}
	}
	return out
}

func (h *History) add(epoch int, seconds float64, fs []Figure) {
	h.Epochs = append(h.Epochs, epoch)
	h.Seconds = append(h.Seconds, seconds)
	if h.Figures == nil {
		h.Figures = map[string][]float64{}
	}
	for _, f := range fs {
		if !slices.Contains(h.Names, f.Name) {
			h.Names = append(h.Names, f.Name)
		}
		h.Figures[f.Name] = append(h.Figures[f.Name], f.Value)
	}
}

// clone is a copy with memory of its own.
func (h *History) clone() *History {
	c := &History{slices.Clone(h.Epochs), slices.Clone(h.Names), map[string][]float64{}, slices.Clone(h.Seconds), h.Stopped, slices.Clone(h.Warnings)}
	for n, v := range h.Figures {
		c.Figures[n] = slices.Clone(v)
	}
	return c
}

// whole reports whether the history has all figures of so many epochs.
func (h *History) whole(epochs int) bool {
	ok := len(h.Epochs) == epochs && len(h.Seconds) == epochs && len(h.Names) == len(h.Figures)
	for i, e := range h.Epochs {
		ok = ok && e == i
	}
	for _, n := range h.Names {
		ok = ok && len(h.Figures[n]) == epochs
	}
	return ok
}
