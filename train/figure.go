package train

import (
	"encoding/json"
	"math"
	"strconv"

	"github.com/kun-ml/kun/metric"
	"github.com/kun-ml/kun/tensor"
)

// Figure is a number with its name, as logs and histories show it: "loss", "accuracy", "val_loss". In JSON, which knows
// no NaN and no infinities, null stands for a value that is not finite; it is read as NaN.
type Figure struct {
	Name  string
	Value float64
}

// figureJSON is a Figure in JSON.
type figureJSON struct {
	Name  string `json:"name"`
	Value number `json:"value"`
}

// MarshalJSON writes {"name": "loss", "value": 0.5}.
func (f Figure) MarshalJSON() ([]byte, error) {
	return json.Marshal(figureJSON{f.Name, number(f.Value)})
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (f *Figure) UnmarshalJSON(b []byte) error {
	var j figureJSON
	err := json.Unmarshal(b, &j)
	*f = Figure{j.Name, float64(j.Value)}
	return err
}

// number is a float64 that JSON holds as null where it is not finite.
type number float64

// MarshalJSON writes the number, or null.
func (n number) MarshalJSON() ([]byte, error) {
	if v := float64(n); v-v == 0 {
		return json.Marshal(v)
	}
	return []byte("null"), nil
}

// UnmarshalJSON reads null as NaN.
func (n *number) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		*n = number(math.NaN())
		return nil
	}
	return json.Unmarshal(b, (*float64)(n))
}

// exact is a float64 that JSON holds as a text, so that NaN and the infinities come back as they were.
type exact float64

// MarshalText writes the shortest text that reads back as the same number.
func (e exact) MarshalText() ([]byte, error) {
	return strconv.AppendFloat(nil, float64(e), 'g', -1, 64), nil
}

// UnmarshalText reads a number.
func (e *exact) UnmarshalText(b []byte) error {
	v, err := strconv.ParseFloat(string(b), 64)
	*e = exact(v)
	return err
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
