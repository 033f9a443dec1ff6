package cpu_test

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/kun-ml/kun/array"
	"github.com/kun-ml/kun/device/cpu"
	"github.com/kun-ml/kun/device/ref"
	"github.com/kun-ml/kun/internal/rng"
	"github.com/kun-ml/kun/program"
	"github.com/kun-ml/kun/tensor"
)

// list is short for a list of tensors.
func list(ts ...*tensor.Tensor) []*tensor.Tensor { return ts }

// cell is one step of a recurrence that a loop captures w for.
func cell(w *tensor.Tensor) func(x, s []*tensor.Tensor) (next, ys []*tensor.Tensor) {
	return func(x, s []*tensor.Tensor) (next, ys []*tensor.Tensor) {
		h := x[0].Add(s[0].MatMul(w)).Tanh()
		return list(h), list(h.Mul(x[0]))
	}
}

// scans are losses of xs (5,3,4), h (3,4) and w (4,4) whose loops are made in different ways.
var scans = map[string]func(t *testing.T, xs, h, w *tensor.Tensor) *tensor.Tensor{
	"plain": func(t *testing.T, xs, h, w *tensor.Tensor) *tensor.Tensor {
		last, ys := tensor.Scan(list(xs), list(h), cell(w))
		return last[0].Square().Sum().Add(ys[0].Sin().Sum())
	},
	"reversed, from a file": func(t *testing.T, xs, h, w *tensor.Tensor) *tensor.Tensor {
		g := reversedLoop(t, xs.DType())
		before := program.Dump(g)
		out := tensor.Inline(g, xs, h, w)
		loss := out[0].Square().Sum().Add(out[1].Sin().Sum())
		tensor.Grad(loss, xs, w)
		if program.Dump(g) != before {
			t.Error("inlining changes the program")
		}
		return loss
	},
	"second order": func(t *testing.T, xs, h, w *tensor.Tensor) *tensor.Tensor {
		last, ys := tensor.Scan(list(xs), list(h), cell(w))
		loss := last[0].Square().Sum().Add(ys[0].Sin().Sum())
		d := tensor.Grad(loss, xs, h, w)
		return d[0].Square().Sum().Add(d[1].Sin().Sum()).Add(d[2].Square().Sum())
	},
	"nested": func(t *testing.T, xs, h, w *tensor.Tensor) *tensor.Tensor {
		last, _ := tensor.Scan(list(xs), list(h), func(x, s []*tensor.Tensor) (next, ys []*tensor.Tensor) {
			in, rows := tensor.Scan(list(x[0]), list(s[0].Sum(0)), func(row, c []*tensor.Tensor) (next, ys []*tensor.Tensor) {
				n := row[0].Mul(c[0]).Sin().Add(w.Sum(0))
				return list(n), list(n.Mul(row[0]))
			})
			return list(rows[0].Add(in[0]).Tanh()), nil
		})
		return last[0].Square().Sum()
	},
	"empty": func(t *testing.T, xs, h, w *tensor.Tensor) *tensor.Tensor {
		last, ys := tensor.Scan(list(xs.Slice(0, 0, 0)), list(h), cell(w))
		return last[0].Square().Sum().Add(ys[0].Sum())
	},
	"whole numbers and truth values": func(t *testing.T, xs, h, w *tensor.Tensor) *tensor.Tensor {
		count, odd := tensor.FullOf(xs, array.Int32, 1, 3, 4), tensor.FullOf(xs, array.Bool, 0, 3, 4)
		last, ys := tensor.Scan(list(xs), list(count, h, odd), func(x, s []*tensor.Tensor) (next, ys []*tensor.Tensor) {
			n := tensor.Where(s[2], s[1].Mul(x[0]), s[1].Add(x[0]).Sin()).MatMul(w)
			return list(s[0].Add(s[0]), n, s[2].Not()), list(n.Mul(s[0].Cast(n.DType())), s[2])
		})
		return last[1].Square().Sum().Add(ys[0].Sum()).Add(last[0].Cast(h.DType()).Sum())
	},
	"random numbers inside": func(t *testing.T, xs, h, w *tensor.Tensor) *tensor.Tensor {
		last, _ := tensor.Scan(list(xs), list(h), func(x, s []*tensor.Tensor) (next, ys []*tensor.Tensor) {
			n := s[0].MaskScale(s[0].RandomBernoulli(0.7, 3, 4), 1/0.7).MatMul(w)
			return list(n.Add(x[0].Mul(x[0].RandomUniform(0.5, 1.5, 3, 4))).Tanh()), nil
		})
		return last[0].Square().Sum()
	},
}

