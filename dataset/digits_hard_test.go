package dataset

import (
	"math"
	"testing"

	"github.com/kun-ml/kun/internal/rng"
)

// TestDigits_LinearModelIsNotEnough trains softmax regression (Adam, batch 32) on the set and demands that it learns and
// that it stays below 0.93: the digits are a problem that needs a hidden layer.
func TestDigits_LinearModelIsNotEnough(t *testing.T) {
	x, y := digitsFor(t, 0, "train", 10000)
	testX, testY := digitsFor(t, 0, "test", 2000)
	var m linear
	order := rng.New(1, "order")
	for range 6 {
		p := order.Perm(len(y))
		for i := 0; i+32 <= len(p); i += 32 {
			m.step(x, y, p[i:i+32])
		}
	}
	right := 0
	for i, label := range testY {
		if m.class(testX[i*784:][:784]) == int(label) {
			right++
		}
	}
	acc := float64(right) / float64(len(testY))
	t.Logf("accuracy %.4f", acc)
	if acc < 0.80 || acc >= 0.93 {
		t.Errorf("a linear model has accuracy %.4f, want between 0.80 and 0.93", acc)
	}
}

// linear is softmax regression with Adam. The last row of each array is the bias.
type linear struct {
	w, m, v, g [785][10]float32
	t          float64
}

// scores is what the classes get for an image.
func (l *linear) scores(img []byte) (z [10]float32) {
	z = l.w[784]
	for j, p := range img {
		if p == 0 {
			continue
		}
		v := float32(p) / 255
		for k := range z {
			z[k] += v * l.w[j][k]
		}
	}
	return z
}

func (l *linear) class(img []byte) int {
	best, z := 0, l.scores(img)
	for k := range z {
		if z[k] > z[best] {
			best = k
		}
	}
	return best
}

// step is one update on a batch.
func (l *linear) step(x, y []byte, rows []int) {
	l.g = [785][10]float32{}
	for _, r := range rows {
		img := x[r*784:][:784]
		z := l.scores(img)
		sum := 0.0
		for k := range z {
			z[k] = float32(math.Exp(float64(z[k])))
			sum += float64(z[k])
		}
		for k := range z {
			z[k] /= float32(sum) * float32(len(rows))
		}
		z[y[r]] -= 1 / float32(len(rows))
		for j, p := range img {
			if p == 0 {
				continue
			}
			v := float32(p) / 255
			for k := range z {
				l.g[j][k] += v * z[k]
			}
		}
		for k := range z {
			l.g[784][k] += z[k]
		}
	}
	l.t++
	rate := float32(0.001 * math.Sqrt(1-math.Pow(0.999, l.t)) / (1 - math.Pow(0.9, l.t)))
	for j := range l.w {
		for k := range l.w[j] {
			g := l.g[j][k]
			l.m[j][k] += 0.1 * (g - l.m[j][k])
			l.v[j][k] += 0.001 * (g*g - l.v[j][k])
			l.w[j][k] -= rate * l.m[j][k] / (float32(math.Sqrt(float64(l.v[j][k]))) + 1e-7)
		}
	}
}
