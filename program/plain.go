package program

import (
	"encoding"
	"encoding/base64"
	"fmt"
	"math"
	"reflect"
)

// plain turns an attribute into JSON's generic values: maps, lists, numbers, strings, truth values. Numbers that JSON lacks
// become the strings "inf", "-inf" and "nan".
func plain(v reflect.Value) (any, error) {
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return nil, nil
		}
		return plain(v.Elem())
	}
	if m, ok := v.Interface().(encoding.TextMarshaler); ok {
		b, err := m.MarshalText()
		return string(b), err
	}
	switch v.Kind() {
	case reflect.Struct:
		out := map[string]any{}
		for i := range v.NumField() {
			f := v.Type().Field(i)
			if !f.IsExported() {
				return nil, fmt.Errorf("field %s of %v is not exported", f.Name, v.Type())
			}
			p, err := plain(v.Field(i))
			if err != nil {
				return nil, err
			}
			out[f.Name] = p
		}
		return out, nil
	case reflect.Slice, reflect.Array:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return base64.StdEncoding.EncodeToString(v.Bytes()), nil
		}
		out := make([]any, v.Len())
		for i := range out {
			p, err := plain(v.Index(i))
			if err != nil {
				return nil, err
			}
			out[i] = p
		}
		return out, nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		if n := v.Int(); n > 1<<53 || n < -1<<53 {
			return nil, fmt.Errorf("number %d is too large for JSON", n)
		}
		return float64(v.Int()), nil
	case reflect.Float32, reflect.Float64:
		switch f := v.Float(); {
		case math.IsInf(f, 1):
			return "inf", nil
		case math.IsInf(f, -1):
			return "-inf", nil
		case f != f:
			return "nan", nil
		default:
			return f, nil
		}
	case reflect.Bool:
		return v.Bool(), nil
	case reflect.String:
		return v.String(), nil
	}
	return nil, fmt.Errorf("a value of type %v cannot be written", v.Type())
}

// maxList is the largest number of elements that a list of an attribute may have.
const maxList = 1 << 16

// unplain fills dst from generic values; every field must be there, none may be too many.
func unplain(dst reflect.Value, p any) error {
	if u, ok := dst.Addr().Interface().(encoding.TextUnmarshaler); ok {
		s, ok := p.(string)
		if !ok {
			return fmt.Errorf("want a string for %v, got %v", dst.Type(), p)
		}
		return u.UnmarshalText([]byte(s))
	}
	switch dst.Kind() {
	case reflect.Struct:
		m, ok := p.(map[string]any)
		if !ok || len(m) != dst.NumField() {
			return fmt.Errorf("attributes %v do not fit %v", p, dst.Type())
		}
		for i := range dst.NumField() {
			name := dst.Type().Field(i).Name
			q, ok := m[name]
			if !ok {
				return fmt.Errorf("attribute %s is missing", name)
			}
			if err := unplain(dst.Field(i), q); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
		return nil
	case reflect.Slice:
		if dst.Type().Elem().Kind() == reflect.Uint8 {
			s, _ := p.(string)
			b, err := base64.StdEncoding.DecodeString(s)
			dst.SetBytes(b)
			return err
		}
		l, ok := p.([]any)
		if !ok || len(l) > maxList {
			return fmt.Errorf("want a list, got %v", p)
		}
		dst.Set(reflect.MakeSlice(dst.Type(), len(l), len(l)))
		for i, q := range l {
			if err := unplain(dst.Index(i), q); err != nil {
				return err
			}
		}
		return nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		f, ok := p.(float64)
		if !ok || f != math.Trunc(f) || math.Abs(f) > 1<<53 || dst.OverflowInt(int64(f)) {
			return fmt.Errorf("want a whole number, got %v", p)
		}
		dst.SetInt(int64(f))
		return nil
	case reflect.Float32, reflect.Float64:
		switch p {
		case "inf":
			dst.SetFloat(math.Inf(1))
		case "-inf":
			dst.SetFloat(math.Inf(-1))
		case "nan":
			dst.SetFloat(math.NaN())
		default:
			f, ok := p.(float64)
			if !ok {
				return fmt.Errorf("want a number, got %v", p)
			}
			dst.SetFloat(f)
		}
		return nil
	case reflect.Bool:
		b, ok := p.(bool)
		if !ok {
			return fmt.Errorf("want true or false, got %v", p)
		}
		dst.SetBool(b)
		return nil
	case reflect.String:
		s, ok := p.(string)
		if !ok {
			return fmt.Errorf("want a string, got %v", p)
		}
		dst.SetString(s)
		return nil
	}
	return fmt.Errorf("a value of type %v cannot be read", dst.Type())
}