// reversedLoop is the program of a loop that runs from the end, which the tracer makes only for gradients.
func reversedLoop(t *testing.T, d array.DType) *tensor.Graph {
	t.Helper()
	p, err := program.Generalise(func(int) (*tensor.Graph, error) {
		return tensor.Trace(tensor.Options{}, func(in []*tensor.Tensor) []*tensor.Tensor {
			last, ys := tensor.Scan(in[:1], in[1:2], cell(in[2]))
			return list(last[0], ys[0])
		}, scanSpecs(d)...)
	})
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	var q program.Poly
	if err := json.Unmarshal([]byte(strings.Replace(string(b), `"Reverse":false`, `"Reverse":true`, 1)), &q); err != nil {
		t.Fatal(err)
	}
	g, err := q.Bind(1)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func scanSpecs(d array.DType) []tensor.Spec {
	return []tensor.Spec{{DType: d, Shape: array.Shape{5, 3, 4}}, {DType: d, Shape: array.Shape{3, 4}}, {DType: d, Shape: array.Shape{4, 4}}}
}

// TestScan_GradientsMatchDifferences compares the gradients of loops, on both devices, with central differences in a
// random direction, in float64.
func TestScan_GradientsMatchDifferences(t *testing.T) {
	const h, tol = 1e-5, 1e-6 // the truncation error is h*h, the rounding error 1e-16/h
	d := cpu.New(cpu.Options{Threads: 2})
	defer d.Close()
	for name, f := range scans {
		t.Run(name, func(t *testing.T) {
			specs := scanSpecs(array.Float64)
			g, err := tensor.Trace(tensor.Options{}, func(in []*tensor.Tensor) []*tensor.Tensor {
				loss := f(t, in[0], in[1], in[2])
				return append(list(loss), tensor.Grad(loss, in...)...)
			}, specs...)
			if err != nil {
				t.Fatal(err)
			}
			at := func(step float64) (in []*array.Array, dir [][]float64) {
				r := rng.New(1, name)
				for _, s := range specs {
					v, u := make([]float64, s.Shape.Size()), make([]float64, s.Shape.Size())
					for i := range v {
						v[i], u[i] = r.Normal()*0.5, r.Normal()
						v[i] += step * u[i]
					}
					in, dir = append(in, array.From(v, s.Shape...)), append(dir, u)
				}
				return in, dir
			}
			loss := func(step float64) float64 {
				in, _ := at(step)
				return run(t, ref.New(), g, in)[0].Float64s()[0]
			}
			want := (loss(h) - loss(-h)) / (2 * h)
			in, dir := at(0)
			for device, out := range map[string][]*array.Array{"ref": run(t, ref.New(), g, in), "cpu": run(t, d, program.Optimize(g), in)} {
				got, scale := 0.0, 1.0
				for i, u := range dir {
					for j, x := range out[1+i].Float64s() {
						got += x * u[j]
						scale += math.Abs(x * u[j])
					}
				}
				if !(math.Abs(got-want) <= tol*scale) {
					t.Errorf("%s: the gradient along a direction is %v, by differences %v", device, got, want)
				}
			}
		})
	}
}
