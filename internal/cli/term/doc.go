// Package term writes for people: what the terminal can do, progress bars, tables, confusion matrices and small
// pictures, all right at 80 columns, and plain lines where there is no terminal.
//
//	s := term.NewScreen(os.Stderr, os.Getenv)
//	bar := term.NewBar(s, term.BarOptions{Epochs: 5, Batch: 32, Names: []string{"accuracy"}})
//	bar.Step(0, 100, 1875, loss, metrics) // as often as you like: draws every 50 ms, allocates nothing
//	bar.EndEpoch(term.Figures{Epoch: 0, Steps: 1875, Loss: 0.29, Metrics: []float64{0.915}})
//
// NO_COLOR, TERM=dumb and the locale are obeyed. Package term imports config/width only.
package term
