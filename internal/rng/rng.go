// Package rng gives counter-based random numbers (Philox4x32-10, Salmon et al. 2011, doi:10.1145/2063384.2063405).
//
// A number is a function of (key, step, element) alone, so any cut of the work over threads or tiles gives the same
// numbers. Keys are derived from a seed and a name, so the order in which parts of a program are made never matters.
package rng

import "math"

const (
	m0, m1 = 0xD2511F53, 0xCD9E8D57
	w0, w1 = 0x9E3779B9, 0xBB67AE85
)

// Block is the four 32-bit numbers of block index at step under key.
// The counter is (index low, index high, step low, step high), the key (low, high).
func Block(key, step, index uint64) [4]uint32 {
	c0, c1, c2, c3 := uint32(index), uint32(index>>32), uint32(step), uint32(step>>32)
	k0, k1 := uint32(key), uint32(key>>32)
	for range 10 {
		p0, p1 := m0*uint64(c0), m1*uint64(c2)
		c0, c1, c2, c3 = uint32(p1>>32)^c1^k0, uint32(p1), uint32(p0>>32)^c3^k1, uint32(p0)
		k0 += w0
		k1 += w1
	}
	return [4]uint32{c0, c1, c2, c3}
}

// Uint32 is element i of the stream: lane i%4 of block i/4.
func Uint32(key, step uint64, i int) uint32 { return Block(key, step, uint64(i)/4)[i&3] }

// Uniform maps 32 random bits to [0, 1): 24 bits, so that every value is exact in float32.
func Uniform(u uint32) float64 { return float64(u>>8) * (1.0 / (1 << 24)) }

// NormalPair maps two 32-bit numbers to two independent standard normal numbers (Box and Muller 1958).
func NormalPair(u, v uint32) (float64, float64) {
	r := math.Sqrt(-2 * math.Log((float64(u>>8)+1)*(1.0/(1<<24))))
	s, c := math.Sincos(2 * math.Pi * Uniform(v))
	return r * c, r * s
}

// Normal is element i of a stream of standard normal numbers: elements 2j and 2j+1 come from 32-bit elements 2j and 2j+1.
func Normal(key, step uint64, i int) float64 {
	b := Block(key, step, uint64(i)/4)
	l := i & 2
	c, s := NormalPair(b[l], b[l+1])
	if i&1 == 0 {
		return c
	}
	return s
}

// Key derives the key of the stream named by path from a seed; draw counts the streams of one path.
func Key(seed uint64, path string, draw int) uint64 {
	h := uint64(14695981039346656037) // FNV-1a over the name, then mixed with the seed
	for i := range len(path) {
		h = (h ^ uint64(path[i])) * 1099511628211
	}
	return mix(mix(h+uint64(draw)*0x9E3779B97F4A7C15) ^ mix(seed+0x632BE59BD9B4E019))
}

// mix is the finaliser of SplitMix64 (Steele, Lea, Flood 2014).
func mix(z uint64) uint64 {
	z = (z ^ z>>30) * 0xBF58476D1CE4E5B9
	z = (z ^ z>>27) * 0x94D049BB133111EB
	return z ^ z>>31
}

// Source reads a stream one number after another, for host code. It is a math/rand/v2 Source. Not safe for concurrent use.
type Source struct {
	key, step, next uint64
	block           [4]uint32
	left            int
}

// New is the stream named path under seed.
func New(seed uint64, path string) *Source { return &Source{key: Key(seed, path, 0)} }

// Uint32 is the next 32 bits.
func (s *Source) Uint32() uint32 {
	if s.left == 0 {
		s.block = Block(s.key, s.step, s.next)
		s.next++
		s.left = 4
	}
	v := s.block[4-s.left]
	s.left--
	return v
}

// Uint64 is the next 64 bits.
func (s *Source) Uint64() uint64 { return uint64(s.Uint32())<<32 | uint64(s.Uint32()) }

// IntN is a uniform number in [0, n), without bias (Lemire 2019). It panics for n <= 0.
func (s *Source) IntN(n int) int {
	if n <= 0 {
		panic("rng: IntN of a number that is not positive")
	}
	if uint64(n) > math.MaxUint32 {
		for limit := math.MaxUint64 - math.MaxUint64%uint64(n); ; {
			if v := s.Uint64(); v < limit {
				return int(v % uint64(n))
			}
		}
	}
	for {
		p := uint64(s.Uint32()) * uint64(n)
		if low := uint32(p); low >= uint32(n) || low >= -uint32(n)%uint32(n) {
			return int(p >> 32)
		}
	}
}

// Float64 is uniform in [0, 1) with 53 bits.
func (s *Source) Float64() float64 { return float64(s.Uint64()>>11) * (1.0 / (1 << 53)) }

// Normal is a standard normal number.
func (s *Source) Normal() float64 {
	a, _ := NormalPair(s.Uint32(), s.Uint32())
	return a
}

// Shuffle permutes n elements (Fisher and Yates).
func (s *Source) Shuffle(n int, swap func(i, j int)) {
	for i := n - 1; i > 0; i-- {
		swap(i, s.IntN(i+1))
	}
}

// Perm is a random permutation of 0..n-1.
func (s *Source) Perm(n int) []int {
	p := make([]int, n)
	for i := range p {
		p[i] = i
	}
	s.Shuffle(n, func(i, j int) { p[i], p[j] = p[j], p[i] })
	return p
}
