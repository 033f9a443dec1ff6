package asm

import (
	"fmt"
	"math"
)

// Target is a set of vector instructions.
type Target int

// The targets.
const (
	AVX512 Target = iota
	AVX2
	NEON
)

// Suffix ends the names of the functions of a target.
func (t Target) Suffix() string { return [...]string{"AVX512", "AVX2", "NEON"}[t] }

// FileSuffix ends the names of the files of a target.
func (t Target) FileSuffix() string {
	return [...]string{"_avx512_amd64", "_avx2_amd64", "_neon_arm64"}[t]
}

// Arch is the architecture of a target, as Go names it.
func (t Target) Arch() string {
	if t == NEON {
		return "arm64"
	}
	return "amd64"
}

// Lanes is the number of float32 in a vector.
func (t Target) Lanes() int { return [...]int{16, 8, 4}[t] }

// Kind is the type of elements in memory; in registers every lane has 32 bits.
type Kind int

// The kinds. Bytes of a mask become and come from masks of lanes.
const (
	F32   Kind = iota // float32
	I32               // int32
	U8                // uint8, extended with zeros
	I8                // int8, extended with its sign
	Mask8             // bytes; any but 0 is true, written as 0 or 1
	U16               // 16 bits, extended with zeros
	F16               // IEEE half
	F64               // float64, rounded to float32 when loaded
	Bytes             // a whole vector of bytes, one lane each
)

// Size is the number of bytes of an element.
func (k Kind) Size() int { return [...]int{4, 4, 1, 1, 1, 2, 2, 8, 1}[k] }

// V is a value: one vector of lanes, or a mask of lanes.
type V int

type op int

const (
	opConst op = iota
	opScalar
	opAcc
	opLoad
	opStore
	opSetAcc
	opAdd
	opSub
	opMul
	opDiv
	opSqrt
	opFMA  // a*b + c
	opFNMA // c - a*b
	opMin
	opMax
	opAnd
	opOr
	opXor
	opAndNot // b and not a
	opAddI
	opSubI
	opMulI
	opShl
	opShr
	opSar
	opRound
	opFloor
	opToInt
	opTruncInt
	opFromInt
	opCmp
	opEqI
	opGtI
	opMaskAnd
	opMaskOr
	opMaskNot
	opSelect
	opKeep
	opScaleF
	opReturn
)

// cond is a comparison of float32.
type cond int

const (
	condEQ cond = iota
	condLT
	condLE
	condNE
	condNLE // greater, or a NaN
	condUN  // a NaN
)

type ins struct {
	op   op
	a    []V
	n    int    // stream, scalar, accumulator or shift
	bits uint32 // of a constant, or what a load puts in lanes that do not exist
	kind Kind
	cond cond
}

// isMask says whether the value is a mask.
func (i *ins) isMask() bool {
	switch i.op {
	case opCmp, opEqI, opGtI, opMaskAnd, opMaskOr, opMaskNot:
		return true
	case opLoad:
		return i.kind == Mask8
	}
	return false
}

// Builder records the body of a kernel.
type Builder struct {
	Target Target
	// Unroll is the number of vectors, or of groups of 16 lanes where there are accumulators, in one turn of the loop.
	Unroll int

	name   string
	sig    Signature
	prog   []ins
	consts map[uint32]V
	scalar map[int]V
	accs   []acc
}

type acc struct {
	init  uint32
	sets  int
	op    op
	exact bool // NaN and the sign of zero as Maximum and Minimum say
}

// New begins the kernel name for a target.
func New(t Target, name string, sig Signature) *Builder {
	return &Builder{Target: t, Unroll: 2, name: name, sig: sig, consts: map[uint32]V{}, scalar: map[int]V{}}
}

func (b *Builder) add(i ins) V {
	b.prog = append(b.prog, i)
	return V(len(b.prog) - 1)
}

func (b *Builder) op(o op, a ...V) V { return b.add(ins{op: o, a: a}) }

// Bits is the constant with these bits in every lane.
func (b *Builder) Bits(u uint32) V {
	if v, ok := b.consts[u]; ok {
		return v
	}
	v := b.add(ins{op: opConst, bits: u})
	b.consts[u] = v
	return v
}

// C is the constant x, rounded to float32.
func (b *Builder) C(x float64) V { return b.Bits(math.Float32bits(float32(x))) }

// Scalar is the i-th scalar argument.
func (b *Builder) Scalar(i int) V {
	if v, ok := b.scalar[i]; ok {
		return v
	}
	v := b.add(ins{op: opScalar, n: i})
	b.scalar[i] = v
	return v
}

