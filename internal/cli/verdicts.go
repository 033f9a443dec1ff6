package cli

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/kun-ml/kun"
	"github.com/kun-ml/kun/array"
	"github.com/kun-ml/kun/data"
	"github.com/kun-ml/kun/internal/cli/term"
)

// verdicts are what a classifier said of labelled samples.
type verdicts struct {
	kind   kind
	counts [][]int64 // [true class][what the model said]
	worst  []verdict // the samples whose true class it thought least likely, the least likely first
}

// verdict is what it said of one sample.
type verdict struct {
	row, truth, said int
	sure, chance     float64 // probabilities of what it said, and of the truth
}

const judgePiece = 1024 // samples at a time

// verdicts runs a classifier over labelled samples; nil when the model does not classify, or the labels are no classes.
func (a *app) verdicts(ctx context.Context, m *kun.Model, src data.Source, worst int) (*verdicts, error) {
	v := &verdicts{kind: kindOf(m)}
	if !v.kind.classes {
		return nil, nil
	}
	fields := src.Fields()
	dst := make([]*array.Array, len(fields))
	at := map[string]int{}
	for i, f := range fields {
		at[f.Name] = i
		dst[i] = array.New(f.DType, append(array.Shape{judgePiece}, f.Shape...)...)
	}
	rows := make([]int, judgePiece)
	for from := 0; from < src.Len(); from += judgePiece {
		n := min(judgePiece, src.Len()-from)
		for i := range n {
			rows[i] = from + i
		}
		if err := src.Gather(dst, rows[:n]); err != nil {
			return nil, err
		}
		var xs []*array.Array
		for _, f := range m.InputFields() {
			xs = append(xs, dst[at[f.Name]].Rows(0, n))
		}
		out, err := m.Predict(ctx, xs...)
		if err != nil {
			return nil, err
		}
		if ok := v.add(out, dst[at[data.Y]].Rows(0, n), from); !ok {
			return nil, nil
		}
		v.keep(worst)
	}
	return v, nil
}

// add counts the verdicts on some samples; false when output and labels are not of classes, one per sample.
func (v *verdicts) add(out, labels *array.Array, from int) bool {
	n := out.Dim(0)
	width, per := out.Len()/n, labels.Len()/n
	if out.Rank() > 2 || per != 1 && per != width || v.kind.labels(width) {
		return false
	}
	values, truths := out.Float64s(), labels.Float64s()
	for i := range n {
		p := v.kind.probabilities(values[i*width : (i+1)*width])
		truth := int(truths[i*per])
		if per > 1 {
			truth = best(truths[i*per : (i+1)*per])
		}
		if slices.Contains(v.kind.ignored, truth) {
			continue
		}
		if v.counts == nil {
			v.counts = square(len(p))
		}
		if truth < 0 || truth >= len(p) {
			return false
		}
		said := best(p)
		v.counts[truth][said]++
		if said != truth {
			v.worst = append(v.worst, verdict{from + i, truth, said, p[said], p[truth]})
		}
	}
	return true
}

func square(n int) [][]int64 {
	out := make([][]int64, n)
	for i := range out {
		out[i] = make([]int64, n)
	}
	return out
}

// keep keeps the worst n.
func (v *verdicts) keep(n int) {
	slices.SortStableFunc(v.worst, func(a, b verdict) int {
		return cmp.Or(cmp.Compare(a.chance, b.chance), cmp.Compare(b.sure, a.sure))
	})
	v.worst = v.worst[:min(n, len(v.worst))]
}

// show writes the confusion matrix, a row of figures for every class, and the worst samples.
func (v *verdicts) show(a *app) error {
	if a.json {
		return nil
	}
	a.printf("\n")
	names := make([]string, len(v.counts))
	for i := range names {
		names[i] = v.kind.name(i)
	}
	if err := term.Confusion(a.out, v.counts, names); err != nil {
		return err
	}
	a.printf("\n")
	t := v.table()
	if err := t.Render(a.out); err != nil || len(v.worst) == 0 {
		return err
	}
	a.printf("\n")
	w := term.Table{Header: []string{"worst sample", "is", "taken for", "sure"}, Right: []bool{true, false, false, true}}
	for _, x := range v.worst {
		w.Add(term.Thousands(int64(x.row)), v.kind.name(x.truth), v.kind.name(x.said), fmt.Sprintf("%.1f%%", 100*x.sure))
	}
	return w.Render(a.out)
}

// perClass is precision, recall and F1 of every class.
func (v *verdicts) perClass() []classFigures {
	out := make([]classFigures, len(v.counts))
	for i := range v.counts {
		row, col := int64(0), int64(0)
		for j := range v.counts {
			row, col = row+v.counts[i][j], col+v.counts[j][i]
		}
		hit := float64(v.counts[i][i])
		out[i] = classFigures{v.kind.name(i), number(hit / float64(col)), number(hit / float64(row)), number(2 * hit / float64(row+col)), row}
	}
	return out
}

// table is that of perClass, with the plain means over the classes that have samples.
func (v *verdicts) table() term.Table {
	t := term.Table{Header: []string{"class", "precision", "recall", "F1", "samples"}, Right: []bool{false, true, true, true, true}}
	var mean [3]float64
	all, seen := int64(0), 0.
	for _, c := range v.perClass() {
		t.Add(c.Class, c.Precision.cell(), c.Recall.cell(), c.F1.cell(), term.Thousands(c.Samples))
		if all += c.Samples; c.Samples > 0 {
			seen++
			for i, x := range []number{c.Precision, c.Recall, c.F1} {
				if x == x { // a class that was never said has no precision, which counts 0
					mean[i] += float64(x)
				}
			}
		}
	}
	t.Total = []string{"mean", "", "", "", term.Thousands(all)}
	for i := range mean {
		t.Total[i+1] = number(mean[i] / seen).cell()
	}
	return t
}

// cell is the number with four decimals, "-" for none.
func (n number) cell() string {
	if n != n {
		return "-"
	}
	return fmt.Sprintf("%.4f", float64(n))
}
