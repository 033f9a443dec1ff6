package train

import (
	"github.com/kun-ml/kun/metric"
	"github.com/kun-ml/kun/tensor"
)

// Figure is a number with its name, as logs and histories show it: "loss", "accuracy", "val_loss".
type Figure struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"`
}

// figures reads the loss, the metrics and the reports from their totals.
func figures(vars map[string]*tensor.Var, ms []measured, reports []string) []Figure {
	out := []Figure{{"loss", meanOf("loss", vars)}}
	for _, m := range ms {
		out = append(out, Figure{m.metric.Name(), m.metric.Result(metric.ValuesOf(m.prefix, vars))})
	}
	for _, r := range reports {
		out = append(out, Figure{r, meanOf("report/"+r, vars)})
	}
	return out
}

// resetTotals sets all variables of role Total to zero.
func resetTotals(vars map[string]*tensor.Var) {
	for _, v := range vars {
		if v.Role == tensor.Total {
			clear(v.Value.Bytes())
			v.Touch()
		}
	}
}
