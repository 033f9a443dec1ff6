package asm

import "fmt"

// x86 writes AVX-512 (F, BW, DQ, VL) if wide, else AVX2 with FMA and F16C.
type x86 struct{ wide bool }

func (x x86) vectors() int {
	if x.wide {
		return 32
	}
	return 16
}

func (x x86) masks() int {
	if x.wide {
		return 8
	}
	return 0
}

// r names a vector register; m one of a mask.
func (x x86) r(n int) string {
	if x.wide {
		return fmt.Sprintf("Z%d", n)
	}
	return fmt.Sprintf("Y%d", n)
}

func (x x86) m(n int) string {
	if x.wide {
		return fmt.Sprintf("K%d", n)
	}
	return fmt.Sprintf("Y%d", n)
}

func (w *writer) p(format string, a ...any) { fmt.Fprintf(&w.text, "\t"+format+"\n", a...) }

func (w *writer) label(name string) { fmt.Fprintf(&w.text, "%s:\n", name) }

func (x x86) loadConst(w *writer, bits uint32, reg int) {
	if bits == 0 {
		if x.wide {
			w.p("VPXORD %s, %s, %s", x.r(reg), x.r(reg), x.r(reg))
		} else {
			w.p("VPXOR %s, %s, %s", x.r(reg), x.r(reg), x.r(reg))
		}
		return
	}
	w.p("VBROADCASTSS %s, %s", w.file.Const(bits), x.r(reg))
}

// operands holds what an instruction reads while it is written: constants without a register get one for the moment.
type operands struct {
	w    *writer
	x    x86
	held []int
}

func (o *operands) reg(v V) string {
	r := o.w.where(v)
	if r < 0 {
		in := &o.w.prog[v]
		if in.op != opConst {
			o.w.fail("value %d is read after its register was given away", v)
		}
		r = o.w.takeVec()
		o.held = append(o.held, r)
		o.x.loadConst(o.w, in.bits, r)
	}
	return o.x.r(r)
}

// mem is the last source of an instruction, which may be a constant in memory; the string after it belongs to the mnemonic.
func (o *operands) mem(v V) (operand, suffix string) {
	if o.w.where(v) >= 0 || o.w.prog[v].op != opConst || o.w.prog[v].bits == 0 {
		return o.reg(v), ""
	}
	c := o.w.file.Const(o.w.prog[v].bits)
	if o.x.wide {
		return c, ".BCST"
	}
	return c, ""
}

func (o *operands) done() {
	for _, r := range o.held {
		o.w.putVec(r)
	}
}

var x86Three = map[op]string{opAdd: "VADDPS", opSub: "VSUBPS", opMul: "VMULPS", opDiv: "VDIVPS", opMin: "VMINPS", opMax: "VMAXPS",
	opAnd: "VANDPS", opOr: "VORPS", opXor: "VXORPS", opAndNot: "VANDNPS", opAddI: "VPADDD", opSubI: "VPSUBD", opMulI: "VPMULLD"}

var commutes = map[op]bool{opAdd: true, opMul: true, opAnd: true, opOr: true, opXor: true, opAddI: true, opMulI: true}

// inst writes instruction i.
func (x x86) inst(w *writer, i int) {
	in := &w.prog[i]
	o := &operands{w: w, x: x}
	defer o.done()
	if name, ok := x86Three[in.op]; ok {
		a, b := in.a[0], in.a[1]
		if commutes[in.op] && w.where(a) < 0 {
			a, b = b, a
		}
		ra := o.reg(a)
		rb, suffix := o.mem(b)
		w.p("%s%s %s, %s, %s", name, suffix, rb, ra, x.r(w.result(i)))
		return
	}
	switch in.op {
	case opConst, opScalar, opAcc:
	case opLoad:
		x.load(w, i)
	case opStore:
		x.store(w, in, o.source(in.a[0]))
	case opSetAcc:
		if r := o.reg(in.a[0]); r != x.r(w.acc(in.n)) {
			w.p("VMOVAPS %s, %s", r, x.r(w.acc(in.n)))
		}
	case opReturn:
		_, result := w.sig.size()
		w.p("VMOVSS X%s, ret+%d(FP)", o.reg(in.a[0])[1:], result)
	case opSqrt:
		x.one(w, o, i, "VSQRTPS")
	case opToInt:
		x.one(w, o, i, "VCVTPS2DQ")
	case opTruncInt:
		x.one(w, o, i, "VCVTTPS2DQ")
	case opFromInt:
		x.one(w, o, i, "VCVTDQ2PS")
	case opRound, opFloor:
		name := "VROUNDPS"
		if x.wide {
			name = "VRNDSCALEPS"
		}
		imm := 8
		if in.op == opFloor {
			imm = 9
		}
		r := o.reg(in.a[0])
		w.p("%s $%d, %s, %s", name, imm, r, x.r(w.result(i)))
	case opShl, opShr, opSar:
		name := map[op]string{opShl: "VPSLLD", opShr: "VPSRLD", opSar: "VPSRAD"}[in.op]
		r := o.reg(in.a[0])
		w.p("%s $%d, %s, %s", name, in.n, r, x.r(w.result(i)))
	case opScaleF:
		q, n := o.reg(in.a[0]), o.reg(in.a[1])
		w.p("VSCALEFPS %s, %s, %s", n, q, x.r(w.result(i)))
	case opFMA:
		x.fma(w, o, i, "VFMADD")
	case opFNMA:
		x.fma(w, o, i, "VFNMADD")
	default:
		x.mask(w, o, i)
	}
}

