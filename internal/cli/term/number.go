package term

import (
	"math"
	"strconv"
	"time"
)

// appendFigure writes a loss or a metric as Keras does: four decimals above 0.001, else in powers of ten.
func appendFigure(b []byte, x float64) []byte {
	if a := math.Abs(x); a > 1e-3 && a < 1e6 || x == 0 {
		return strconv.AppendFloat(b, x, 'f', 4, 64)
	}
	return strconv.AppendFloat(b, x, 'e', 4, 64)
}

// Figure is a loss or a metric as Keras writes it: 0.0720, 3.1400e-05.
func Figure(x float64) string { return string(appendFigure(nil, x)) }

// appendClock writes a duration for a person: 4s, 1:05, 2:03:09.
func appendClock(b []byte, d time.Duration) []byte {
	s := int64(d.Round(time.Second) / time.Second)
	if s < 60 {
		return append(strconv.AppendInt(b, s, 10), 's')
	}
	if s >= 3600 {
		b = append(strconv.AppendInt(b, s/3600, 10), ':')
		b = append2(b, s%3600/60)
	} else {
		b = strconv.AppendInt(b, s/60, 10)
	}
	return append2(append(b, ':'), s%60)
}

func append2(b []byte, n int64) []byte {
	return append(b, byte('0'+n/10%10), byte('0'+n%10))
}

// appendPerStep writes the time of one step: 85us/step, 1.2ms/step, 25ms/step, 3s/step.
func appendPerStep(b []byte, d time.Duration) []byte {
	us := float64(d) / 1e3
	switch {
	case us < 1e3:
		b = append(strconv.AppendFloat(b, us, 'f', 0, 64), "us"...)
	case us < 1e4:
		b = append(strconv.AppendFloat(b, us/1e3, 'f', 1, 64), "ms"...)
	case us < 1e6:
		b = append(strconv.AppendFloat(b, us/1e3, 'f', 0, 64), "ms"...)
	default:
		b = append(strconv.AppendFloat(b, us/1e6, 'f', 1, 64), 's')
	}
	return append(b, "/step"...)
}

// appendShort writes a count in at most five characters: 950, 12.3k, 4.5M.
func appendShort(b []byte, x float64) []byte {
	unit := byte(0)
	for _, u := range []byte("kMGT") {
		if math.Abs(x) < 999.5 {
			break
		}
		x, unit = x/1000, u
	}
	prec := 0
	if unit != 0 && math.Abs(x) < 99.95 {
		prec = 1
	}
	b = strconv.AppendFloat(b, x, 'f', prec, 64)
	if unit != 0 {
		b = append(b, unit)
	}
	return b
}

// Bytes is a size in powers of 1024 with two decimals: 397.54 KB.
func Bytes(n uint64) string {
	if n < 1024 {
		return strconv.FormatUint(n, 10) + " B"
	}
	x, i := float64(n), -1
	for x >= 1024 && i < 4 {
		x, i = x/1024, i+1
	}
	return strconv.FormatFloat(x, 'f', 2, 64) + " " + []string{"KB", "MB", "GB", "TB", "PB"}[i]
}

// Thousands writes a count with commas: 101,770.
func Thousands(n int64) string {
	s := strconv.FormatInt(n, 10)
	sign := ""
	if n < 0 {
		sign, s = "-", s[1:]
	}
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return sign + s
}
