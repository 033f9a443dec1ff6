package asm

import "fmt"

// neon writes Advanced SIMD of arm64. Most of its float instructions are unknown to Go's assembler and written as words.
type neon struct{}

func (neon) vectors() int { return 32 }

func (neon) masks() int { return 0 }

// word writes an instruction as a number, with its name beside.
func (w *writer) word(code uint32, format string, a ...any) {
	w.p("WORD $0x%08x // %s", code, fmt.Sprintf(format, a...))
}

// three writes d = op(n, m) on four lanes.
func (w *writer) three(code uint32, name string, d, n, m int) {
	w.word(code|uint32(m)<<16|uint32(n)<<5|uint32(d), "%s V%d.4S, V%d.4S, V%d.4S", name, d, n, m)
}

// two writes d = op(n).
func (w *writer) two(code uint32, name string, d, n int) {
	w.word(code|uint32(n)<<5|uint32(d), "%s V%d, V%d", name, d, n)
}

func (w *writer) shift(code uint32, name string, d, n, bits, imm int) {
	w.word(code|uint32(imm)<<16|uint32(n)<<5|uint32(d), "%s V%d.4S, V%d.4S, #%d", name, d, n, bits)
}

func (w *writer) move(d, n int) {
	if d != n {
		w.p("VMOV V%d.B16, V%d.B16", n, d)
	}
}

func (neon) loadConst(w *writer, bits uint32, reg int) {
	if bits == 0 {
		w.p("VEOR V%d.B16, V%d.B16, V%d.B16", reg, reg, reg)
		return
	}
	w.p("MOVD $0x%08x, R9\n\tVDUP R9, V%d.S4", bits, reg)
}

type neonOp struct {
	code uint32
	name string
}

var neonThree = map[op]neonOp{
	opAdd: {0x4E20D400, "FADD"}, opSub: {0x4EA0D400, "FSUB"}, opMul: {0x6E20DC00, "FMUL"}, opDiv: {0x6E20FC00, "FDIV"},
	opMin: {0x4EA0F400, "FMIN"}, opMax: {0x4E20F400, "FMAX"},
	opAnd: {0x4E201C00, "AND"}, opOr: {0x4EA01C00, "ORR"}, opXor: {0x6E201C00, "EOR"},
	opMaskAnd: {0x4E201C00, "AND"}, opMaskOr: {0x4EA01C00, "ORR"}, opKeep: {0x4E201C00, "AND"},
	opAddI: {0x4EA08400, "ADD"}, opSubI: {0x6EA08400, "SUB"}, opMulI: {0x4EA09C00, "MUL"},
	opEqI: {0x6EA08C00, "CMEQ"}, opGtI: {0x4EA03400, "CMGT"},
}

var neonTwo = map[op]neonOp{
	opSqrt: {0x6EA1F800, "FSQRT"}, opRound: {0x4E218800, "FRINTN"}, opFloor: {0x4E219800, "FRINTM"},
	opToInt: {0x4E21A800, "FCVTNS"}, opTruncInt: {0x4EA1B800, "FCVTZS"}, opFromInt: {0x4E21D800, "SCVTF"},
	opMaskNot: {0x6E205800, "MVN"},
}

const (
	fcmeq, fcmge, fcmgt = 0x4E20E400, 0x6E20E400, 0x6EA0E400
	mvn, bsl            = 0x6E205800, 0x6E601C00
)

// regs gives operands registers; a constant without one gets one for the moment.
func (n neon) regs(w *writer, values []V) (regs, held []int) {
	for _, v := range values {
		r := w.where(v)
		if r < 0 {
			if w.prog[v].op != opConst {
				w.fail("value %d is read after its register was given away", v)
			}
			r = w.takeVec()
			held = append(held, r)
			n.loadConst(w, w.prog[v].bits, r)
		}
		regs = append(regs, r)
	}
	return regs, held
}

func (n neon) inst(w *writer, i int) {
	in := &w.prog[i]
	switch in.op {
	case opConst, opScalar, opAcc:
		return
	case opLoad:
		n.load(w, i)
		return
	case opFMA, opFNMA:
		n.fma(w, i)
		return
	}
	r, held := n.regs(w, in.a)
	if o, ok := neonThree[in.op]; ok {
		w.three(o.code, o.name, w.result(i), r[0], r[1])
	} else if o, ok := neonTwo[in.op]; ok {
		w.two(o.code, o.name, w.result(i), r[0])
	} else {
		n.other(w, i, r)
	}
	for _, h := range held {
		w.putVec(h)
	}
}

func (n neon) other(w *writer, i int, r []int) {
	in := &w.prog[i]
	switch in.op {
	case opStore:
		n.store(w, in, r[0])
	case opSetAcc:
		w.move(w.acc(in.n), r[0])
	case opReturn:
		_, result := w.sig.size()
		w.p("FMOVS F%d, ret+%d(FP)", r[0], result)
	case opShl:
		w.shift(0x4F005400, "SHL", w.result(i), r[0], in.n, 32+in.n)
	case opShr:
		w.shift(0x6F000400, "USHR", w.result(i), r[0], in.n, 64-in.n)
	case opSar:
		w.shift(0x4F000400, "SSHR", w.result(i), r[0], in.n, 64-in.n)
	case opAndNot:
		w.three(0x4E601C00, "BIC", w.result(i), r[1], r[0])
	case opCmp:
		n.compare(w, i, r[0], r[1])
	case opSelect:
		d := r[0]
		if !w.over(i, in.a[0]) {
			d = w.resultApart(i)
			w.move(d, r[0])
		}
		w.three(bsl, "BSL", d, r[1], r[2])
	default:
		w.fail("no instruction for %d", in.op)
	}
}

func (n neon) compare(w *writer, i, a, b int) {
	switch w.prog[i].cond {
	case condEQ:
		w.three(fcmeq, "FCMEQ", w.result(i), a, b)
	case condLT:
		w.three(fcmgt, "FCMGT", w.result(i), b, a)
	case condLE:
		w.three(fcmge, "FCMGE", w.result(i), b, a)
	case condNE:
		d := w.result(i)
		w.three(fcmeq, "FCMEQ", d, a, b)
		w.two(mvn, "MVN", d, d)
	case condNLE:
		d := w.result(i)
		w.three(fcmge, "FCMGE", d, b, a)
		w.two(mvn, "MVN", d, d)
	case condUN:
		d := w.resultApart(i)
		w.three(fcmeq, "FCMEQ", d, a, a)
		if b != a {
			t := w.takeVec()
			w.three(fcmeq, "FCMEQ", t, b, b)
			w.three(neonThree[opAnd].code, "AND", d, d, t)
			w.putVec(t)
		}
		w.two(mvn, "MVN", d, d)
	}
}

// fma adds to the register of c, or to a copy of it.
func (n neon) fma(w *writer, i int) {
	in := &w.prog[i]
	o := neonOp{0x4E20CC00, "FMLA"}
	if in.op == opFNMA {
		o = neonOp{0x4EA0CC00, "FMLS"}
	}
	ab, held := n.regs(w, in.a[:2])
	c := in.a[2]
	rc := w.where(c)
	d := rc
	if c == in.a[0] || c == in.a[1] || !w.over(i, c) {
		d = w.resultApart(i)
		if rc < 0 {
			n.loadConst(w, w.prog[c].bits, d)
		} else {
			w.move(d, rc)
		}
	}
	w.three(o.code, o.name, d, ab[0], ab[1])
	for _, h := range held {
		w.putVec(h)
	}
}