// source is the register of a value to be stored, vector or mask.
func (o *operands) source(v V) string {
	if o.w.prog[v].isMask() {
		return o.x.m(o.w.where(v))
	}
	return o.reg(v)
}

func (x x86) one(w *writer, o *operands, i int, name string) {
	r := o.reg(w.prog[i].a[0])
	w.p("%s %s, %s", name, r, x.r(w.result(i)))
}

// fma writes one of the three forms, the one that overwrites an operand which is read for the last time.
func (x x86) fma(w *writer, o *operands, i int, name string) {
	a, b, c := w.prog[i].a[0], w.prog[i].a[1], w.prog[i].a[2]
	if w.where(a) < 0 { // at most one operand may lie in memory, and a constant is never overwritten
		a, b = b, a
	}
	ra := o.reg(a)
	if rb, suffix := o.mem(b); w.over(i, c) {
		w.p("%s231PS%s %s, %s, %s", name, suffix, rb, ra, x.r(w.loc[i]))
		return
	}
	if w.where(b) >= 0 && !w.dies(a, i) && w.dies(b, i) {
		a, b, ra = b, a, o.reg(b)
	}
	if a != b && a != c && w.dies(a, i) {
		if w.where(b) < 0 {
			rb, suffix := o.mem(b)
			rc := o.reg(c)
			w.over(i, a)
			w.p("%s132PS%s %s, %s, %s", name, suffix, rb, rc, ra)
		} else {
			rb := o.reg(b)
			rc, suffix := o.mem(c)
			w.over(i, a)
			w.p("%s213PS%s %s, %s, %s", name, suffix, rc, rb, ra)
		}
		return
	}
	var rc string
	if w.where(c) >= 0 {
		rc = o.reg(c)
	}
	rb, suffix := o.mem(b)
	d := w.resultApart(i)
	if rc == "" {
		x.loadConst(w, w.prog[c].bits, d)
	} else {
		w.p("VMOVAPS %s, %s", rc, x.r(d))
	}
	w.p("%s231PS%s %s, %s, %s", name, suffix, rb, ra, x.r(d))
}

var x86Cond = map[cond]int{condEQ: 0, condLT: 17, condLE: 18, condNE: 4, condNLE: 22, condUN: 3}

// mask writes what makes or uses masks.
func (x x86) mask(w *writer, o *operands, i int) {
	in := &w.prog[i]
	switch in.op {
	case opCmp:
		ra := o.reg(in.a[0])
		rb, suffix := o.mem(in.a[1])
		w.p("VCMPPS%s $%d, %s, %s, %s", suffix, x86Cond[in.cond], rb, ra, x.m(w.result(i)))
	case opEqI, opGtI:
		name := map[op]string{opEqI: "VPCMPEQD", opGtI: "VPCMPGTD"}[in.op]
		ra := o.reg(in.a[0])
		rb, suffix := o.mem(in.a[1])
		w.p("%s%s %s, %s, %s", name, suffix, rb, ra, x.m(w.result(i)))
	case opMaskAnd, opMaskOr:
		name := map[op]string{opMaskAnd: "VANDPS", opMaskOr: "VORPS"}[in.op]
		if x.wide {
			name = map[op]string{opMaskAnd: "KANDW", opMaskOr: "KORW"}[in.op]
		}
		ra, rb := x.m(w.where(in.a[0])), x.m(w.where(in.a[1]))
		w.p("%s %s, %s, %s", name, rb, ra, x.m(w.result(i)))
	case opMaskNot:
		r := x.m(w.where(in.a[0]))
		if x.wide {
			w.p("KNOTW %s, %s", r, x.m(w.result(i)))
			return
		}
		ones := w.takeVec()
		w.p("VPCMPEQD Y%d, Y%d, Y%d\n\tVXORPS Y%d, %s, %s", ones, ones, ones, ones, r, x.m(w.resultApart(i)))
		w.putVec(ones)
	case opSelect:
		m := x.m(w.where(in.a[0]))
		yes, no := o.reg(in.a[1]), o.reg(in.a[2])
		if x.wide {
			w.p("VBLENDMPS %s, %s, %s, %s", yes, no, m, x.r(w.result(i)))
		} else {
			w.p("VBLENDVPS %s, %s, %s, %s", m, yes, no, x.r(w.result(i)))
		}
	case opKeep:
		m := x.m(w.where(in.a[0]))
		v, suffix := o.mem(in.a[1])
		switch {
		case !x.wide:
			w.p("VANDPS %s, %s, %s", v, m, x.r(w.result(i)))
		case suffix != "":
			w.p("VBROADCASTSS.Z %s, %s, %s", v, m, x.r(w.result(i)))
		default:
			w.p("VMOVAPS.Z %s, %s, %s", v, m, x.r(w.result(i)))
		}
	default:
		w.fail("no instruction for %d", in.op)
	}
}
