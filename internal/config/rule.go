package config

import (
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
)

// Rule says what a field demands beyond its type. In a struct of one's own it stands in the tag
// `config:"required,min=1,max=10,above=0,below=1,default=5"`; for another package's struct, see Rules.
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

// Rules gives fields of T, a struct of another package, their rules: Rules[nn.Dense](d, "Units", "required,min=1").
// It panics when T has no such field or the rule does not read: that is a mistake in the program.
func Rules[T any](d *Decoder, pairs ...string) {
	t := reflect.TypeFor[T]()
	for i := 0; i+1 < len(pairs); i += 2 {
		f, ok := t.FieldByName(pairs[i])
		if !ok {
			panic(fmt.Sprintf("config: %v has no field %s", t, pairs[i]))
		}
		r, err := parseRule(pairs[i+1])
		if err != nil {
			panic(err.Error())
		}
		d.rules[ruleKey{t, f.Name}] = r
	}
}

type ruleKey struct {
	t     reflect.Type
	field string
}