// Load reads from the pointer argument name.
func (b *Builder) Load(name string, k Kind) V { return b.LoadFill(name, k, 0) }

// LoadFill is Load; lanes beyond the last element get the bits of fill, which only accumulators can see.
func (b *Builder) LoadFill(name string, k Kind, fill uint32) V {
	return b.add(ins{op: opLoad, n: b.sig.stream(name), kind: k, bits: fill})
}

// Store writes v to the pointer argument name.
func (b *Builder) Store(name string, v V, k Kind) {
	b.add(ins{op: opStore, a: []V{v}, n: b.sig.stream(name), kind: k})
}

// Sum is the 16 partial sums that the kernel returns the sum of, before this vector.
func (b *Builder) Sum() V { return b.acc(acc{0, 1, opAdd, false}) }

// Largest is 16 partial maxima like Sum; several sets of them take turns.
func (b *Builder) Largest() V { return b.acc(acc{0xff800000, 4, opMax, true}) }

// LargestNumber is Largest for a row without NaN and where the sign of a zero does not matter.
func (b *Builder) LargestNumber() V { return b.acc(acc{0xff800000, 4, opMax, false}) }

// Smallest is 16 partial minima like Largest.
func (b *Builder) Smallest() V { return b.acc(acc{0x7f800000, 4, opMin, true}) }

func (b *Builder) acc(a acc) V {
	b.accs = append(b.accs, a)
	return b.add(ins{op: opAcc, n: len(b.accs) - 1})
}

// SetAcc gives an accumulator its value after this vector.
func (b *Builder) SetAcc(a, v V) { b.add(ins{op: opSetAcc, a: []V{v}, n: b.prog[a].n}) }

// Add is x + y.
func (b *Builder) Add(x, y V) V { return b.op(opAdd, x, y) }

// Sub is x - y.
func (b *Builder) Sub(x, y V) V { return b.op(opSub, x, y) }

// Mul is x * y.
func (b *Builder) Mul(x, y V) V { return b.op(opMul, x, y) }

// Div is x / y.
func (b *Builder) Div(x, y V) V { return b.op(opDiv, x, y) }

// Sqrt is the square root.
func (b *Builder) Sqrt(x V) V { return b.op(opSqrt, x) }

// FMA is x*y + z, rounded once.
func (b *Builder) FMA(x, y, z V) V { return b.op(opFMA, x, y, z) }

// FNMA is z - x*y, rounded once.
func (b *Builder) FNMA(x, y, z V) V { return b.op(opFNMA, x, y, z) }

// Min is the smaller of c and x, and x if x is a NaN. c is not a NaN, and not both are zeros.
func (b *Builder) Min(c, x V) V { return b.op(opMin, c, x) }

// Max is the larger of c and x, and x if x is a NaN. c is not a NaN, and not both are zeros.
func (b *Builder) Max(c, x V) V { return b.op(opMax, c, x) }

// And is the bits that both have.
func (b *Builder) And(x, y V) V { return b.op(opAnd, x, y) }

// Or is the bits that either has.
func (b *Builder) Or(x, y V) V { return b.op(opOr, x, y) }

// Xor is the bits that one has.
func (b *Builder) Xor(x, y V) V { return b.op(opXor, x, y) }

// AndNot is the bits of y that x does not have.
func (b *Builder) AndNot(x, y V) V { return b.op(opAndNot, x, y) }

// AddI is the sum of integers.
func (b *Builder) AddI(x, y V) V { return b.op(opAddI, x, y) }

// SubI is the difference of integers.
func (b *Builder) SubI(x, y V) V { return b.op(opSubI, x, y) }

// MulI is the low half of the product of integers.
func (b *Builder) MulI(x, y V) V { return b.op(opMulI, x, y) }

// Shl shifts bits up by n.
func (b *Builder) Shl(x V, n int) V { return b.add(ins{op: opShl, a: []V{x}, n: n}) }

// Shr shifts bits down by n, zeros come in.
func (b *Builder) Shr(x V, n int) V { return b.add(ins{op: opShr, a: []V{x}, n: n}) }

// Sar shifts bits down by n, the sign comes in.
func (b *Builder) Sar(x V, n int) V { return b.add(ins{op: opSar, a: []V{x}, n: n}) }

// Round is the nearest whole number, ties to even.
func (b *Builder) Round(x V) V { return b.op(opRound, x) }

// Floor is the largest whole number not above x.
func (b *Builder) Floor(x V) V { return b.op(opFloor, x) }

