package train

import "slices"

// History holds the figures of every epoch. It marshals to JSON.
type History struct {
	// Epochs are the numbers of the epochs, from 0.
	Epochs []int `json:"epochs"`
	// Names are the figures in the order in which they were first seen.
	Names []string `json:"names"`
	// Figures are the values by name, one per epoch.
	Figures map[string][]float64 `json:"figures"`
	// Seconds is how long each epoch took, without its validation.
	Seconds []float64 `json:"seconds"`
	// Stopped says why training ended before the last epoch; empty when it did not.
	Stopped string `json:"stopped,omitempty"`
}

// Last is the value of a figure at the end of the last epoch.
func (h *History) Last(name string) (float64, bool) {
	v := h.Figures[name]
	if len(v) == 0 {
		return 0, false
	}
	return v[len(v)-1], true
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
