package main

import "fmt"

const packedSignature = "kc int, a, b, c unsafe.Pointer, ldc, flags int, bias unsafe.Pointer"

// packed writes a kernel for rows x nv full vectors of C from packed panels: rows floats of A and nv vectors of B per k.
// C is prefetched a line at a time during the first steps, which hides where it comes from.
func (w *writer) packed(name string, v vectors, rows, nv int) {
	w.text(name, packedSignature, 7)
	w.p("MOVQ kc+0(FP), CX")
	w.p("MOVQ a+8(FP), SI")
	w.p("MOVQ b+16(FP), DX")
	w.p("MOVQ c+24(FP), DI")
	w.p("MOVQ ldc+32(FP), R11")
	acc := func(i, j int) string { return v.r(i*nv + j) }
	na := rows * nv
	free := min(3, v.count-na-nv)
	for i := range na {
		w.p("%s", v.zero(v.r(i)))
	}
	step := func(u int) {
		for j := range nv {
			w.p("VMOVUPS %d(DX), %s", (u*nv+j)*v.bytes, v.r(na+j))
		}
		for i := range rows {
			r := v.r(na + nv + i%free)
			w.p("VBROADCASTSS %d(SI), %s", (u*rows+i)*4, r)
			for j := range nv {
				w.p("VFMADD231PS %s, %s, %s", v.r(na+j), r, acc(i, j))
			}
		}
	}
	const unroll = 4
	lines := (nv*v.bytes + 63) / 64
	next := func() { w.p("ADDQ $%d, SI", unroll*rows*4); w.p("ADDQ $%d, DX", unroll*nv*v.bytes) }
	w.p("MOVQ CX, BX")
	w.p("ANDQ $%d, BX", unroll-1)
	w.p("SUBQ BX, CX")
	w.p("JZ   tail")
	w.p("CMPQ CX, $%d", unroll*rows)
	w.p("JLT  loop")
	w.p("MOVQ DI, R9")
	w.p("MOVQ $%d, R10", rows)
	w.p("PCALIGN $64")
	w.label("first")
	for u := range unroll {
		if u < lines {
			w.p("PREFETCHT0 %d(R9)", u*64)
		}
		step(u)
	}
	w.p("ADDQ R11, R9")
	next()
	w.p("SUBQ $%d, CX", unroll)
	w.p("DECQ R10")
	w.p("JNZ  first")
	w.p("TESTQ CX, CX")
	w.p("JZ   tail")
	w.p("PCALIGN $64")
	w.label("loop")
	for u := range unroll {
		step(u)
	}
	next()
	w.p("SUBQ $%d, CX", unroll)
	w.p("JNZ  loop")
	w.label("tail")
	w.p("TESTQ BX, BX")
	w.p("JZ   done")
	w.label("single")
	step(0)
	w.p("ADDQ $%d, SI", rows*4)
	w.p("ADDQ $%d, DX", nv*v.bytes)
	w.p("DECQ BX")
	w.p("JNZ  single")
	w.label("done")
	w.finishPacked(v, rows, nv, na, acc)
}

// finishPacked is finish for full vectors.
func (w *writer) finishPacked(v vectors, rows, nv, t int, acc func(i, j int) string) {
	w.p("MOVQ flags+40(FP), CX")
	w.p("TESTQ $1, CX")
	w.p("JZ   nosum")
	w.p("MOVQ DI, AX")
	for i := range rows {
		for j := range nv {
			w.p("VADDPS %d(AX), %s, %s", j*v.bytes, acc(i, j), acc(i, j))
		}
		if i < rows-1 {
			w.p("ADDQ R11, AX")
		}
	}
	w.label("nosum")
	w.p("TESTQ $2, CX")
	w.p("JZ   nobias")
	w.p("MOVQ bias+48(FP), AX")
	for j := range nv {
		w.p("VMOVUPS %d(AX), %s", j*v.bytes, v.r(t))
		for i := range rows {
			w.p("VADDPS %s, %s, %s", v.r(t), acc(i, j), acc(i, j))
		}
	}
	w.label("nobias")
	w.p("TESTQ $4, CX")
	w.p("JZ   norelu")
	w.p("%s", v.zero(v.r(t)))
	for i := range rows * nv {
		w.relu(v, i, t)
	}
	w.label("norelu")
	w.stores(v, rows, nv, acc, false)
}

