package asm

import (
	"fmt"
	"slices"
)

// kernel writes the whole kernel: registers, then the frame with the body in it.
func (w *writer) kernel() {
	w.assign()
	w.isa.frame(w)
}

// streams lists those that are loaded or stored, with their kinds.
func (w *writer) streams(o op) (list []int, kinds map[int]Kind) {
	kinds = map[int]Kind{}
	for _, in := range w.prog {
		if in.op == o {
			if _, ok := kinds[in.n]; !ok {
				list = append(list, in.n)
			}
			kinds[in.n] = in.kind
		}
	}
	slices.Sort(list)
	return list, kinds
}

func (w *writer) used() []int {
	l, _ := w.streams(opLoad)
	s, _ := w.streams(opStore)
	all := append(slices.Clone(l), s...)
	slices.Sort(all)
	return slices.Compact(all)
}

func (x x86) frame(w *writer) {
	args, result := w.sig.size()
	stack := 0
	if !x.wide {
		stack = 64 * (slices.Max(append(w.used(), 0)) + 1)
	}
	fmt.Fprintf(&w.text, "// func %s\nTEXT ·%s(SB), NOSPLIT, $%d-%d\n", w.name+w.Target.Suffix(), w.name+w.Target.Suffix(), stack, args)
	if len(w.sig.Pointers) == 0 {
		x.constants(w)
		w.body(0, false)
		w.p("VZEROUPPER\n\tRET\n")
		return
	}
	for _, n := range w.used() {
		w.p("MOVQ %s+%d(FP), %s", w.sig.Pointers[n], 8*n, x86Pointers[n])
	}
	w.p("MOVQ n+%d(FP), CX", w.sig.offsetN())
	x.constants(w)
	w.p("XORL BX, BX")
	group := w.group()
	lanes := group * w.lanes()
	if w.Unroll > 1 {
		x.loop(w, "loop", "more", group*w.Unroll, lanes*w.Unroll)
		w.label("more")
	}
	x.loop(w, "one", "tail", group, lanes)
	w.label("tail")
	w.p("SUBQ BX, CX\n\tJLE done")
	if x.wide {
		size := map[bool]string{true: "Q", false: "L"}[w.lanes() > 16]
		w.p("MOV%s $-1, AX\n\tBZHI%s CX, AX, AX\n\tKMOV%s AX, K1", size, size, map[string]string{"Q": "Q", "L": "W"}[size])
		w.body(0, true)
	} else {
		x.stackTail(w)
	}
	w.label("done")
	if w.sig.Result {
		x.reduce(w, result)
	}
	w.p("VZEROUPPER\n\tRET\n")
}

// constants loads scalars, the constants that have registers, and the first values of accumulators.
func (x x86) constants(w *writer) {
	if w.sig.Table != "" && len(w.scalar) > 0 {
		w.p("MOVQ %s+%d(FP), AX", w.sig.Table, w.sig.offsetN()+8)
	}
	for s := range 16 {
		if _, ok := w.scalar[s]; !ok {
			continue
		}
		if w.sig.Table != "" {
			w.p("VBROADCASTSS %d(AX), %s", 4*s, x.r(w.scalarReg[s]))
		} else {
			w.p("VBROADCASTSS %s+%d(FP), %s", w.sig.Scalars[s], w.sig.offsetScalar(s), x.r(w.scalarReg[s]))
		}
	}
	for _, in := range w.prog {
		if in.op == opConst {
			if r, ok := w.constReg[in.bits]; ok {
				x.loadConst(w, in.bits, r)
			}
		}
	}
	for i, a := range w.accs {
		for j, r := range w.accReg[i] {
			if j == 0 || a.init == 0 {
				x.loadConst(w, a.init, r)
			} else {
				w.p("VMOVAPS %s, %s", x.r(w.accReg[i][0]), x.r(r))
			}
		}
	}
}

// loop handles vectors at a time while that many are left.
func (x x86) loop(w *writer, name, exit string, vectors, elements int) {
	w.p("LEAQ -%d(CX), R12\n\tCMPQ BX, R12\n\tJGT %s", elements, exit)
	w.p("PCALIGN $32")
	w.label(name)
	for u := range vectors {
		w.body(u, false)
	}
	w.p("ADDQ $%d, BX\n\tCMPQ BX, R12\n\tJLE %s", elements, name)
}

