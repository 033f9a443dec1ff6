package kernel

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/kun-ml/kun/internal/cpu"
)

const benchLen = 4096

// BenchmarkTile runs each op at each level; numbers are of ordinary size.
func BenchmarkTile(b *testing.B) {
	r := rand.New(rand.NewPCG(7, 8))
	for _, op := range TileNames() {
		var ms []*memory
		for _, kind := range form(op) {
			m := newMemory(benchLen, sizeOf(byte(kind)), 0)
			fill(r, m, byte(kind))
			if kind == 'f' {
				ordinary(r, m)
			}
			ms = append(ms, m)
		}
		for _, level := range cpu.Levels() {
			t := TileOf(op, level)
			b.Run(fmt.Sprintf("%s/%v", op, level), func(b *testing.B) {
				b.ReportAllocs()
				s := &Scalars{0.7, 1.3}
				for b.Loop() {
					run(t, ms, s)
				}
				perElement(b, benchLen)
			})
		}
	}
}

func ordinary(r *rand.Rand, m *memory) {
	for i := range m.floats() {
		m.floats()[i] = float32(r.NormFloat64())
	}
}

func perElement(b *testing.B, n int) {
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/element")
}

// BenchmarkRows runs each kernel of rows at each level, on short and long rows.
func BenchmarkRows(b *testing.B) {
	r := rand.New(rand.NewPCG(7, 8))
	for _, c := range rowCases {
		for _, n := range []int{10, 128, benchLen} {
			var ms []*memory
			for range c.args {
				ms = append(ms, newMemory(n, 4, 0))
				ordinary(r, ms[len(ms)-1])
			}
			for _, level := range cpu.Levels() {
				k := RowsOf(level)
				b.Run(fmt.Sprintf("%s/%d/%v", c.name, n, level), func(b *testing.B) {
					b.ReportAllocs()
					for b.Loop() {
						c.run(k, ms, n)
					}
					perElement(b, n)
				})
			}
		}
	}
}

// BenchmarkCast runs each pair of types at each level.
func BenchmarkCast(b *testing.B) {
	r := rand.New(rand.NewPCG(7, 8))
	for dst := range numTypes {
		for src := range numTypes {
			from, to := newMemory(benchLen, src.Size(), 0), newMemory(benchLen, dst.Size(), 0)
			someElements(r, from, src)
			for _, level := range cpu.Levels() {
				f := CastOf(dst, src, level)
				b.Run(fmt.Sprintf("%v_to_%v/%v", arrayTypes[src], arrayTypes[dst], level), func(b *testing.B) {
					for b.Loop() {
						f(to.at(), from.at(), benchLen)
					}
					perElement(b, benchLen)
				})
			}
		}
	}
}

// BenchmarkRandom makes masks and uniform numbers at each level.
func BenchmarkRandom(b *testing.B) {
	m := newMemory(benchLen, 4, 0)
	for _, level := range cpu.Levels() {
		b.Run(fmt.Sprintf("Bernoulli/%v", level), func(b *testing.B) {
			for b.Loop() {
				Bernoulli(level, m.at(), 0, benchLen, 1, 2, 1<<31)
			}
			perElement(b, benchLen)
		})
		b.Run(fmt.Sprintf("Uniform/%v", level), func(b *testing.B) {
			for b.Loop() {
				Uniform(level, m.at(), 0, benchLen, 1, 2)
			}
			perElement(b, benchLen)
		})
	}
}
