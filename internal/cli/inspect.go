package cli

import (
	"fmt"
	"math"

	"github.com/spf13/cobra"

	"github.com/kun-ml/kun"
	"github.com/kun-ml/kun/internal/cli/term"
)

// statistics are those of a tensor.
type statistics struct {
	Path  string  `json:"path"`
	Shape []int   `json:"shape"`
	Mean  float64 `json:"mean"`
	SD    float64 `json:"standard_deviation"`
	Min   float64 `json:"min"`
	Max   float64 `json:"max"`
}

func (a *app) inspectCommand() *cobra.Command {
	var weights, program bool
	c := &cobra.Command{
		Use:   "inspect MODEL",
		Short: "show a model's layers, parameters and origin",
		Args:  args("MODEL"),
		RunE: func(_ *cobra.Command, arg []string) error {
			m, err := a.open(arg[0])
			if err != nil {
				return err
			}
			if program {
				return m.DumpProgram(a.out, 1)
			}
			if !a.json {
				if err := m.Summary(a.out); err != nil {
					return err
				}
				a.showOrigin(m)
			}
			stats := []statistics{}
			if weights {
				stats = weightStatistics(m)
				t := term.Table{Header: []string{"tensor", "shape", "mean", "sd", "min", "max"}, Right: []bool{false, false, true, true, true, true}}
				for _, s := range stats {
					t.Add(s.Path, fmt.Sprint(s.Shape), term.Figure(s.Mean), term.Figure(s.SD), term.Figure(s.Min), term.Figure(s.Max))
				}
				if !a.json {
					a.printf("\n")
					if err := t.Render(a.out); err != nil {
						return err
					}
				}
			}
			w, s := m.Params()
			return a.emit(struct {
				envelope
				Model         string       `json:"model"`
				Parameters    int          `json:"parameters"`
				Classes       []string     `json:"classes"`
				WeightsSHA256 string       `json:"weights_sha256"`
				Origin        kun.Info     `json:"origin"`
				Weights       []statistics `json:"weights,omitempty"`
			}{envelope{jsonVersion, "inspect"}, arg[0], w + s, m.Classes, m.WeightsSHA256(), m.Info(), stats})
		},
	}
	c.Flags().BoolVar(&weights, "weights", false, "statistics of every tensor")
	c.Flags().BoolVar(&program, "program", false, "the saved program, one operation a line")
	return c
}

func (a *app) showOrigin(m *kun.Model) {
	i := m.Info()
	for _, f := range m.InputFields() {
		a.printf(" Input: %s\n", f)
	}
	if i.Samples > 0 {
		a.printf(" Trained on: %s, %s samples, %d epochs, seed %d\n", orUnknown(i.Dataset), term.Thousands(int64(i.Samples)), i.Epochs, i.Seed)
	}
	for _, f := range i.Figures {
		a.printf("   %s %s\n", f.Name, term.Figure(f.Value))
	}
}

func orUnknown(name string) string {
	if name == "" {
		return "data without a name"
	}
	return name
}

func weightStatistics(m *kun.Model) []statistics {
	out := []statistics{}
	for _, p := range m.Paths() {
		v := m.Weights(p).Value
		s := statistics{Path: p, Shape: v.Shape(), Min: math.Inf(1), Max: math.Inf(-1)}
		f := v.Float64s()
		for _, x := range f {
			s.Mean += x / float64(len(f))
			s.Min, s.Max = min(s.Min, x), max(s.Max, x)
		}
		for _, x := range f {
			s.SD += (x - s.Mean) * (x - s.Mean) / float64(len(f))
		}
		s.SD = math.Sqrt(s.SD)
		out = append(out, s)
	}
	return out
}