// transpose16 writes a kernel that turns up to 16 rows of k floats into k rows: dst[j*ds + i] = src[i*ss + j], strides in bytes.
func (w *writer) transpose16(name string) {
	w.text(name, "dst unsafe.Pointer, ds int, src unsafe.Pointer, ss, k, rows int", 6)
	w.p("MOVQ dst+0(FP), DI")
	w.p("MOVQ ds+8(FP), R8")
	w.p("MOVQ src+16(FP), SI")
	w.p("MOVQ ss+24(FP), R9")
	w.p("MOVQ k+32(FP), CX")
	w.p("MOVQ rows+40(FP), R11")
	w.p("MOVL $1, AX")
	w.p("SHLXL R11, AX, AX")
	w.p("DECL AX")
	w.p("KMOVW AX, K1")
	w.p("MOVL $0xffff, AX")
	w.p("KMOVW AX, K2")
	w.p("XORQ R13, R13")
	w.label("block")
	w.p("MOVQ CX, R12")
	w.p("CMPQ CX, $16")
	w.p("JGE  full")
	w.p("MOVL $1, AX")
	w.p("SHLXL CX, AX, AX")
	w.p("DECL AX")
	w.p("KMOVW AX, K2")
	w.p("JMP  load")
	w.label("full")
	w.p("MOVQ $16, R12")
	w.label("load")
	w.p("MOVQ SI, R10")
	for i := range 16 { // rows that do not exist repeat the last one
		w.p("VMOVUPS.Z (R10), K2, Z%d", i)
		if i < 15 {
			w.p("CMPQ R11, $%d", i+1)
			w.p("MOVQ R9, AX")
			w.p("CMOVQLE R13, AX")
			w.p("ADDQ AX, R10")
		}
	}
	for i := range 8 {
		w.p("VUNPCKLPS Z%d, Z%d, Z%d", 2*i+1, 2*i, 16+2*i)
		w.p("VUNPCKHPS Z%d, Z%d, Z%d", 2*i+1, 2*i, 16+2*i+1)
	}
	for i := range 4 {
		t := func(j int) int { return 16 + 4*i + j }
		w.p("VUNPCKLPD Z%d, Z%d, Z%d", t(2), t(0), 4*i)
		w.p("VUNPCKHPD Z%d, Z%d, Z%d", t(2), t(0), 4*i+1)
		w.p("VUNPCKLPD Z%d, Z%d, Z%d", t(3), t(1), 4*i+2)
		w.p("VUNPCKHPD Z%d, Z%d, Z%d", t(3), t(1), 4*i+3)
	}
	for c := range 4 {
		w.p("VSHUFF32X4 $0x88, Z%d, Z%d, Z%d", 4+c, c, 16+c)
		w.p("VSHUFF32X4 $0xdd, Z%d, Z%d, Z%d", 4+c, c, 20+c)
		w.p("VSHUFF32X4 $0x88, Z%d, Z%d, Z%d", 12+c, 8+c, 24+c)
		w.p("VSHUFF32X4 $0xdd, Z%d, Z%d, Z%d", 12+c, 8+c, 28+c)
	}
	for c := range 4 {
		w.p("VSHUFF32X4 $0x88, Z%d, Z%d, Z%d", 24+c, 16+c, c)
		w.p("VSHUFF32X4 $0xdd, Z%d, Z%d, Z%d", 24+c, 16+c, 8+c)
		w.p("VSHUFF32X4 $0x88, Z%d, Z%d, Z%d", 28+c, 20+c, 4+c)
		w.p("VSHUFF32X4 $0xdd, Z%d, Z%d, Z%d", 28+c, 20+c, 12+c)
	}
	for c := range 16 {
		w.p("VMOVUPS Z%d, K1, (DI)", c)
		w.p("ADDQ R8, DI")
		if c < 15 {
			w.p("CMPQ R12, $%d", c+1)
			w.p("JEQ  end")
		}
	}
	w.label("end")
	w.p("ADDQ $64, SI")
	w.p("SUBQ R12, CX")
	w.p("JNZ  block")
	w.p("VZEROUPPER")
	w.p("RET")
}

