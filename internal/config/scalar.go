package config

import (
	"errors"
	"math"
	"strconv"
	"strings"
)

var errNumber = errors.New("not a number")

// parseFloat reads a decimal number or a fraction of two ("1/255"). Infinities and NaN are refused.
func parseFloat(s string) (float64, error) {
	if a, b, ok := strings.Cut(s, "/"); ok {
		x, err := parseFloat(strings.TrimSpace(a))
		if err != nil {
			return 0, err
		}
		y, err := plainFloat(strings.TrimSpace(b))
		if err != nil {
			return 0, err
		}
		if y == 0 {
			return 0, errors.New("divides by zero")
		}
		return finite(x / y)
	}
	return plainFloat(s)
}

func plainFloat(s string) (float64, error) {
	s, ok := underscores(s)
	if !ok || s == "" || !strings.ContainsAny(s, "0123456789") || strings.ContainsAny(s, "xXpPnN") {
		return 0, errNumber
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return 0, errNumber
	}
	return finite(f)
}

func finite(f float64) (float64, error) {
	if math.IsInf(f, 0) || math.IsNaN(f) {
		return 0, errors.New("is too large")
	}
	return f, nil
}

// parseInt reads a whole number: 128, 60_000 or 1e4.
func parseInt(s string) (int64, error) {
	t, ok := underscores(s)
	if !ok {
		return 0, errNumber
	}
	if i, err := strconv.ParseInt(t, 10, 64); err == nil {
		return i, nil
	} else if errors.Is(err, strconv.ErrRange) {
		return 0, errors.New("is too large")
	}
	f, err := plainFloat(t)
	if err != nil {
		return 0, errNumber
	}
	if f != math.Trunc(f) {
		return 0, errors.New("is not whole")
	}
	if math.Abs(f) > 1<<53 {
		return 0, errors.New("is too large")
	}
	return int64(f), nil
}

// parseUint is parseInt for numbers up to 2^64-1, as seeds are.
func parseUint(s string) (uint64, error) {
	if t, ok := underscores(s); ok {
		if u, err := strconv.ParseUint(t, 10, 64); err == nil {
			return u, nil
		}
	}
	i, err := parseInt(s)
	if err != nil {
		return 0, err
	}
	if i < 0 {
		return 0, errors.New("is negative")
	}
	return uint64(i), nil
}

// underscores takes out the underscores between digits.
func underscores(s string) (string, bool) {
	if !strings.Contains(s, "_") {
		return s, true
	}
	digit := func(i int) bool { return i >= 0 && i < len(s) && s[i] >= '0' && s[i] <= '9' }
	for i := range len(s) {
		if s[i] == '_' && (!digit(i-1) || !digit(i+1)) {
			return s, false
		}
	}
	return strings.ReplaceAll(s, "_", ""), true
}