// ToInt is the nearest integer, ties to even; only for numbers in range.
func (b *Builder) ToInt(x V) V { return b.op(opToInt, x) }

// TruncInt is the integer towards zero; only for numbers in range.
func (b *Builder) TruncInt(x V) V { return b.op(opTruncInt, x) }

// FromInt is the float32 of an integer.
func (b *Builder) FromInt(x V) V { return b.op(opFromInt, x) }

func (b *Builder) cmp(c cond, x, y V) V { return b.add(ins{op: opCmp, a: []V{x, y}, cond: c}) }

// EQ is x == y.
func (b *Builder) EQ(x, y V) V { return b.cmp(condEQ, x, y) }

// NE is x != y.
func (b *Builder) NE(x, y V) V { return b.cmp(condNE, x, y) }

// LT is x < y.
func (b *Builder) LT(x, y V) V { return b.cmp(condLT, x, y) }

// LE is x <= y.
func (b *Builder) LE(x, y V) V { return b.cmp(condLE, x, y) }

// GT is x > y.
func (b *Builder) GT(x, y V) V { return b.cmp(condLT, y, x) }

// GE is x >= y.
func (b *Builder) GE(x, y V) V { return b.cmp(condLE, y, x) }

// NLE is not x <= y: greater, or one is a NaN.
func (b *Builder) NLE(x, y V) V { return b.cmp(condNLE, x, y) }

// Unordered says that one is a NaN.
func (b *Builder) Unordered(x, y V) V { return b.cmp(condUN, x, y) }

// EqI is x == y of integers.
func (b *Builder) EqI(x, y V) V { return b.op(opEqI, x, y) }

// GtI is x > y of signed integers.
func (b *Builder) GtI(x, y V) V { return b.op(opGtI, x, y) }

// Both is the lanes in both masks.
func (b *Builder) Both(x, y V) V { return b.op(opMaskAnd, x, y) }

// Either is the lanes in one mask or both.
func (b *Builder) Either(x, y V) V { return b.op(opMaskOr, x, y) }

// Not is the lanes that are not in the mask.
func (b *Builder) Not(x V) V { return b.op(opMaskNot, x) }

// Select is x in the lanes of the mask and y in the others.
func (b *Builder) Select(m, x, y V) V { return b.op(opSelect, m, x, y) }

// Keep is x in the lanes of the mask and +0 in the others.
func (b *Builder) Keep(m, x V) V { return b.op(opKeep, m, x) }

// Return makes the first lane of v the result of a kernel without pointers.
func (b *Builder) Return(v V) { b.add(ins{op: opReturn, a: []V{v}}) }

// Maximum is NaN if x or y is, and +0 of +0 and -0.
func (b *Builder) Maximum(x, y V) V { return b.extreme(opMax, opAnd, x, y) }

// Minimum is NaN if x or y is, and -0 of +0 and -0.
func (b *Builder) Minimum(x, y V) V { return b.extreme(opMin, opOr, x, y) }

// extreme: the processor gives the second of two operands that are equal or not ordered, so both orders are tried.
func (b *Builder) extreme(o, zeros op, x, y V) V {
	if b.Target == NEON {
		return b.op(o, x, y)
	}
	n := b.op(zeros, b.op(o, x, y), b.op(o, y, x))
	return b.Select(b.Unordered(x, y), b.Add(x, y), n)
}

// Ldexp is x * 2^n, rounded once, for a whole n from -252 to 254 and 0.5 < |x| < 2. For a NaN in x, n may be anything.
func (b *Builder) Ldexp(x, n V) V {
	if b.Target == AVX512 {
		return b.op(opScaleF, x, n)
	}
	// Two powers of two whose product is 2^n: the first product is exact. The sum leaves n+254 in its low bits.
	t := b.Add(n, b.C(0x1.8p23+254))
	first := b.And(b.Shl(t, 22), b.Bits(0x7f800000))
	return b.Mul(b.Mul(x, first), b.SubI(b.Shl(t, 23), first))
}

// uses counts how often each value is read, and where last.
func (b *Builder) uses() (count, last []int) {
	count, last = make([]int, len(b.prog)), make([]int, len(b.prog))
	for i, in := range b.prog {
		last[i] = -1
		for _, v := range in.a {
			count[v]++
			last[v] = i
		}
	}
	return count, last
}

func (b *Builder) fail(format string, args ...any) {
	panic(fmt.Sprintf("asm: %s%s: %s", b.name, b.Target.Suffix(), fmt.Sprintf(format, args...)))
}