// copyRows writes a kernel that copies k rows of up to nv vectors: dst[j*ds + i] = src[j*ss + i], strides in bytes. The last
// vector has last valid elements. AVX2, whose masked stores are slow, writes it whole, but in the last row.
func (w *writer) copyRows(name string, v vectors, nv int) {
	w.text(name, "dst unsafe.Pointer, ds int, src unsafe.Pointer, ss, k, last int", 6)
	w.p("MOVQ dst+0(FP), DI")
	w.p("MOVQ ds+8(FP), R8")
	w.p("MOVQ src+16(FP), SI")
	w.p("MOVQ ss+24(FP), R9")
	w.p("MOVQ k+32(FP), CX")
	w.mask(v, "last+40(FP)")
	row := func(masked bool) {
		for j := range nv {
			w.load(v, j == nv-1, fmt.Sprintf("%d(SI)", j*v.bytes), v.r(j))
		}
		w.p("ADDQ R9, SI")
		for j := range nv {
			w.store(v, masked && j == nv-1, v.r(j), fmt.Sprintf("%d(DI)", j*v.bytes))
		}
		w.p("ADDQ R8, DI")
	}
	if !v.masked {
		w.p("DECQ CX")
		w.p("JZ   end")
	}
	w.label("loop")
	row(v.masked)
	w.p("DECQ CX")
	w.p("JNZ  loop")
	if !v.masked {
		w.label("end")
		row(true)
	}
	w.p("VZEROUPPER")
	w.p("RET")
}

// transpose8 is transpose16 for AVX2 and up to 8 rows; it writes 8 elements, but in the last row.
func (w *writer) transpose8(name string) {
	w.text(name, "dst unsafe.Pointer, ds int, src unsafe.Pointer, ss, k, rows int", 6)
	w.p("MOVQ dst+0(FP), DI")
	w.p("MOVQ ds+8(FP), R8")
	w.p("MOVQ src+16(FP), SI")
	w.p("MOVQ ss+24(FP), R9")
	w.p("MOVQ k+32(FP), CX")
	w.p("MOVQ rows+40(FP), R11")
	w.p("XORQ R13, R13")
	w.p("LEAQ ·matmulMask+32(SB), R12")
	next := func(i int) {
		if i < 7 { // rows that do not exist repeat the last one
			w.p("CMPQ R11, $%d", i+1)
			w.p("MOVQ R9, AX")
			w.p("CMOVQLE R13, AX")
			w.p("ADDQ AX, R10")
		}
	}
	w.label("block")
	w.p("MOVQ SI, R10")
	w.p("CMPQ CX, $8")
	w.p("JLT  part")
	for i := range 8 {
		w.p("VMOVUPS (R10), Y%d", i)
		next(i)
	}
	w.p("JMP  turn")
	w.label("part")
	w.p("MOVQ CX, BX")
	w.p("NEGQ BX")
	w.p("VMOVUPS (R12)(BX*4), Y8")
	for i := range 8 {
		w.p("VMASKMOVPS (R10), Y8, Y%d", i)
		next(i)
	}
	w.label("turn")
	for i := range 4 {
		w.p("VUNPCKLPS Y%d, Y%d, Y%d", 2*i+1, 2*i, 8+2*i)
		w.p("VUNPCKHPS Y%d, Y%d, Y%d", 2*i+1, 2*i, 9+2*i)
	}
	for i := range 2 {
		t := func(j int) int { return 8 + 4*i + j }
		w.p("VUNPCKLPD Y%d, Y%d, Y%d", t(2), t(0), 4*i)
		w.p("VUNPCKHPD Y%d, Y%d, Y%d", t(2), t(0), 4*i+1)
		w.p("VUNPCKLPD Y%d, Y%d, Y%d", t(3), t(1), 4*i+2)
		w.p("VUNPCKHPD Y%d, Y%d, Y%d", t(3), t(1), 4*i+3)
	}
	for c := range 4 {
		w.p("VPERM2F128 $0x20, Y%d, Y%d, Y%d", 4+c, c, 8+c)
		w.p("VPERM2F128 $0x31, Y%d, Y%d, Y%d", 4+c, c, 12+c)
	}
	for c := range 8 {
		w.p("CMPQ CX, $%d", c+1)
		w.p("JEQ  end%d", c)
		w.p("VMOVUPS Y%d, (DI)", 8+c)
		w.p("ADDQ R8, DI")
	}
	w.p("ADDQ $32, SI")
	w.p("SUBQ $8, CX")
	w.p("JMP  block")
	for c := range 8 {
		w.label(fmt.Sprintf("end%d", c))
		w.p("VMOVAPS Y%d, Y8", 8+c)
		if c < 7 {
			w.p("JMP  end")
		}
	}
	w.label("end")
	w.p("NEGQ R11")
	w.p("VMOVUPS (R12)(R11*4), Y0")
	w.p("VMASKMOVPS Y8, Y0, (DI)")
	w.p("VZEROUPPER")
	w.p("RET")
}

