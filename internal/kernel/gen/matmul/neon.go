package main

import (
	"fmt"
	"strings"
)

// The assembler lacks these; d, n, m and the lane are filled in.
func (w *writer) fadd(m, n, d int) {
	w.p("WORD $0x%08x // FADD V%d.4S, V%d.4S, V%d.4S", 0x4e20d400|m<<16|n<<5|d, m, n, d)
}

func (w *writer) fmax(m, n, d int) {
	w.p("WORD $0x%08x // FMAX V%d.4S, V%d.4S, V%d.4S", 0x4e20f400|m<<16|n<<5|d, m, n, d)
}

// fmlaLane adds the product of register n and a lane of register m to register d.
func (w *writer) fmlaLane(m, lane, n, d int) {
	w.p("WORD $0x%08x // FMLA V%d.S[%d], V%d.4S, V%d.4S", 0x4f801000|lane&1<<21|m<<16|lane>>1<<11|n<<5|d, m, lane, n, d)
}

// s4 is a list of n registers from r.
func s4(r, n int) string {
	var all []string
	for i := range n {
		all = append(all, fmt.Sprintf("V%d.S4", r+i))
	}
	return "[" + strings.Join(all, ", ") + "]"
}

// directNEON writes the kernel that direct describes, with 4 elements to a vector.
//
// Registers: R0 k, R1 a, R2 rs, R3 cs, R4 b, R5 bs, R6 c, R7 ldc, R8 to R15 the rows of A, R20 last, R21 to R23 its elements.
func (w *writer) directNEON(name string, rows, nv int) {
	w.text(name, directSignature, 11)
	for i, s := range []string{"kc", "a", "rs", "cs", "b", "bs", "c", "ldc"} {
		w.p("MOVD %s+%d(FP), R%d", s, 8*i, i)
	}
	w.p("MOVD last+72(FP), R20")
	na := rows * nv
	free := min(4, 32-na-nv)
	w.p("MOVD R1, R8")
	for i := 1; i < rows; i++ {
		w.p("ADD  R2, R%d, R%d", 7+i, 8+i)
	}
	for i := range na {
		w.p("VEOR V%d.B16, V%d.B16, V%d.B16", i, i, i)
	}
	products := func() {
		for i := range rows {
			r := na + nv + i%free
			w.p("VLD1R.P (R%d)(R3), [V%d.S4]", 8+i, r)
			for j := range nv {
				w.p("VFMLA V%d.S4, V%d.S4, V%d.S4", na+j, r, i*nv+j)
			}
		}
	}
	w.p("CMP  $4, R20")
	w.p("BNE  part")
	w.label("loop")
	w.p("VLD1.P (R4)(R5), %s", s4(na, nv))
	products()
	w.p("SUBS $1, R0, R0")
	w.p("BNE  loop")
	w.p("B    done")
	w.label("part")
	w.label("partloop")
	w.partNEON("b", nv, "R4", na, true)
	w.p("ADD  R5, R4, R4")
	products()
	w.p("SUBS $1, R0, R0")
	w.p("BNE  partloop")
	w.label("done")
	w.finishNEON(rows, nv, na, "flags+64(FP)", "bias+80(FP)")
}

// partNEON loads or stores nv vectors from register r on, the last of which has R20 = 1, 2 or 3 elements.
func (w *writer) partNEON(label string, nv int, base string, r int, load bool) {
	op := "VST1"
	if load {
		op = "VLD1"
	}
	move := func(arg, at string) {
		if load {
			w.p("VLD1 %s, %s", at, arg)
		} else {
			w.p("VST1 %s, %s", arg, at)
		}
	}
	last := r + nv - 1
	if nv > 1 {
		move(s4(r, nv-1), "("+base+")")
	}
	if load {
		w.p("VEOR V%d.B16, V%d.B16, V%d.B16", last, last, last)
	}
	w.p("ADD  $%d, %s, R21", 16*(nv-1), base)
	w.p("CMP  $2, R20")
	if load {
		w.p("%s.P 4(R21), V%d.S[0]", op, last)
	} else {
		w.p("%s.P V%d.S[0], 4(R21)", op, last)
	}
	w.p("BLT  %sx", label)
	if load {
		w.p("%s.P 4(R21), V%d.S[1]", op, last)
	} else {
		w.p("%s.P V%d.S[1], 4(R21)", op, last)
	}
	w.p("BEQ  %sx", label)
	move(fmt.Sprintf("V%d.S[2]", last), "(R21)")
	w.label(label + "x")
}

// finishNEON is finish: rows x nv vectors from register 0 on, t is the first register that is free.
func (w *writer) finishNEON(rows, nv, t int, flags, bias string) {
	vectors := func(label, base string, r int, load bool) {
		full, end := label+"full", label+"end"
		w.p("CMP  $4, R20")
		w.p("BEQ  %s", full)
		w.partNEON(label, nv, base, r, load)
		w.p("B    %s", end)
		w.label(full)
		if load {
			w.p("VLD1 (%s), %s", base, s4(r, nv))
		} else {
			w.p("VST1 %s, (%s)", s4(r, nv), base)
		}
		w.label(end)
	}
	w.p("MOVD %s, R0", flags)
	w.p("TBZ  $0, R0, nosum")
	w.p("MOVD R6, R1")
	for i := range rows {
		vectors(fmt.Sprintf("c%d", i), "R1", t, true)
		for j := range nv {
			w.fadd(t+j, i*nv+j, i*nv+j)
		}
		w.p("ADD  R7, R1, R1")
	}
	w.label("nosum")
	w.p("TBZ  $1, R0, nobias")
	w.p("MOVD %s, R1", bias)
	vectors("bias", "R1", t, true)
	for i := range rows * nv {
		w.fadd(t+i%nv, i, i)
	}
	w.label("nobias")
	w.p("TBZ  $2, R0, norelu")
	w.p("VEOR V%d.B16, V%d.B16, V%d.B16", t, t, t)
	for i := range rows * nv {
		w.fmax(t, i, i)
	}
	w.label("norelu")
	for i := range rows {
		vectors(fmt.Sprintf("s%d", i), "R6", i*nv, false)
		if i < rows-1 {
			w.p("ADD  R7, R6, R6")
		}
	}
	w.p("RET")
}

