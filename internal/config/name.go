package config

import (
	"reflect"
	"strings"
	"unicode"
)

// Key is the configuration's name of an exported Go name: NoBias is no_bias, L2 is l2, FromLogits is from_logits,
// LR is lr, CSVFile is csv_file, Beta1 is beta1.
func Key(name string) string {
	rs := []rune(name)
	var b strings.Builder
	for i, r := range rs {
		if unicode.IsUpper(r) && i > 0 {
			before, after := rs[i-1], rune(0)
			if i+1 < len(rs) {
				after = rs[i+1]
			}
			if unicode.IsLower(before) || unicode.IsDigit(before) && unicode.IsLower(after) ||
				unicode.IsUpper(before) && unicode.IsLower(after) {
				b.WriteByte('_')
			}
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

// fieldKey is the key of a struct field: the name in its json tag, or its Go name in snake case. ok is false for a
// field that is no configuration.
func fieldKey(f reflect.StructField) (key string, ok bool) {
	if !f.IsExported() {
		return "", false
	}
	tag, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	switch tag {
	case "-":
		return "", false
	case "":
		return Key(f.Name), true
	}
	return tag, true
}
