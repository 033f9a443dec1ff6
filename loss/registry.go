package loss

import "github.com/kun-ml/kun/nn"

// Losses are the types that Marshal and Unmarshal know.
var Losses = nn.NewRegistry[Loss]("loss", "loss")

func init() {
	Losses.Register("mean_squared_error", func() Loss { return MeanSquaredError{} })
	Losses.Register("mse", func() Loss { return MeanSquaredError{} })
	Losses.Register("mean_absolute_error", func() Loss { return MeanAbsoluteError{} })
	Losses.Register("mae", func() Loss { return MeanAbsoluteError{} })
	Losses.Register("huber", func() Loss { return Huber{} })
	Losses.Register("binary_crossentropy", func() Loss { return BinaryCrossEntropy{} })
	Losses.Register("categorical_crossentropy", func() Loss { return CategoricalCrossEntropy{} })
	Losses.Register("sparse_categorical_crossentropy", func() Loss { return SparseCategoricalCrossEntropy{} })
}

// Register makes a type of loss known under a name in snake case. make gives a fresh one with its defaults. Several names may
// make the same type: the first is the one that is written. It panics when the name is taken: registration happens at the
// program's start.
func Register(name string, make func() Loss) { Losses.Register(name, make) }

// Names lists the registered names, sorted.
func Names() []string { return Losses.Names() }

// Named gives the loss of that name with its defaults. An unknown name is an error that gives the nearest known one.
func Named(name string) (Loss, error) { return Losses.Make(name) }

// Name is the name under which the type of a loss was registered first, also of a loss held by pointer; "" when it was not.
func Name(l Loss) string { return Losses.NameOf(l) }

// Marshal writes the configuration of a loss as JSON, {"huber": {"delta": 0.5}}.
func Marshal(l Loss) ([]byte, error) { return Losses.Marshal(l) }

// Unmarshal makes a loss from what Marshal wrote, or from its name alone. Unknown names, unknown keys and wrong types are
// errors.
func Unmarshal(b []byte) (Loss, error) { return Losses.Unmarshal(b) }