// packedNEON writes the kernel that packed describes, 6 rows of 4 vectors.
func (w *writer) packedNEON(name string) {
	const rows, nv, na = 6, 4, 24
	w.text(name, packedSignature, 7)
	for i, r := range []string{"kc", "a", "b", "c", "ldc"} {
		w.p("MOVD %s+%d(FP), R%d", r, 8*i, []int{0, 1, 4, 6, 7}[i])
	}
	w.p("MOVD $4, R20") // for finishNEON
	w.p("MOVD R6, R8")
	for i := range rows {
		w.p("PRFM (R8), PLDL1KEEP")
		if i < rows-1 {
			w.p("ADD  R7, R8, R8")
		}
	}
	for i := range na {
		w.p("VEOR V%d.B16, V%d.B16, V%d.B16", i, i, i)
	}
	step := func(first int) { // the six values of A from lane first of the registers 28 to 30
		w.p("VLD1.P 64(R4), %s", s4(na, nv))
		for i := range rows {
			for j := range nv {
				w.fmlaLane(28+(first+i)/4, (first+i)%4, na+j, i*nv+j)
			}
		}
	}
	w.p("SUBS $2, R0, R0")
	w.p("BLT  odd")
	w.label("loop")
	w.p("VLD1.P 48(R1), [V28.S4, V29.S4, V30.S4]")
	step(0)
	step(6)
	w.p("SUBS $2, R0, R0")
	w.p("BGE  loop")
	w.label("odd")
	w.p("ADDS $2, R0, R0")
	w.p("BEQ  done")
	w.p("VLD1.P 16(R1), [V28.S4]")
	w.p("VLD1 (R1), [V29.S2]")
	step(0)
	w.label("done")
	w.finishNEON(rows, nv, na, "flags+40(FP)", "bias+48(FP)")
}

// transpose4 is transpose16 for NEON and up to 4 rows.
func (w *writer) transpose4(name string) {
	w.text(name, "dst unsafe.Pointer, ds int, src unsafe.Pointer, ss, k, rows int", 6)
	for i, s := range []string{"dst", "ds", "src", "ss", "k", "rows"} {
		w.p("MOVD %s+%d(FP), R%d", s, 8*i, i)
	}
	w.p("MOVD R2, R8") // rows that do not exist repeat the last one
	for i := 1; i < 4; i++ {
		w.p("CMP  $%d, R5", i)
		w.p("CSEL GT, R3, ZR, R6")
		w.p("ADD  R6, R%d, R%d", 7+i, 8+i)
	}
	store := func(label string, r int) {
		w.p("CMP  $4, R5")
		w.p("BEQ  %sfull", label)
		w.partNEON(label, 1, "R0", r, false)
		w.p("B    %send", label)
		w.label(label + "full")
		w.p("VST1 [V%d.S4], (R0)", r)
		w.label(label + "end")
		w.p("ADD  R1, R0, R0")
	}
	w.p("MOVD R5, R20") // for partNEON
	w.p("SUBS $4, R4, R4")
	w.p("BLT  tail")
	w.label("loop")
	for i := range 4 {
		w.p("VLD1.P 16(R%d), [V%d.S4]", 8+i, i)
	}
	w.p("VTRN1 V1.S4, V0.S4, V4.S4")
	w.p("VTRN2 V1.S4, V0.S4, V5.S4")
	w.p("VTRN1 V3.S4, V2.S4, V6.S4")
	w.p("VTRN2 V3.S4, V2.S4, V7.S4")
	w.p("VTRN1 V6.D2, V4.D2, V0.D2")
	w.p("VTRN1 V7.D2, V5.D2, V1.D2")
	w.p("VTRN2 V6.D2, V4.D2, V2.D2")
	w.p("VTRN2 V7.D2, V5.D2, V3.D2")
	for i := range 4 {
		store(fmt.Sprintf("k%d", i), i)
	}
	w.p("SUBS $4, R4, R4")
	w.p("BGE  loop")
	w.label("tail")
	w.p("ADDS $4, R4, R4")
	w.p("BEQ  end")
	w.label("single")
	for i := range 4 {
		w.p("VLD1.P 4(R%d), V0.S[%d]", 8+i, i)
	}
	store("t", 0)
	w.p("SUBS $1, R4, R4")
	w.p("BNE  single")
	w.label("end")
	w.p("RET")
}

func neon(w *writer) {
	for _, t := range []struct{ nv, rows int }{{1, 8}, {2, 8}, {3, 8}, {4, 6}} {
		var names []string
		for r := 1; r <= t.rows; r++ {
			n := fmt.Sprintf("matmulDirect%dx%dNEON", r, t.nv*4)
			w.directNEON(n, r, t.nv)
			names = append(names, n)
		}
		w.table(fmt.Sprintf("matmulDirect%dNEON", t.nv), "matmulDirect", names)
	}
	w.packedNEON("matmulPacked6x16NEON")
	w.transpose4("transpose4NEON")
}
