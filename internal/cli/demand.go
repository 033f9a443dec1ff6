package cli

import (
	"strconv"
	"strings"

	"github.com/kun-ml/kun/internal/config"
)

// demand is such as accuracy>=0.97.
type demand struct {
	text, name, op string
	limit          float64
}

// parseDemand reads a demand.
func parseDemand(text string) (demand, error) {
	for _, op := range []string{">=", "<=", ">", "<"} {
		name, number, ok := strings.Cut(text, op)
		if !ok {
			continue
		}
		limit, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
		name = strings.TrimSpace(name)
		if err != nil || name == "" || limit != limit {
			break
		}
		return demand{text, name, op, limit}, nil
	}
	return demand{}, fail(Usage, "write a figure, >= or <=, and a number: 'accuracy>=0.97'", "cannot read --require %q", text)
}

// check is an error when the figures do not meet the demand.
func (d demand) check(figures map[string]number) error {
	n, ok := figures[d.name]
	if !ok {
		var names []string
		for f := range figures {
			names = append(names, f)
		}
		return fail(Usage, config.DidYouMean(d.name, names), "--require %s: the model has no figure %q", d.text, d.name)
	}
	v := float64(n)
	if d.op == ">=" && v >= d.limit || d.op == "<=" && v <= d.limit || d.op == ">" && v > d.limit || d.op == "<" && v < d.limit {
		return nil
	}
	return fail(Missed, "", "required %s, but it is %v", d.text, v)
}
