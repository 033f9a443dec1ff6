package asm

import "fmt"

// Registers of the frame: R0 to R5 point at the streams, R6 counts the elements left, R11 points at the copies of the last
// ones on the stack, R8, R9, R10, R12 and R13 for the moment.

func (n neon) address(w *writer, stream int, k Kind) string {
	off := w.unit * w.lanes() * k.Size()
	if w.tail {
		return fmt.Sprintf("%d(R11)", 64*stream+off)
	}
	if off == 0 {
		return fmt.Sprintf("(R%d)", stream)
	}
	return fmt.Sprintf("%d(R%d)", off, stream)
}

// half is the address of the second half of a vector of float64.
func (n neon) half(w *writer, stream int) string {
	off := w.unit*32 + 16
	if w.tail {
		return fmt.Sprintf("%d(R11)", 64*stream+off)
	}
	return fmt.Sprintf("%d(R%d)", off, stream)
}

func (n neon) load(w *writer, i int) {
	in := &w.prog[i]
	at := n.address(w, in.n, in.kind)
	d := w.resultApart(i)
	switch in.kind {
	case F32, I32, Bytes:
		w.p("FMOVQ %s, F%d", at, d)
	case U8, Mask8:
		w.p("FMOVS %s, F%d", at, d)
		w.two(0x2F08A400, "USHLL.8H", d, d)
		w.two(0x2F10A400, "USHLL.4S", d, d)
		if in.kind == Mask8 {
			w.three(0x4EA08C00, "CMTST", d, d, d)
		}
	case I8:
		w.p("FMOVS %s, F%d", at, d)
		w.two(0x0F08A400, "SSHLL.8H", d, d)
		w.two(0x0F10A400, "SSHLL.4S", d, d)
	case U16:
		w.p("FMOVD %s, F%d", at, d)
		w.two(0x2F10A400, "USHLL.4S", d, d)
	case F16:
		w.p("FMOVD %s, F%d", at, d)
		w.two(0x0E217800, "FCVTL.4S", d, d)
	case F64:
		t := w.takeVec()
		w.p("FMOVQ %s, F%d", at, d)
		w.p("FMOVQ %s, F%d", n.half(w, in.n), t)
		w.two(0x0E616800, "FCVTN.2S", d, d)
		w.two(0x4E616800, "FCVTN2.4S", d, t)
		w.putVec(t)
	default:
		w.fail("no load of kind %d", in.kind)
	}
}

func (n neon) store(w *writer, in *ins, src int) {
	at := n.address(w, in.n, in.kind)
	if in.kind == F32 || in.kind == I32 || in.kind == Bytes {
		w.p("FMOVQ F%d, %s", src, at)
		return
	}
	t := w.takeVec()
	defer w.putVec(t)
	switch in.kind {
	case Mask8:
		w.shift(0x6F000400, "USHR", t, src, 31, 64-31)
		w.two(0x0E612800, "XTN.4H", t, t)
		w.two(0x0E212800, "XTN.8B", t, t)
		w.p("FMOVS F%d, %s", t, at)
	case U16:
		w.two(0x0E612800, "XTN.4H", t, src)
		w.p("FMOVD F%d, %s", t, at)
	case F16:
		w.two(0x0E216800, "FCVTN.4H", t, src)
		w.p("FMOVD F%d, %s", t, at)
	case F64:
		w.two(0x0E617800, "FCVTL.2D", t, src)
		w.p("FMOVQ F%d, %s", t, at)
		w.two(0x4E617800, "FCVTL2.2D", t, src)
		w.p("FMOVQ F%d, %s", t, n.half(w, in.n))
	default:
		w.fail("no store of kind %d", in.kind)
	}
}

func (n neon) frame(w *writer) {
	args, result := w.sig.size()
	name := w.name + w.Target.Suffix()
	if len(w.sig.Pointers) == 0 {
		fmt.Fprintf(&w.text, "// func %s\nTEXT ·%s(SB), NOSPLIT, $0-%d\n", name, name, args)
		n.constants(w)
		w.body(0, false)
		w.p("RET\n")
		return
	}
	used := w.used()
	stack := 16
	for _, s := range used {
		stack = max(stack, 16+64*(s+1))
	}
	fmt.Fprintf(&w.text, "// func %s\nTEXT ·%s(SB), NOSPLIT, $%d-%d\n", name, name, stack, args)
	for _, s := range used {
		w.p("MOVD %s+%d(FP), R%d", w.sig.Pointers[s], 8*s, s)
	}
	w.p("MOVD n+%d(FP), R6", w.sig.offsetN())
	n.constants(w)
	if w.Unroll > 1 {
		n.loop(w, "loop", "more", w.group()*w.Unroll)
	}
	n.loop(w, "one", "tail", w.group())
	w.p("CBZ R6, done")
	n.stackTail(w)
	w.label("done")
	if w.sig.Result {
		n.reduce(w, result)
	}
	w.p("RET\n")
}

