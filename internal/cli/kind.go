package cli

import (
	"math"
	"strconv"

	"github.com/kun-ml/kun"
	"github.com/kun-ml/kun/loss"
)

// kind is what the outputs of a model mean, told by its loss.
type kind struct {
	classes bool // one number per class or label, or one for two classes; else plain numbers
	logits  bool // before the softmax, or the sigmoid
	binary  bool // every number answers a question of its own with yes or no
	ignored []int
	names   []string
}

// labels reports whether outputs of that many numbers hold any number of labels at once, instead of one class.
func (k kind) labels(width int) bool { return k.binary && width > 1 }

// kindOf tells what the outputs of a model mean. A model with names of classes and no loss is taken to give probabilities.
func kindOf(m *kun.Model) kind {
	k := kind{names: m.Classes}
	switch l := m.Loss.(type) {
	case loss.SparseCategoricalCrossEntropy:
		k.classes, k.logits, k.ignored = true, l.FromLogits, l.IgnoreClasses
	case loss.CategoricalCrossEntropy:
		k.classes, k.logits = true, l.FromLogits
	case loss.BinaryCrossEntropy:
		k.classes, k.logits, k.binary = true, l.FromLogits, true
	case nil:
		k.classes = len(m.Classes) > 1
	}
	return k
}

// probabilities turns the output for one sample into a probability per class or label; nil when it has none. One number is that of
// the second of two classes.
func (k kind) probabilities(row []float64) []float64 {
	switch {
	case !k.classes || len(row) == 0:
		return nil
	case len(row) == 1:
		p := row[0]
		if k.logits {
			p = sigmoid(p)
		}
		return []float64{1 - p, p}
	case !k.logits:
		return row
	case k.labels(len(row)):
		out := make([]float64, len(row))
		for i, x := range row {
			out[i] = sigmoid(x)
		}
		return out
	}
	most, sum := math.Inf(-1), 0.
	for _, x := range row {
		most = max(most, x)
	}
	out := make([]float64, len(row))
	for i, x := range row {
		out[i] = math.Exp(x - most)
		sum += out[i]
	}
	for i := range out {
		out[i] /= sum
	}
	return out
}

func sigmoid(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

// name is the name of a class.
func (k kind) name(class int) string {
	if class < len(k.names) {
		return k.names[class]
	}
	return strconv.Itoa(class)
}

// best is the place of the largest number, the first of several.
func best(row []float64) int {
	b := 0
	for j, v := range row {
		if v > row[b] || math.IsNaN(row[b]) {
			b = j
		}
	}
	return b
}
