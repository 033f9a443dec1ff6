package cli

import (
	"reflect"

	"github.com/kun-ml/kun/internal/config"
	"github.com/kun-ml/kun/loss"
	"github.com/kun-ml/kun/metric"
	"github.com/kun-ml/kun/nn"
	"github.com/kun-ml/kun/optim"
	"github.com/kun-ml/kun/prep"
	"github.com/kun-ml/kun/tensor"
	"github.com/kun-ml/kun/train"
)

// newDecoder knows every registered layer, loss, optimizer, schedule, metric, transform, callback, initialiser and
// regulariser, with all their settings.
func newDecoder() *config.Decoder {
	d := config.NewDecoder()
	config.Variants(d, "layer", variants(nn.Layers.Names(), nn.Layers.Make))
	config.Variants(d, "initialiser", variants(nn.Initializers.Names(), nn.Initializers.Make))
	config.Variants(d, "regulariser", variants(nn.Regularizers.Names(), nn.Regularizers.Make))
	config.Variants(d, "loss", variants(loss.Names(), loss.Named))
	config.Variants(d, "optimizer", variants(optim.Optimizers.Names(), optim.Optimizers.Make))
	config.Variants(d, "schedule", variants(optim.Schedules.Names(), optim.Schedules.Make))
	config.Variants(d, "metric", variants(metric.Metrics.Names(), metric.Metrics.Make))
	config.Variants(d, "transform", variants(prep.Transforms.Names(), prep.Transforms.Make))
	config.Variants(d, "callback", variants(train.Callbacks.Names(), train.Callbacks.Make))
	config.Enum(d, "activation", named[nn.Activation](nn.Activations())...)
	config.Enum(d, "mode", train.Min, train.Max)
	config.Enum(d, "data source", named[source](sources())...)
	config.Enum(d, "rule for missing values", refuse, drop)
	holder := reflect.TypeFor[tensor.Holder]()
	d.Skip = func(t reflect.Type) bool { return reflect.PointerTo(t).Implements(holder) }
	d.Zero = func(_ string, f reflect.StructField) (float64, bool) {
		_, has := f.Tag.Lookup("default")
		return nn.Zero, has
	}
	return d
}

// variants turns a registry's names and constructor into what configurations take.
func variants[T any](names []string, get func(name string) (T, error)) config.Registry[T] {
	r := config.Registry[T]{}
	for _, n := range names {
		r[n] = func() T {
			v, err := get(n)
			if err != nil {
				panic(err) // a name that the registry has just given
			}
			return v
		}
	}
	return r
}

func named[T ~string](names []string) []T {
	out := make([]T, len(names))
	for i, n := range names {
		out[i] = T(n)
	}
	return out
}