// stackTail copies the last elements to the stack, handles them as whole vectors there, and copies the results back.
func (x x86) stackTail(w *writer) {
	loads, kinds := w.streams(opLoad)
	stores, storeKinds := w.streams(opStore)
	slot := func(n int) int { return 64 * n }
	for _, n := range w.used() {
		k, ok := kinds[n]
		if !ok {
			k = storeKinds[n]
		}
		w.p("LEAQ (%s)(BX*%d), %s", x86Pointers[n], k.Size(), x86Pointers[n])
	}
	for _, in := range w.prog {
		if in.op == opLoad {
			x.loadConst(w, in.bits, 0)
			for o := 0; o < w.group()*w.lanes()*in.kind.Size(); o += 32 {
				w.p("VMOVUPS Y0, %d(SP)", slot(in.n)+o)
			}
		}
	}
	if len(loads) > 0 {
		w.p("XORL R13, R13")
		w.label("in")
		for _, n := range loads {
			x.copy(w, fmt.Sprintf("(%s)", x86Pointers[n]), fmt.Sprintf("%d(SP)", slot(n)), kinds[n].Size())
		}
		w.p("INCQ R13\n\tCMPQ R13, CX\n\tJLT in")
	}
	for u := range w.group() {
		w.body(u, true)
	}
	if len(stores) > 0 {
		w.p("XORL R13, R13")
		w.label("out")
		for _, n := range stores {
			x.copy(w, fmt.Sprintf("%d(SP)", slot(n)), fmt.Sprintf("(%s)", x86Pointers[n]), storeKinds[n].Size())
		}
		w.p("INCQ R13\n\tCMPQ R13, CX\n\tJLT out")
	}
}

func (x x86) copy(w *writer, from, to string, size int) {
	load := map[int]string{1: "MOVBLZX", 2: "MOVWLZX", 4: "MOVL", 8: "MOVQ"}[size]
	save := map[int]string{1: "MOVB", 2: "MOVW", 4: "MOVL", 8: "MOVQ"}[size]
	w.p("%s %s(R13*%d), AX", load, from, size)
	w.p("%s AX, %s(R13*%d)", save, to, size)
}

// reduce joins the sets of the accumulator, then its lanes in the fixed tree: l and l+8, l+4, l+2, l+1.
func (x x86) reduce(w *writer, result int) {
	a, regs, g := w.accs[0], w.accReg[0], w.group()
	for s := 1; s < a.sets; s++ {
		for u := range g {
			x.join(w, a, x.r(regs[u])[:1], regs[u], regs[s*g+u])
		}
	}
	r, t := regs[0], w.takeVec()
	if x.wide {
		w.p("VEXTRACTF64X4 $1, Z%d, Y%d", r, t)
		x.join(w, a, "Y", r, t)
	} else {
		x.join(w, a, "Y", r, regs[1])
	}
	if x.wide && r > 15 { // what follows exists for the lower registers only
		low := w.takeVec()
		w.p("VMOVAPS Z%d, Z%d", r, low)
		r = low
	}
	w.p("VEXTRACTF128 $1, Y%d, X%d", r, t)
	x.join(w, a, "X", r, t)
	for _, turn := range []int{0x4e, 0xb1} {
		w.p("VPERMILPS $0x%x, X%d, X%d", turn, r, t)
		x.join(w, a, "X", r, t)
	}
	w.p("VMOVSS X%d, ret+%d(FP)", r, result)
}

// join sets d to the sum, maximum or minimum of d and s, registers of the width named by letter.
func (x x86) join(w *writer, a acc, letter string, d, s int) {
	three := func(name string, p, q, to int) {
		w.p("%s %s%d, %s%d, %s%d", name, letter, p, letter, q, letter, to)
	}
	if !a.exact {
		three(x86Three[a.op], s, d, d)
		return
	}
	t, u := w.takeVec(), w.takeVec()
	three(x86Three[a.op], s, d, t)
	three(x86Three[a.op], d, s, u)
	three(map[op]string{opMax: "VANDPS", opMin: "VORPS"}[a.op], u, t, t)
	if x.wide {
		w.p("VCMPPS $3, %s%d, %s%d, K2", letter, s, letter, d)
		w.p("VADDPS %s%d, %s%d, K2, %s%d", letter, s, letter, d, letter, t)
		w.p("VMOVAPS %s%d, %s%d", letter, t, letter, d)
	} else {
		v := w.takeVec()
		three("VADDPS", s, d, v)
		w.p("VCMPPS $3, %s%d, %s%d, %s%d", letter, s, letter, d, letter, u)
		w.p("VBLENDVPS %s%d, %s%d, %s%d, %s%d", letter, u, letter, v, letter, t, letter, d)
		w.putVec(v)
	}
	w.putVec(t)
	w.putVec(u)
}
