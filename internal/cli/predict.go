package cli

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/kun-ml/kun"
	"github.com/kun-ml/kun/array"
	"github.com/kun-ml/kun/internal/cli/input"
	"github.com/kun-ml/kun/internal/cli/term"
)

// prediction is one sample in the object of --json.
type prediction struct {
	Input  string    `json:"input"`
	Class  string    `json:"class,omitempty"`
	Top    []guess   `json:"top,omitempty"`
	Output []float64 `json:"output,omitempty"`
}

type guess struct {
	Class       string  `json:"class"`
	Probability float64 `json:"probability"`
}

func (a *app) predictCommand() *cobra.Command {
	var top int
	var invert bool
	c := &cobra.Command{
		Use:   "predict MODEL FILE...",
		Short: "predict on pictures (png, jpeg), npy, IDX or CSV files, or folders of them; - is standard input",
		Args:  args("MODEL", "FILE..."),
		RunE: func(cmd *cobra.Command, arg []string) error {
			m, err := a.open(arg[0])
			if err != nil {
				return err
			}
			if top < 1 {
				return fail(Usage, "", "--top is %d; it must be at least 1", top)
			}
			paths, err := input.Expand(arg[1:])
			if err != nil {
				return coded(Data, err)
			}
			fields := m.InputFields()
			if len(fields) != 1 {
				return fail(Usage, "use package kun", "the model has %d inputs; kun predict takes models of one", len(fields))
			}
			all := []prediction{}
			for _, p := range paths {
				out, err := a.predict(cmd.Context(), m, p, input.Spec{Shape: fields[0].Shape, Invert: invert}, fields[0].DType, top)
				if err != nil {
					return coded(Data, err)
				}
				all = append(all, out...)
			}
			for _, p := range all {
				a.printf("%s\n", p.line())
			}
			return a.emit(struct {
				envelope
				Model       string       `json:"model"`
				Predictions []prediction `json:"predictions"`
			}{envelope{jsonVersion, "predict"}, arg[0], all})
		},
	}
	c.Flags().IntVar(&top, "top", 1, "how many classes to name")
	c.Flags().BoolVar(&invert, "invert", false, "pictures are dark on light where the model learnt light on dark")
	return c
}

func (a *app) predict(ctx context.Context, m *kun.Model, path string, spec input.Spec, d array.DType, top int) ([]prediction, error) {
	var b *input.Batch
	var err error
	if path == "-" {
		b, err = input.Read("standard input", a.in, spec)
	} else {
		b, err = input.ReadFile(path, spec)
	}
	if err != nil {
		return nil, err
	}
	for _, n := range b.Notes {
		a.logf("%s", n)
	}
	x := b.X
	if x.DType() != d {
		x = x.To(d)
	}
	out, err := m.Predict(ctx, x)
	if err != nil {
		return nil, err
	}
	width := out.Len() / max(1, b.Len())
	values := out.Float64s()
	var all []prediction
	for i, name := range b.Names {
		all = append(all, describe(name, values[i*width:(i+1)*width], m.Classes, top))
	}
	return all, nil
}

// describe names the most probable classes of a row, or gives its numbers when it has no classes.
func describe(name string, row []float64, classes []string, top int) prediction {
	p := prediction{Input: name}
	if len(row) < 2 {
		p.Output = row
		return p
	}
	order := make([]int, len(row))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(row[b], row[a]) })
	for _, i := range order[:min(top, len(order))] {
		c := strconv.Itoa(i)
		if i < len(classes) {
			c = classes[i]
		}
		p.Top = append(p.Top, guess{c, row[i]})
	}
	p.Class, p.Output = p.Top[0].Class, row
	return p
}

func (p *prediction) line() string {
	s := p.Input + ":"
	if len(p.Top) == 0 {
		for _, v := range p.Output {
			s += " " + term.Figure(v)
		}
		return s
	}
	for i, g := range p.Top {
		if i > 0 {
			s += ","
		}
		s += fmt.Sprintf(" %s (%.1f%%)", g.Class, 100*g.Probability)
	}
	return s
}
