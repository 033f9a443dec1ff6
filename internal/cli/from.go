package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"github.com/kun-ml/kun"
	"github.com/kun-ml/kun/data"
	"github.com/kun-ml/kun/loss"
	"github.com/kun-ml/kun/optim"
	"github.com/kun-ml/kun/prep"
)

// start makes the model of a configuration, new or with the weights and the preparation of another.
func (a *app) start(p *plan, from string, resume bool) (*kun.Model, error) {
	m := p.model(a.threads)
	if from == "" {
		return m, nil
	}
	flag := "--from"
	if resume {
		flag = "--resume"
	}
	old, err := kun.LoadInto(from, m.Net)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fail(Data, a.modelsNear(from), "%s %s: there is no model: %w", flag, from, fs.ErrNotExist)
	case err != nil:
		return nil, coded(Config, err)
	}
	if err := p.preparesAs(old, from); err != nil {
		return nil, err
	}
	if resume {
		was, err := optim.Marshal(optimizerOf(old))
		is, other := optim.Marshal(optimizerOf(m))
		if err != nil || other != nil || !bytes.Equal(was, is) {
			return nil, p.doc.Key("optimizer").Errorf("--resume goes on as it was; --from begins a new training with the weights",
				"the training of %s has another optimizer: %s", from, was)
		}
	}
	old.Loss, old.Optimizer, old.Metrics, old.Threads = m.Loss, m.Optimizer, m.Metrics, a.threads
	return old, nil
}

// optimizerOf is the optimizer of a model, Adam when none is set.
func optimizerOf(m *kun.Model) optim.Optimizer {
	if m.Optimizer == nil {
		return optim.Adam{}
	}
	return m.Optimizer
}

// preparesAs demands that the configuration prepares its data as a model does, whose preparation stays: numbers that follow
// from data may be missing in the configuration, settings may not differ.
func (p *plan) preparesAs(m *kun.Model, from string) error {
	hint := "--from keeps the preparation: write it as kun inspect " + quoted(from) + " --config shows it, or train without --from"
	for i, t := range p.Prepare {
		if i >= len(m.Prepare) || !sameTransform(m.Prepare[i], t) {
			return p.doc.Find("prepare", strconv.Itoa(i)).Errorf(hint, "the model %s was trained with another preparation", from)
		}
	}
	if len(m.Prepare) > len(p.Prepare) {
		return p.doc.Key("prepare").Errorf(hint, "the model %s was trained with %d more transforms in prepare", from, len(m.Prepare)-len(p.Prepare))
	}
	return nil
}

// sameTransform reports whether a fitted transform may have come of a configured one.
func sameTransform(old, configured prep.Transform) bool {
	switch c := configured.(type) {
	case *prep.Normalize:
		if o, ok := old.(*prep.Normalize); ok && c.Mean == nil && c.Var == nil {
			unfitted := *o
			unfitted.Mean, unfitted.Var = nil, nil
			old = &unfitted
		}
	case *prep.OneHot:
		if o, ok := old.(*prep.OneHot); ok && c.Classes == 0 {
			unfitted := *o
			unfitted.Classes = 0
			old = &unfitted
		}
	}
	a, err := prep.Transforms.Marshal(old)
	b, other := prep.Transforms.Marshal(configured)
	return err == nil && other == nil && bytes.Equal(a, b)
}

// continues demands that data have the classes and the form that the model was trained on.
func continues(m *kun.Model, ps *parts, from string) error {
	if names := data.ClassesOf(ps.train); len(names) > 0 && len(m.Classes) > 0 && !slices.Equal(names, m.Classes) {
		return fail(Config, "the order counts, too: data: {classes: [...]} names them; or train without --from", "%s was trained on the classes %s; %s has %s",
			from, list(m.Classes), ps.name, list(names))
	}
	for _, f := range m.InputFields() {
		if g, ok := data.FieldOf(ps.train, f.Name); !ok || g.DType != f.DType || !g.Shape.Equal(f.Shape) {
			return fail(Config, "", "%s does not fit the data: it takes %v, %s has %v", from, f, ps.name, ps.train.Fields())
		}
	}
	return nil
}

// list is names by commas, the first ones of many.
func list(names []string) string {
	const most = 10
	if more := len(names) - most; more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), more)
	}
	return strings.Join(names, ", ")
}

// checkTest looks, before a training takes time, at what would fail after it: test data of another form than the training data,
// and labels that are no class of the model, which has so many; 0: not known.
func checkTest(ctx context.Context, m *kun.Model, ps *parts, of int) error {
	if ps.test == nil {
		return nil
	}
	for _, f := range ps.train.Fields() {
		g, ok := data.FieldOf(ps.test, f.Name)
		if f.Name != data.X && f.Name != data.Y || ok && g.Shape.Equal(f.Shape) && (g.DType == f.DType || f.Name == data.Y) {
			continue
		}
		if !ok {
			return fail(Data, "", "test data of %s: no field %q; there are %v", ps.name, f.Name, ps.test.Fields())
		}
		return fail(Data, "test data have the form of the training data", "test data of %s: samples hold %v, those of the training data %v", ps.name, g, f)
	}
	l, ok := m.Loss.(loss.SparseCategoricalCrossEntropy)
	if !ok || len(l.IgnoreClasses) > 0 || of == 0 || preparesAnswers(m) {
		return nil
	}
	row := 0
	for y, err := range data.Chunks(ctx, ps.test, data.Y, 0) {
		if err != nil {
			return coded(Data, err)
		}
		for i, v := range y.Float64s() {
			if !(v >= 0 && v < float64(of)) {
				return &Exit{Code: Data, Err: fmt.Errorf("test data of %s: %w", ps.name, &kun.LabelError{Row: row + i*y.Dim(0)/y.Len(), Label: v, Classes: of}), Hint: labelHint(of)}
			}
		}
		row += y.Dim(0)
	}
	return nil
}

// preparesAnswers reports whether a transform changes the labels.
func preparesAnswers(m *kun.Model) bool {
	return slices.ContainsFunc(m.Prepare, func(t prep.Transform) bool { return prep.FieldOf(t) == data.Y })
}

func labelHint(classes int) string {
	return fmt.Sprintf("end the model with a unit for every class (now %d), or correct the row", classes)
}
