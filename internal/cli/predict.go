package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/kun-ml/kun"
	"github.com/kun-ml/kun/array"
	"github.com/kun-ml/kun/internal/cli/input"
	"github.com/kun-ml/kun/internal/cli/term"
)

// prediction is one sample in the object of --json.
type prediction struct {
	Input       string   `json:"input"`
	Class       string   `json:"class,omitempty"`
	Probability number   `json:"probability,omitempty"`
	Labels      []guess  `json:"labels,omitzero"` // instead of a class: all that are likely, the likeliest first
	Top         []guess  `json:"top,omitempty"`
	Output      []number `json:"output"`
}

type guess struct {
	Class       string `json:"class"`
	Probability number `json:"probability"`
}

// failure is a file that could not be predicted on.
type failure struct {
	Input   string `json:"input"`
	Message string `json:"message"`
}

// predictFlags are those of kun predict.
type predictFlags struct {
	top    int
	invert bool
}

func (a *app) predictCommand() *cobra.Command {
	var x predictFlags
	c := &cobra.Command{
		Use:   "predict MODEL FILE...",
		Short: "predict on pictures (png, jpeg), npy, IDX or CSV files, or folders of them",
		Long: "FILE may be a folder, whose files are taken in the order of their names, or - for standard input. Pictures are brought to the model's size. " +
			"A file that cannot be read is reported and the others are predicted on; the exit code is then that of the last such file.",
		Example: "kun predict runs/mnist digit.png\nkun predict runs/mnist pictures/ --top 3 --json\ncat digit.png | kun predict runs/mnist -",
		Args:    args("MODEL", "FILE..."),
		RunE: func(cmd *cobra.Command, arg []string) error {
			return a.predictAll(cmd.Context(), arg[0], arg[1:], x)
		},
	}
	c.Flags().IntVar(&x.top, "top", 1, "how many classes to name")
	c.Flags().BoolVar(&x.invert, "invert", false, "pictures are dark on light where the model learnt light on dark")
	return c
}

func (a *app) predictAll(ctx context.Context, dir string, files []string, x predictFlags) error {
	if x.top < 1 {
		return fail(Usage, "", "--top is %d; it must be at least 1", x.top)
	}
	m, err := a.open(dir)
	if err != nil {
		return err
	}
	fields := m.InputFields()
	if len(fields) != 1 {
		return fail(Usage, "use package kun", "the model has %d inputs; kun predict takes models of one", len(fields))
	}
	paths, err := input.Expand(files)
	if err != nil {
		return coded(Data, err)
	}
	all, failed := []prediction{}, []failure{}
	var last error
	for _, p := range paths {
		b, err := a.readInput(p, noteOf(m).like(), input.Spec{Shape: fields[0].Shape, Invert: x.invert})
		if err == nil {
			b.X, err = converted(b.X, fields[0].DType)
		}
		var out []prediction
		if err == nil {
			out, err = a.predict(ctx, m, b, x.top)
		}
		if err != nil {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			if last = coded(Data, err); len(paths) == 1 {
				return last
			}
			failed = append(failed, failure{p, inWords(err)})
			fmt.Fprint(a.err, a.errorText(inWords(err), ""))
			continue
		}
		for _, p := range out {
			a.printf("%s\n", strings.ReplaceAll(p.line(), "\n", "?"))
		}
		if a.json {
			all = append(all, out...)
		}
	}
	if err := a.emit(struct {
		envelope
		Model       string       `json:"model"`
		Predictions []prediction `json:"predictions"`
		Failed      []failure    `json:"failed,omitempty"`
	}{envelope{jsonVersion, "predict"}, dir, all, failed}); err != nil {
		return err
	}
	if last != nil {
		return &reported{Code(last)}
	}
	return nil
}

// reported is a failure that the person has been told of already.
type reported struct{ code int }

func (r *reported) Error() string { return "some inputs could not be used" }

// readInput reads a file, or standard input, and tells what the person should know of it.
func (a *app) readInput(path string, like *tableNote, spec input.Spec) (*input.Batch, error) {
	b, err := readSamples(path, a.in, like, spec)
	if err != nil {
		return nil, err
	}
	for _, n := range b.Notes {
		a.logf("%s", n)
	}
	return b, nil
}

// converted brings inputs to the element type of the model, and refuses values that it does not have.
func converted(x *array.Array, d array.DType) (*array.Array, error) {
	if x.DType() == d {
		return x, nil
	}
	y := x.To(d)
	if d.IsFloat() {
		return y, nil
	}
	was, is := x.Float64s(), y.Float64s()
	for i := range was {
		if was[i] != is[i] {
			per := x.Len() / x.Dim(0)
			return nil, fmt.Errorf("sample %d holds the value %v; the model takes %v, as its training data were", i/per, was[i], d)
		}
	}
	return y, nil
}

func (a *app) predict(ctx context.Context, m *kun.Model, b *input.Batch, top int) ([]prediction, error) {
	out, err := m.Predict(ctx, b.X)
	if err != nil {
		return nil, err
	}
	if b.Len() == 0 {
		return nil, errors.New("there are no samples")
	}
	k, width, values := kindOf(m), out.Len()/b.Len(), out.Float64s()
	if out.Rank() > 2 {
		k.classes = false // a sample has many answers
	}
	var all []prediction
	for i, name := range b.Names {
		all = append(all, k.describe(name, values[i*width:(i+1)*width], top))
	}
	return all, nil
}

// describe names the most probable classes for an output, or gives its numbers when it has no classes.
func (k kind) describe(name string, row []float64, top int) prediction {
	p := prediction{Input: name, Output: make([]number, len(row))}
	for i, v := range row {
		p.Output[i] = number(v)
	}
	chances := k.probabilities(row)
	if chances == nil {
		return p
	}
	order := make([]int, len(chances))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(chances[b], chances[a]) })
	for _, i := range order[:min(top, len(order))] {
		p.Top = append(p.Top, guess{k.name(i), number(chances[i])})
	}
	if !k.labels(len(row)) {
		p.Class, p.Probability = p.Top[0].Class, p.Top[0].Probability
		return p
	}
	p.Labels = []guess{}
	for _, i := range order {
		if chances[i] >= 0.5 {
			p.Labels = append(p.Labels, guess{k.name(i), number(chances[i])})
		}
	}
	return p
}

// line is the prediction for a person.
func (p *prediction) line() string {
	s := p.Input + ":"
	if len(p.Top) == 0 {
		for _, v := range p.Output {
			s += " " + term.Figure(float64(v))
		}
		return s
	}
	said := p.Top
	switch {
	case p.Labels != nil && len(p.Labels) == 0:
		s += " none of the labels; the likeliest:"
	case len(p.Labels) > len(said):
		said = p.Labels
	}
	for i, g := range said {
		if i > 0 {
			s += ","
		}
		s += fmt.Sprintf(" %s (%.1f%%)", g.Class, 100*float64(g.Probability))
	}
	return s
}
