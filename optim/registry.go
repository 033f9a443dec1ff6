package optim

import "github.com/kun-ml/kun/nn"

// Optimizers and Schedules are the types that Marshal and Unmarshal know. Register types of one's own at the program's
// start.
var (
	Optimizers = nn.NewRegistry[Optimizer]("optim", "optimizer")
	Schedules  = nn.NewRegistry[Schedule]("optim", "schedule")
)

func init() {
	Optimizers.Register("sgd", func() Optimizer { return SGD{} })
	Optimizers.Register("rmsprop", func() Optimizer { return RMSprop{} })
	Optimizers.Register("adam", func() Optimizer { return Adam{} })
	Optimizers.Register("adamw", func() Optimizer { return AdamW{} })

	Schedules.Register("constant", func() Schedule { return Constant{} })
	Schedules.Register("exponential", func() Schedule { return Exponential{} })
	Schedules.Register("cosine", func() Schedule { return Cosine{} })
}

// Marshal writes the configuration of an optimizer as JSON, {"adam": {"learning_rate": 0.01}}.
func Marshal(o Optimizer) ([]byte, error) { return Optimizers.Marshal(o) }

// Unmarshal makes an optimizer from what Marshal wrote, or from its name alone. It is strict.
func Unmarshal(b []byte) (Optimizer, error) { return Optimizers.Unmarshal(b) }

// Named gives the optimizer of that name with its defaults: "adam", "adamw", "sgd", "rmsprop". An unknown name is an error
// that gives the nearest known one.
func Named(name string) (Optimizer, error) { return Optimizers.Make(name) }
