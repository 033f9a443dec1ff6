package train

import "github.com/kun-ml/kun/nn"

// Callbacks are the types that configurations know, by name: {"early_stopping": {"patience": 3}}.
var Callbacks = nn.NewRegistry[Callback]("train", "callback")

func init() {
	Callbacks.Register("early_stopping", func() Callback { return new(EarlyStopping) })
	Callbacks.Register("checkpoint", func() Callback { return new(Checkpoint) })
	Callbacks.Register("reduce_lr_on_plateau", func() Callback { return new(ReduceLROnPlateau) })
	Callbacks.Register("csv_log", func() Callback { return new(CSVLog) })
	Callbacks.Register("terminate_on_nan", func() Callback { return new(TerminateOnNaN) })
}
