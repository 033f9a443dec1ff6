package cli

import (
	"context"
	"math"

	"github.com/kun-ml/kun/data"
	"github.com/kun-ml/kun/internal/cli/machine"
	"github.com/kun-ml/kun/internal/cli/term"
	"github.com/kun-ml/kun/nn"
	"github.com/kun-ml/kun/prep"
	"github.com/kun-ml/kun/tensor"
	"github.com/kun-ml/kun/train"
)

// What training a model keeps in memory, in bytes: for every parameter its value, its gradient and two numbers of the
// optimizer in float32; for the largest tensor also the float64 values that it is filled from.
const (
	bytesPerParameter = 16
	bytesToFill       = 8
)

// checkRoom traces the network of a configuration, before any memory is taken for its weights, and refuses one that the
// machine cannot hold. Mistakes in shapes show here, too.
func (p *plan) checkRoom(ctx context.Context, ps *parts) error {
	x, ok := data.FieldOf(ps.train, data.X)
	if !ok {
		return fail(Data, "", "%s: the data have no field %q", ps.name, data.X)
	}
	net, prepare := nn.Sequential(p.Model), prep.Pipeline(p.Prepare)
	if err := prepare.Fit(ctx, ps.train); err != nil { // Model.Fit leaves what is fitted as it is
		return p.locate(err)
	}
	g, err := tensor.Trace(tensor.Options{Model: net}, func(ts []*tensor.Tensor) []*tensor.Tensor {
		return []*tensor.Tensor{net.Forward(prepare.Apply(data.X, ts[0]))}
	}, train.Specs([]data.Field{x}, min(p.Train.BatchSize, ps.train.Len()))...)
	if err != nil {
		return coded(Config, p.locate(err))
	}
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
