package cli

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/kun-ml/kun"
	"github.com/kun-ml/kun/array"
	"github.com/kun-ml/kun/data"
	"github.com/kun-ml/kun/internal/cli/machine"
	"github.com/kun-ml/kun/internal/cli/term"
	"github.com/kun-ml/kun/internal/cpu"
)

func (a *app) evalCommand() *cobra.Command {
	var dir, source, require string
	c := &cobra.Command{
		Use:   "eval MODEL",
		Short: "evaluate a model on the test data of a data set",
		Args:  args("MODEL"),
		RunE: func(cmd *cobra.Command, arg []string) error {
			begin := time.Now()
			m, err := a.open(arg[0])
			if err != nil {
				return err
			}
			if source == "" {
				source = m.Info().Dataset
			}
			if source == "" {
				return fail(Usage, "name one with --source", "the model does not tell what it was trained on")
			}
			_, te, err := dataRecipe{Source: source}.load(cmd.Context(), a, dir)
			if err != nil {
				return err
			}
			r, err := m.Evaluate(cmd.Context(), te)
			if err != nil {
				return coded(Data, err)
			}
			res := &outcome{envelope: envelope{jsonVersion, "eval"}, Dataset: source, TrainSamples: m.Info().Samples, TestSamples: te.Len(), Epochs: m.Info().Epochs,
				Loss: r.Loss, SecondsPerEpoch: []float64{}, SecondsTotal: time.Since(begin).Seconds(), PeakRSS: machine.PeakRSS(), Threads: a.threadCount(),
				CPULevel: cpu.InForce().String(), WeightsSHA256: m.WeightsSHA256(), Model: arg[0], Figures: map[string]float64{}, Seed: m.Info().Seed}
			w, s := m.Params()
			res.Parameters = w + s
			for _, f := range r.Figures {
				res.Figures[f.Name] = f.Value
			}
			res.Accuracy = res.Figures["accuracy"]
			a.printf("%s\n", r)
			if err := a.showConfusion(cmd.Context(), m, te); err != nil {
				return err
			}
			if err := a.emit(res); err != nil {
				return err
			}
			return required(require, res.Figures)
		},
	}
	c.Flags().StringVar(&dir, "data", "", "folder with the files of the data set")
	c.Flags().StringVar(&source, "source", "", "the data set; default: the one that the model was trained on")
	c.Flags().StringVar(&require, "require", "", "end with code 8 unless it holds, such as accuracy>=0.97")
	return c
}

// open loads a model.
func (a *app) open(dir string) (*kun.Model, error) {
	m, err := kun.Load(dir)
	if err != nil {
		return nil, coded(Data, err)
	}
	m.Threads = a.threads
	return m, nil
}

// required checks a demand such as "accuracy>=0.97".
func required(demand string, figures map[string]float64) error {
	if demand == "" {
		return nil
	}
	for _, op := range []string{">=", "<=", ">", "<"} {
		name, text, ok := strings.Cut(demand, op)
		if !ok {
			continue
		}
		limit, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
		v, known := figures[strings.TrimSpace(name)]
		if err != nil || !known {
			break
		}
		if op == ">=" && v >= limit || op == "<=" && v <= limit || op == ">" && v > limit || op == "<" && v < limit {
			return nil
		}
		return fail(Missed, "", "required %s, but it is %v", demand, v)
	}
	return fail(Usage, "write a figure, >= or <=, and a number: accuracy>=0.97", "cannot read --require %q", demand)
}

// confusion counts how often a sample of class i was taken for class j; nil when the model does not classify.
func confusion(ctx context.Context, m *kun.Model, src data.Source) ([][]int64, error) {
	set, ok := src.(*data.Set)
	if !ok || len(set.Classes) < 2 {
		return nil, nil
	}
	out, err := m.Predict(ctx, set.Array(data.X))
	if err != nil {
		return nil, err
	}
	if out.Rank() != 2 || out.Dim(1) != len(set.Classes) || out.DType() != array.Float32 {
		return nil, nil
	}
	counts := make([][]int64, out.Dim(1))
	for i := range counts {
		counts[i] = make([]int64, out.Dim(1))
	}
	labels := set.Array(data.Y).Float64s()
	width := out.Dim(1)
	for i, label := range labels {
		counts[int(label)][best(array.Data[float32](out)[i*width:(i+1)*width])]++
	}
	return counts, nil
}

func best(row []float32) int {
	b := 0
	for j, v := range row {
		if v > row[b] {
			b = j
		}
	}
	return b
}

func (a *app) showConfusion(ctx context.Context, m *kun.Model, src data.Source) error {
	if a.json {
		return nil
	}
	counts, err := confusion(ctx, m, src)
	if err != nil || counts == nil {
		return err
	}
	a.printf("\n")
	if err := term.Confusion(a.out, counts, m.Classes); err != nil {
		return err
	}
	t := term.Table{Header: []string{"class", "precision", "recall", "samples"}, Right: []bool{false, true, true, true}}
	for i := range counts {
		row, col := int64(0), int64(0)
		for j := range counts {
			row, col = row+counts[i][j], col+counts[j][i]
		}
		name := strconv.Itoa(i)
		if i < len(m.Classes) {
			name = m.Classes[i]
		}
		t.Add(name, share(counts[i][i], col), share(counts[i][i], row), term.Thousands(row))
	}
	a.printf("\n")
	return t.Render(a.out)
}

func share(n, of int64) string {
	if of == 0 {
		return "-"
	}
	return fmt.Sprintf("%.4f", float64(n)/float64(of))
}