func (n neon) constants(w *writer) {
	if w.sig.Table != "" && len(w.scalar) > 0 {
		w.p("MOVD %s+%d(FP), R8", w.sig.Table, w.sig.offsetN()+8)
	}
	for s := range 16 {
		if _, ok := w.scalar[s]; !ok {
			continue
		}
		if w.sig.Table != "" {
			w.p("MOVWU %d(R8), R9", 4*s)
		} else {
			w.p("MOVWU %s+%d(FP), R9", w.sig.Scalars[s], w.sig.offsetScalar(s))
		}
		w.p("VDUP R9, V%d.S4", w.scalarReg[s])
	}
	for _, in := range w.prog {
		if r, ok := w.constReg[in.bits]; ok && in.op == opConst {
			n.loadConst(w, in.bits, r)
		}
	}
	for i, a := range w.accs {
		for _, r := range w.accReg[i] {
			n.loadConst(w, a.init, r)
		}
	}
}

// kindOf is the kind of a stream.
func (w *writer) kindOf(stream int) Kind {
	for _, in := range w.prog {
		if (in.op == opLoad || in.op == opStore) && in.n == stream {
			return in.kind
		}
	}
	return F32
}

func (n neon) loop(w *writer, name, exit string, vectors int) {
	elements := vectors * w.lanes()
	w.p("SUBS $%d, R6, R6\n\tBLT %s", elements, exit)
	w.label(name)
	for u := range vectors {
		w.body(u, false)
	}
	for _, s := range w.used() {
		w.p("ADD $%d, R%d, R%d", elements*w.kindOf(s).Size(), s, s)
	}
	w.p("SUBS $%d, R6, R6\n\tBGE %s", elements, name)
	w.label(exit)
	w.p("ADD $%d, R6, R6", elements)
}

// stackTail copies the last elements to the stack, handles them as whole vectors there, and copies the results back.
func (n neon) stackTail(w *writer) {
	w.p("ADD $16, RSP, R11")
	for _, in := range w.prog {
		if in.op == opLoad {
			n.loadConst(w, in.bits, 0)
			for o := 0; o < w.group()*w.lanes()*in.kind.Size(); o += 16 {
				w.p("FMOVQ F0, %d(R11)", 64*in.n+o)
			}
		}
	}
	loads, _ := w.streams(opLoad)
	for _, s := range loads {
		w.p("MOVD R%d, R10\n\tADD $%d, R11, R13", s, 64*s)
		n.copy(w, fmt.Sprintf("in%d", s), "R10", "R13", w.kindOf(s).Size())
	}
	for u := range w.group() {
		w.body(u, true)
	}
	stores, _ := w.streams(opStore)
	for _, s := range stores {
		w.p("MOVD R%d, R10\n\tADD $%d, R11, R13", s, 64*s)
		n.copy(w, fmt.Sprintf("out%d", s), "R13", "R10", w.kindOf(s).Size())
	}
}

func (n neon) copy(w *writer, label, from, to string, size int) {
	load := map[int]string{1: "MOVBU", 2: "MOVHU", 4: "MOVWU", 8: "MOVD"}[size]
	save := map[int]string{1: "MOVB", 2: "MOVH", 4: "MOVW", 8: "MOVD"}[size]
	w.p("MOVD R6, R12")
	w.label(label)
	w.p("%s.P %d(%s), R9\n\t%s.P R9, %d(%s)\n\tSUBS $1, R12, R12\n\tBNE %s", load, size, from, save, size, to, label)
}

// reduce joins the sets of the accumulator, then its lanes in the fixed tree: l and l+8, l+4, l+2, l+1.
func (n neon) reduce(w *writer, result int) {
	a, r := w.accs[0], w.accReg[0]
	o := neonThree[a.op]
	join := func(d, s int) { w.three(o.code, o.name, d, d, s) }
	for s := 1; s < a.sets; s++ {
		for u := range 4 {
			join(r[u], r[4*s+u])
		}
	}
	join(r[0], r[2])
	join(r[1], r[3])
	join(r[0], r[1])
	t := w.takeVec()
	for _, by := range []int{8, 4} {
		w.p("VEXT $%d, V%d.B16, V%d.B16, V%d.B16", by, r[0], r[0], t)
		join(r[0], t)
	}
	w.p("FMOVS F%d, ret+%d(FP)", r[0], result)
}