func avx512(w *writer) {
	for _, t := range []struct{ nv, rows int }{{1, 14}, {2, 14}, {3, 8}, {4, 6}, {8, 2}} {
		var names []string
		for r := 1; r <= t.rows; r++ {
			n := fmt.Sprintf("matmulDirect%dx%dAVX512", r, t.nv*16)
			w.direct(n, zmm, r, t.nv)
			names = append(names, n)
		}
		w.table(fmt.Sprintf("matmulDirect%dAVX512", t.nv), "matmulDirect", names)
	}
	w.asm.WriteString(adamConstants)
	var fused []string
	for r := 1; r <= 12; r++ {
		n := fmt.Sprintf("productAdam%dAVX512", r)
		w.productAdam(n, r)
		fused = append(fused, n)
	}
	w.table("productAdamAVX512", "productAdam", fused)
	w.packed("matmulPacked8x48AVX512", zmm, 8, 3)
	w.transpose16("transpose16AVX512")
	var names []string
	for nv := 1; nv <= 3; nv++ {
		n := fmt.Sprintf("copyRows%dAVX512", nv)
		w.copyRows(n, zmm, nv)
		names = append(names, n)
	}
	w.table("copyRowsAVX512", "copyRows", names)
}

func avx2(w *writer) {
	for _, t := range []struct{ nv, rows int }{{1, 10}, {2, 6}, {4, 2}} {
		var names []string
		for r := 1; r <= t.rows; r++ {
			n := fmt.Sprintf("matmulDirect%dx%dAVX2", r, t.nv*8)
			w.direct(n, ymm, r, t.nv)
			names = append(names, n)
		}
		w.table(fmt.Sprintf("matmulDirect%dAVX2", t.nv), "matmulDirect", names)
	}
	w.packed("matmulPacked6x16AVX2", ymm, 6, 2)
	w.transpose8("transpose8AVX2")
	var names []string
	for nv := 1; nv <= 2; nv++ {
		n := fmt.Sprintf("copyRows%dAVX2", nv)
		w.copyRows(n, ymm, nv)
		names = append(names, n)
	}
	w.table("copyRowsAVX2", "copyRows", names)
}
