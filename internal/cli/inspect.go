package cli

import (
	"fmt"
	"math"
	"strings"

	"github.com/spf13/cobra"

	"github.com/kun-ml/kun"
	"github.com/kun-ml/kun/internal/cli/term"
)

// inspected is the object of --json.
type inspected struct {
	envelope
	Model         string       `json:"model"`
	Parameters    int          `json:"parameters"`
	Layers        []layer      `json:"layers"`
	Inputs        []string     `json:"inputs"`
	Classes       []string     `json:"classes"`
	WeightsSHA256 string       `json:"weights_sha256"`
	Origin        kun.Info     `json:"origin"`
	Note          *note        `json:"note,omitempty"`
	Weights       []statistics `json:"weights,omitempty"`
	Program       string       `json:"program,omitempty"`
}

type layer struct {
	Path       string `json:"path"`
	Type       string `json:"type"`
	Output     []int  `json:"output"` // the batch first, as 0
	Parameters int    `json:"parameters"`
}

// statistics are those of a tensor.
type statistics struct {
	Path  string `json:"path"`
	Shape []int  `json:"shape"`
	Mean  number `json:"mean"`
	SD    number `json:"standard_deviation"`
	Min   number `json:"min"`
	Max   number `json:"max"`
	Bad   int    `json:"not_finite"` // how many are NaN or infinite
}

func (a *app) inspectCommand() *cobra.Command {
	var weights, program, config bool
	c := &cobra.Command{
		Use:     "inspect MODEL",
		Short:   "show a model's layers, parameters and origin",
		Example: "kun inspect runs/mnist --weights\nkun inspect runs/mnist --config > again.yaml",
		Args:    args("MODEL"),
		RunE: func(_ *cobra.Command, arg []string) error {
			m, err := a.open(arg[0])
			if err != nil {
				return err
			}
			if config && !a.json {
				if n := noteOf(m); n != nil && n.Config != "" {
					a.printf("%s", n.Config)
					return nil
				}
				return fail(Usage, "", "%s was not trained from a configuration", arg[0])
			}
			return a.inspect(m, arg[0], weights, program)
		},
	}
	c.Flags().BoolVar(&weights, "weights", false, "statistics of every tensor")
	c.Flags().BoolVar(&program, "program", false, "the saved program, one operation a line")
	c.Flags().BoolVar(&config, "config", false, "the configuration that it was trained with, every setting")
	return c
}

func (a *app) inspect(m *kun.Model, dir string, weights, program bool) error {
	w, s := m.Params()
	o := inspected{envelope: envelope{jsonVersion, "inspect"}, Model: dir, Parameters: w + s, Layers: []layer{}, Classes: m.Classes,
		WeightsSHA256: m.WeightsSHA256(), Origin: m.Info(), Note: noteOf(m)}
	rows, err := m.Layers()
	if err != nil {
		return err
	}
	for _, r := range rows {
		o.Layers = append(o.Layers, layer{r.Path, r.Type, r.Output, r.Params})
	}
	for _, f := range m.InputFields() {
		o.Inputs = append(o.Inputs, f.String())
	}
	if program {
		var b strings.Builder
		if err := m.DumpProgram(&b, 1); err != nil {
			return err
		}
		o.Program = b.String()
		a.printf("%s", o.Program)
	} else if !a.json {
		if err := a.summary(m); err != nil {
			return err
		}
		a.showOrigin(m)
	}
	if weights {
		o.Weights = weightStatistics(m)
		if err := a.showWeights(o.Weights); err != nil {
			return err
		}
	}
	return a.emit(o)
}

// summary prints the table of layers, with what the terminal can show.
func (a *app) summary(m *kun.Model) error {
	var b strings.Builder
	if err := m.Summary(&b); err != nil {
		return err
	}
	text := b.String()
	if !a.out.Unicode {
		text = plainRules.Replace(text)
	}
	a.printf("%s", text)
	return nil
}

// plainRules draws the rules of a table in ASCII.
var plainRules = strings.NewReplacer("┏", "+", "┳", "+", "┓", "+", "━", "=", "┃", "|", "┡", "+", "╇", "+", "┩", "+", "├", "+", "┼", "+", "┤", "+",
	"─", "-", "│", "|", "└", "+", "┴", "+", "┘", "+")

// showOrigin tells what a model takes, what it was trained on and with what result.
func (a *app) showOrigin(m *kun.Model) {
	i, n := m.Info(), noteOf(m)
	for _, f := range m.InputFields() {
		a.printf(" Input: %s\n", f)
	}
	if len(m.Classes) > 0 {
		a.printf(" Classes: %s\n", a.out.Cut(strings.Join(m.Classes, ", "), a.out.Width()-10))
	}
	if i.Samples > 0 {
		name := or(i.Dataset, "data without a name")
		a.printf(" Trained on: %s, %s samples, %d epochs, seed %d", name, term.Thousands(int64(i.Samples)), i.Epochs, i.Seed)
		if n != nil && n.Seconds > 0 {
			a.printf(", in %.1f s (%s)", n.Seconds, n.Level)
		}
		a.printf("\n")
	}
	for _, f := range i.Figures {
		a.printf("   %-16s %s\n", f.Name, term.Figure(f.Value))
	}
	if n != nil && len(n.Test) > 0 {
		a.printf(" Test data: %s samples\n", term.Thousands(int64(n.Tested)))
		for _, f := range n.Test {
			a.printf("   %-16s %s\n", f.Name, term.Figure(f.Value))
		}
	}
}

func (a *app) showWeights(all []statistics) error {
	if a.json {
		return nil
	}
	t := term.Table{Header: []string{"tensor", "shape", "mean", "sd", "min", "max", "not finite"}, Right: []bool{false, false, true, true, true, true, true}}
	for _, s := range all {
		bad := ""
		if s.Bad > 0 {
			bad = term.Thousands(int64(s.Bad))
		}
		t.Add(s.Path, fmt.Sprint(s.Shape), term.Figure(float64(s.Mean)), term.Figure(float64(s.SD)), term.Figure(float64(s.Min)), term.Figure(float64(s.Max)), bad)
	}
	a.printf("\n")
	return t.Render(a.out)
}

func weightStatistics(m *kun.Model) []statistics {
	out := []statistics{}
	for _, p := range m.Paths() {
		v := m.Weights(p).Value
		s := statistics{Path: p, Shape: v.Shape(), Min: number(math.Inf(1)), Max: number(math.Inf(-1))}
		var finite []float64
		for _, x := range v.Float64s() {
			if math.IsNaN(x) || math.IsInf(x, 0) {
				s.Bad++
				continue
			}
			finite = append(finite, x)
			s.Min, s.Max = min(s.Min, number(x)), max(s.Max, number(x))
		}
		n := number(max(1, len(finite)))
		for _, x := range finite {
			s.Mean += number(x) / n
		}
		for _, x := range finite {
			s.SD += (number(x) - s.Mean) * (number(x) - s.Mean) / n
		}
		s.SD = number(math.Sqrt(float64(s.SD)))
		out = append(out, s)
	}
	return out
}
