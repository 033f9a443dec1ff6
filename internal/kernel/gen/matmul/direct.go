package main

import "fmt"

// vectors describes the registers of a level.
type vectors struct {
	reg    string // "Z" or "Y"
	bytes  int
	count  int
	zero   func(r string) string
	masked bool // masks in K1; else in the register Y15
}

var (
	zmm = vectors{"Z", 64, 32, func(r string) string { return fmt.Sprintf("VPXORD %s, %s, %s", r, r, r) }, true}
	ymm = vectors{"Y", 32, 16, func(r string) string { return fmt.Sprintf("VXORPS %s, %s, %s", r, r, r) }, false}
)

func (v vectors) r(i int) string { return fmt.Sprintf("%s%d", v.reg, i) }

const directSignature = "kc int, a unsafe.Pointer, rs, cs int, b unsafe.Pointer, bs int, c unsafe.Pointer, ldc, flags, last int, bias unsafe.Pointer"

// direct writes a kernel for rows x nv vectors of C. Element (i,k) of A lies at a + i*rs + k*cs bytes, row k of B at
// b + k*bs, row i of C at c + i*ldc; the last vector of B, C and bias has last valid elements. Flags: 1 adds C, 2 adds the
// bias, 4 applies ReLU.
//
// Registers: CX k, SI a, R8 rs, R9 cs, DX b, R10 bs, DI c, R11 ldc, R12 3rs, R13 5rs, BX 7rs, AX a+9rs.
func (w *writer) direct(name string, v vectors, rows, nv int) {
	w.text(name, directSignature, 11)
	w.p("MOVQ kc+0(FP), CX")
	w.p("MOVQ a+8(FP), SI")
	w.p("MOVQ rs+16(FP), R8")
	w.p("MOVQ cs+24(FP), R9")
	w.p("MOVQ b+32(FP), DX")
	w.p("MOVQ bs+40(FP), R10")
	w.p("MOVQ c+48(FP), DI")
	w.p("MOVQ ldc+56(FP), R11")
	w.mask(v, "last+72(FP)")
	acc := func(i, j int) string { return v.r(i*nv + j) }
	na := rows * nv
	ahead := v.masked && rows > 1 && rows <= 8 // few rows wait for B
	free := v.count - na - nv
	if !v.masked {
		free-- // the mask
	}
	free = min(3, free)
	if free < 1 {
		panic(name)
	}
	if rows > 3 {
		w.p("LEAQ (R8)(R8*2), R12")
	}
	if rows > 5 {
		w.p("LEAQ (R8)(R8*4), R13")
	}
	if rows > 7 {
		w.p("LEAQ (R12)(R8*4), BX")
	}
	if rows > 9 {
		w.p("LEAQ (SI)(BX*1), AX")
		w.p("LEAQ (AX)(R8*2), AX")
	}
	for i := range na {
		w.p("%s", v.zero(v.r(i)))
	}
	step := func(contiguous bool, u int) {
		for j := range nv {
			w.load(v, j == nv-1, fmt.Sprintf("%d(DX)", j*v.bytes), v.r(na+j))
		}
		if ahead {
			for j := range nv {
				w.p("PREFETCHT0 %d(DX)(R10*8)", j*64)
			}
		}
		w.p("ADDQ R10, DX")
		for i := range rows {
			r := v.r(na + nv + i%free)
			at := rowAddress(i)
			if contiguous {
				at = fmt.Sprintf("%d%s", u*4, at)
			}
			if nv == 1 && v.masked {
				w.p("VFMADD231PS.BCST %s, %s, %s", at, v.r(na), acc(i, 0))
				continue
			}
			w.p("VBROADCASTSS %s, %s", at, r)
			for j := range nv {
				w.p("VFMADD231PS %s, %s, %s", v.r(na+j), r, acc(i, j))
			}
		}
		if !contiguous {
			w.p("ADDQ R9, SI")
			if rows > 9 {
				w.p("ADDQ R9, AX")
			}
		}
	}
	const unroll = 4
	w.p("CMPQ R9, $4")
	w.p("JNE  strided")
	w.p("SUBQ $%d, CX", unroll)
	w.p("JL   rest")
	w.p("PCALIGN $64")
	w.label("loop")
	for u := range unroll {
		step(true, u)
	}
	w.p("ADDQ $%d, SI", unroll*4)
	if rows > 9 {
		w.p("ADDQ $%d, AX", unroll*4)
	}
	w.p("SUBQ $%d, CX", unroll)
	w.p("JGE  loop")
	w.label("rest")
	w.p("ADDQ $%d, CX", unroll)
	w.p("JMP  test")
	w.label("strided")
	w.p("SUBQ $2, CX")
	w.p("JL   odd")
	w.p("PCALIGN $64")
	w.label("loop2")
	step(false, 0)
	step(false, 0)
	w.p("SUBQ $2, CX")
	w.p("JGE  loop2")
	w.label("odd")
	w.p("ADDQ $2, CX")
	w.label("test")
	w.p("TESTQ CX, CX")
	w.p("JZ   done")
	w.label("single")
	step(false, 0)
	w.p("DECQ CX")
	w.p("JNZ  single")
	w.label("done")
	w.finish(v, rows, nv, na, acc, "flags+64(FP)", "bias+80(FP)")
}

