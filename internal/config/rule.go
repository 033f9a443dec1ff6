package config

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Rule says what a field demands beyond its type. It stands in the field's tag
// `config:"required,min=1,max=10,above=0,below=1,default=5"`.
type Rule struct {
	Required bool
	Min      float64 // -Inf: none
	Max      float64 // +Inf: none
	Above    float64 // the value must be greater; -Inf: none
	Below    float64 // the value must be smaller; +Inf: none
	Default  string  // YAML; empty: the Go zero value
}

func parseRule(tag string) (Rule, error) {
	inf := math.Inf(1)
	r := Rule{Min: -inf, Max: inf, Above: -inf, Below: inf}
	if tag == "" {
		return r, nil
	}
	for part := range strings.SplitSeq(tag, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		var err error
		switch name {
		case "required":
			r.Required = true
		case "min":
			r.Min, err = parseFloat(value)
		case "max":
			r.Max, err = parseFloat(value)
		case "above":
			r.Above, err = parseFloat(value)
		case "below":
			r.Below, err = parseFloat(value)
		case "default":
			r.Default = value
		default:
			err = fmt.Errorf("unknown word %q", name)
		}
		if err != nil {
			return r, fmt.Errorf("config: rule %q: %w", tag, err)
		}
	}
	return r, nil
}

// broken says how a number breaks the rule, or "".
func (r Rule) broken(f float64) string {
	num := func(f float64) string { return strconv.FormatFloat(f, 'g', -1, 64) }
	switch {
	case f < r.Min && r.Max < math.Inf(1), f > r.Max && r.Min > math.Inf(-1):
		return "must lie between " + num(r.Min) + " and " + num(r.Max)
	case f < r.Min:
		return "must be at least " + num(r.Min)
	case f > r.Max:
		return "must be at most " + num(r.Max)
	case f <= r.Above:
		return "must be above " + num(r.Above)
	case f >= r.Below:
		return "must be below " + num(r.Below)
	}
	return ""
}
