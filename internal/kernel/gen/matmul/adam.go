package main

import "fmt"

const adamSignature = "t *adamTile"

// Constants of Adam in memory; see kernel.Rows.
const adamConstants = `
DATA adamMagnitude<>+0(SB)/4, $0x7fffffff
GLOBL adamMagnitude<>(SB), RODATA|NOPTR, $4
DATA adamLeastG<>+0(SB)/4, $0x23800000 // 2^-56
GLOBL adamLeastG<>(SB), RODATA|NOPTR, $4
DATA adamLeastM<>+0(SB)/4, $0x0d800000 // 2^-100
GLOBL adamLeastM<>(SB), RODATA|NOPTR, $4
DATA adamLeastV<>+0(SB)/4, $0x07800000 // 2^-112
GLOBL adamLeastV<>(SB), RODATA|NOPTR, $4
`

// productAdam writes a kernel for rows x 2 vectors of C, as direct does for an A of which a column lies side by side; during
// each of the first n steps along K, n <= kc, it also runs Adam on a vector of weights that has nothing to do with the
// product. Roots and divisions take long and keep no multiplier busy: they are done beside the product almost for nothing.
//
// Registers: CX steps with Adam, R15 without, SI a, R9 cs, DX b, R10 bs, DI c, R11 ldc; R8 w, R12 m, R13 v, R14 g, BX their offset, AX the scalars.
func (w *writer) productAdam(name string, rows int) {
	v, nv := zmm, 2
	w.text(name, adamSignature, 1)
	w.p("MOVQ t+0(FP), AX")
	w.p("MOVQ 56(AX), R13")
	w.p("MOVL $1, CX")
	w.p("SHLXL R13, CX, CX")
	w.p("DECL CX")
	w.p("KMOVW CX, K1")
	for i, r := range []string{"R15", "SI", "R9", "DX", "R10", "DI", "R11", "", "CX", "R8", "R12", "R13", "R14"} {
		if r != "" {
			w.p("MOVQ %d(AX), %s", 8*i, r)
		}
	}
	w.p("MOVQ 104(AX), AX")
	w.p("SUBQ CX, R15")
	na := rows * nv
	for i := range na {
		w.p("%s", v.zero(v.r(i)))
	}
	if na > 24 {
		panic(name)
	}
	b, factors := []string{v.r(24), v.r(25)}, []string{v.r(26), v.r(31)}
	step := func(beside []string) {
		for j := range nv {
			w.load(v, j == nv-1, fmt.Sprintf("%d(DX)", j*v.bytes), b[j])
		}
		w.p("ADDQ R10, DX")
		for i := range rows {
			f := factors[i%2]
			w.p("VBROADCASTSS %d(SI), %s", 4*i, f)
			for j := range nv {
				w.p("VFMADD231PS %s, %s, %s", b[j], f, v.r(i*nv+j))
			}
			for _, s := range beside[len(beside)*i/rows : len(beside)*(i+1)/rows] {
				w.p("%s", s)
			}
		}
		w.p("ADDQ R9, SI")
	}
	w.p("XORL BX, BX")
	w.p("TESTQ CX, CX")
	w.p("JZ   rest")
	w.p("PCALIGN $64")
	w.label("both")
	step(adamVector(v.r(27), v.r(28), v.r(29), v.r(30)))
	w.p("ADDQ $64, BX")
	w.p("DECQ CX")
	w.p("JNZ  both")
	w.label("rest")
	w.p("TESTQ R15, R15")
	w.p("JZ   done")
	w.p("PCALIGN $64")
	w.label("product")
	step(nil)
	w.p("DECQ R15")
	w.p("JNZ  product")
	w.label("done")
	w.stores(v, rows, nv, func(i, j int) string { return v.r(i*nv + j) }, true)
}

// adamVector is one step of Adam on the vectors at BX: operation for operation what the kernel of rows does.
func adamVector(g, m, v, t string) []string {
	var out []string
	add := func(format string, a ...any) { out = append(out, fmt.Sprintf(format, a...)) }
	keep := func(x, least string) {
		add("VANDPS.BCST adamMagnitude<>(SB), %s, %s", x, t)
		add("VCMPPS.BCST $22, %s<>(SB), %s, K2", least, t)
		add("VMOVAPS.Z %s, K2, %s", x, x)
	}
	add("VMOVUPS (R14)(BX*1), %s", g)
	add("VMOVUPS (R13)(BX*1), %s", v)
	add("VMOVUPS (R12)(BX*1), %s", m)
	keep(g, "adamLeastG")
	add("VSUBPS %s, %s, %s", m, g, t)
	add("VMULPS %s, %s, %s", g, g, g)
	add("VSUBPS %s, %s, %s", v, g, g)
	add("VMULPS.BCST 4(AX), %s, %s", g, g)
	add("VADDPS %s, %s, %s", g, v, v)
	add("VMULPS.BCST 0(AX), %s, %s", t, t)
	add("VADDPS %s, %s, %s", t, m, m)
	keep(v, "adamLeastV")
	add("VMOVUPS %s, (R13)(BX*1)", v)
	add("VSQRTPS %s, %s", v, v)
	keep(m, "adamLeastM")
	add("VMOVUPS %s, (R12)(BX*1)", m)
	add("VMULPS.BCST 8(AX), %s, %s", m, m)
	add("VMOVUPS (R8)(BX*1), %s", g)
	add("VMULPS.BCST 16(AX), %s, %s", g, t)
	add("VSUBPS %s, %s, %s", t, g, g)
	add("VADDPS.BCST 12(AX), %s, %s", v, v)
	add("VDIVPS %s, %s, %s", v, m, m)
	add("VSUBPS %s, %s, %s", m, g, g)
	add("VMOVUPS %s, (R8)(BX*1)", g)
	return out
}