func rowAddress(i int) string {
	base := "SI"
	if i >= 9 {
		base, i = "AX", i-9
	}
	return map[int]string{0: "(" + base + ")", 1: "(" + base + ")(R8*1)", 2: "(" + base + ")(R8*2)", 3: "(" + base + ")(R12*1)",
		4: "(" + base + ")(R8*4)", 5: "(" + base + ")(R13*1)", 6: "(" + base + ")(R12*2)", 7: "(" + base + ")(BX*1)", 8: "(" + base + ")(R8*8)"}[i]
}

// mask sets K1 or Y15 from the number of valid elements of the last vector.
func (w *writer) mask(v vectors, last string) {
	w.p("MOVQ %s, R13", last)
	if v.masked {
		w.p("MOVL $1, AX")
		w.p("SHLXL R13, AX, AX")
		w.p("DECL AX")
		w.p("KMOVW AX, K1")
		return
	}
	w.p("NEGQ R13")
	w.p("LEAQ ·matmulMask+32(SB), AX")
	w.p("VMOVUPS (AX)(R13*4), Y15")
}

func (w *writer) load(v vectors, last bool, at, reg string) {
	switch {
	case last && v.masked:
		w.p("VMOVUPS.Z %s, K1, %s", at, reg)
	case last:
		w.p("VMASKMOVPS %s, Y15, %s", at, reg)
	default:
		w.p("VMOVUPS %s, %s", at, reg)
	}
}

func (w *writer) store(v vectors, last bool, reg, at string) {
	switch {
	case last && v.masked:
		w.p("VMOVUPS %s, K1, %s", reg, at)
	case last:
		w.p("VMASKMOVPS %s, Y15, %s", reg, at)
	default:
		w.p("VMOVUPS %s, %s", reg, at)
	}
}

// finish adds C and the bias, applies ReLU and stores; t is the first register that is free. CX and AX are used.
func (w *writer) finish(v vectors, rows, nv, t int, acc func(i, j int) string, flags, bias string) {
	w.p("MOVQ %s, CX", flags)
	w.p("TESTQ $1, CX")
	w.p("JZ   nosum")
	w.p("MOVQ DI, AX")
	for i := range rows {
		for j := range nv {
			w.load(v, j == nv-1, fmt.Sprintf("%d(AX)", j*v.bytes), v.r(t))
			w.p("VADDPS %s, %s, %s", v.r(t), acc(i, j), acc(i, j))
		}
		if i < rows-1 {
			w.p("ADDQ R11, AX")
		}
	}
	w.label("nosum")
	w.p("TESTQ $2, CX")
	w.p("JZ   nobias")
	w.p("MOVQ %s, AX", bias)
	for j := range nv {
		w.load(v, j == nv-1, fmt.Sprintf("%d(AX)", j*v.bytes), v.r(t))
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
	if !v.masked { // masked stores are slow
		w.p("MOVQ last+72(FP), AX")
		w.p("CMPQ AX, $8")
		w.p("JNE  masked")
		w.stores(v, rows, nv, acc, false)
		w.label("masked")
	}
	w.stores(v, rows, nv, acc, true)
}

// relu is max(0, register i); zero lies in register t. What comes out for NaN is the second source, the sum; and of two zeros
// too, so +0 is added, which leaves no -0.
func (w *writer) relu(v vectors, i, t int) {
	w.p("VMAXPS %s, %s, %s", v.r(i), v.r(t), v.r(i))
	w.p("VADDPS %s, %s, %s", v.r(t), v.r(i), v.r(i))
}

func (w *writer) stores(v vectors, rows, nv int, acc func(i, j int) string, masked bool) {
	for i := range rows {
		for j := range nv {
			w.store(v, masked && j == nv-1, acc(i, j), fmt.Sprintf("%d(DI)", j*v.bytes))
		}
		if i < rows-1 {
			w.p("ADDQ R11, DI")
		}
	}
	w.p("VZEROUPPER")
	w.p("RET")
}
