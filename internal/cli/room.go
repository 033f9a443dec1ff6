package cli

import (
	"context"
	"math"

	"github.com/kun-ml/kun"
	"github.com/kun-ml/kun/array"
	"github.com/kun-ml/kun/data"
	"github.com/kun-ml/kun/internal/cli/machine"
	"github.com/kun-ml/kun/internal/cli/term"
	"github.com/kun-ml/kun/loss"
	"github.com/kun-ml/kun/nn"
	"github.com/kun-ml/kun/tensor"
	"github.com/kun-ml/kun/train"
)

// What training a model keeps in memory, in bytes: for every parameter its value, its gradient and two numbers of the
// optimizer in float32; for the largest tensor also the float64 values that it is filled from.
const (
	bytesPerParameter = 16
	bytesToFill       = 8
)

// foresee traces the network of a run before any memory is taken for its weights, and tells how many classes it tells apart, 0
// when that is not known. Mistakes in shapes show here, and a new network that the machine cannot hold is refused.
func (p *plan) foresee(ctx context.Context, m *kun.Model, ps *parts, fresh bool) (classes int, err error) {
	x, ok := data.FieldOf(ps.train, data.X)
	if !ok {
		return 0, fail(Data, "", "%s: the data have no field %q", ps.name, data.X)
	}
	if fresh { // Model.Fit leaves what is fitted as it is
		if err := m.Prepare.Fit(ctx, ps.train); err != nil {
			return 0, p.locate(err)
		}
	}
	net := m.Net.(nn.Sequential)
	g, err := tensor.Trace(tensor.Options{Model: net}, func(ts []*tensor.Tensor) []*tensor.Tensor {
		return []*tensor.Tensor{net.Forward(m.Prepare.Apply(data.X, ts[0]))}
	}, train.Specs([]data.Field{x}, min(p.Train.BatchSize, ps.train.Len()))...)
	if err != nil {
		return 0, coded(Config, p.locate(err))
	}
	shape := g.Outs[0].Type().Shape
	if y, ok := data.FieldOf(ps.train, data.Y); ok && len(y.Shape) == 0 && len(shape) > 2 && classesOf(m.Loss, shape) > 0 && !preparesAnswers(m) {
		return 0, p.doc.Find("loss").Errorf(`put "- flatten" before the first dense layer of model`,
			"the model gives an array of shape %v for a sample; one answer for each is wanted", shape[1:])
	}
	if fresh {
		err = p.checkRoom(g)
	}
	return classesOf(m.Loss, shape), err
}

// classesOf is how many classes an output of that shape tells apart, 0 when it tells none.
func classesOf(l loss.Loss, shape array.Shape) int {
	width := 0
	if len(shape) > 1 {
		width = shape[len(shape)-1]
	}
	switch l.(type) {
	case loss.SparseCategoricalCrossEntropy, loss.CategoricalCrossEntropy:
		return width
	case loss.BinaryCrossEntropy:
		if width == 1 {
			return 2
		}
	}
	return 0
}

// checkRoom refuses a network that the machine cannot hold.
func (p *plan) checkRoom(g *tensor.Graph) error {
	all, most, where := 0., 0., ""
	for _, d := range g.Trace().Decls {
		n := 1.
		for _, dim := range d.Type.Shape {
			n *= float64(dim)
		}
		if all += n; n > most {
			most, where = n, d.Path
		}
	}
	need, have := bytesPerParameter*all+bytesToFill*most, machine.MemoryNow()
	limit := float64(have.Available)
	if limit == 0 {
		limit = float64(have.Total)
	}
	if limit == 0 {
		limit = math.MaxInt32 // where the system does not tell: what every machine can address
	}
	if need <= limit {
		return nil
	}
	hint := "make the layers smaller"
	if n := layerNode(p.doc.Get("model"), where); n != nil {
		return &Exit{Code: Resources, Err: n.Errorf(hint, "the model is too large: %.3g parameters, %.3g of them in layer %s; training takes about %s, %s of memory are free",
			all, most, where, sizeOf(need), sizeOf(limit))}
	}
	return fail(Resources, hint, "the model is too large: %.3g parameters; training takes about %s, %s of memory are free", all, sizeOf(need), sizeOf(limit))
}

func sizeOf(bytes float64) string { return term.Bytes(uint64(min(bytes, 1<<62))) }
