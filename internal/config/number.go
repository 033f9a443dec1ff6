package config

import (
	"errors"
	"reflect"
	"strings"
)

// scalar decodes text, a truth value or a number, and checks the rule of its field.
func (w *walk) scalar(n *Node, v reflect.Value, path, name string, f field) {
	want := wanted(v.Kind())
	if want == "" {
		w.fail(n.at("", "%s cannot be set in a configuration", name))
		return
	}
	if n.Kind != Scalar || n.Quoted && v.Kind() != reflect.String {
		hint := ""
		if n.Kind == Scalar {
			if _, err := parseFloat(n.Text); err == nil {
				hint = "leave the quotes out"
			}
		}
		w.fail(n.at(hint, "%s wants %s, found %s", name, want, found(n)))
		return
	}
	wrong := func(err error) {
		hint := ""
		if errors.Is(err, errNumber) {
			if strings.Contains(n.Text, ",") {
				hint = "write the decimal point as ."
			}
			w.fail(n.at(hint, "%s wants %s, found %s", name, want, found(n)))
			return
		}
		w.fail(n.at("", "%s wants %s; %s %v", name, want, shorten(n.Text), err))
	}
	var number float64
	switch v.Kind() {
	case reflect.String:
		v.SetString(n.Text)
		return
	case reflect.Bool:
		if n.Text != "true" && n.Text != "false" {
			w.fail(n.at(yesNo(n.Text), "%s wants %s, found %s", name, want, found(n)))
		}
		v.SetBool(n.Text == "true")
		return
	case reflect.Float32, reflect.Float64:
		x, err := parseFloat(n.Text)
		if err == nil && v.OverflowFloat(x) {
			err = errors.New("is too large")
		}
		if err != nil {
			wrong(err)
			return
		}
		number = x
		if x == 0 && w.d.Zero != nil && n.Src != nil && n.Src.Layer != Default {
			if z, ok := w.d.Zero(path, f.f); ok {
				x = z
			}
		}
		v.SetFloat(x)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		x, err := parseUint(n.Text)
		if err == nil && v.OverflowUint(x) {
			err = errors.New("is too large")
		}
		if err != nil {
			wrong(err)
			return
		}
		v.SetUint(x)
		number = float64(x)
	default:
		x, err := parseInt(n.Text)
		if err == nil && v.OverflowInt(x) {
			err = errors.New("is too large")
		}
		if err != nil {
			wrong(err)
			return
		}
		v.SetInt(x)
		number = float64(x)
	}
	if s := f.rule.broken(number); s != "" {
		w.fail(n.at("", "%s is %s; it %s", name, shorten(n.Text), s))
	}
}

func wanted(k reflect.Kind) string {
	switch k {
	case reflect.String:
		return "a text"
	case reflect.Bool:
		return "true or false"
	case reflect.Float32, reflect.Float64:
		return "a number"
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return "a whole number"
	}
	return ""
}

func yesNo(s string) string {
	switch strings.ToLower(s) {
	case "yes", "on", "1", "y", "true", "t":
		return "write true"
	case "no", "off", "0", "n", "false", "f":
		return "write false"
	}
	return ""
}
