package main

import (
	"fmt"
	"strings"

	"github.com/kun-ml/kun/internal/kernel/gen/asm"
)

// philox writes Philox4x32-10 for whole units of 8 blocks, which are 32 numbers. A 64-bit lane holds one of the four words
// of a block in its low half; what its high half holds does not matter, as VPMULUDQ does not read it.
type philox struct {
	strings.Builder
	o    *out
	wide bool
}

func (w *philox) p(format string, a ...any) { fmt.Fprintf(w, "\t"+format+"\n", a...) }

func (w *philox) r(n int) string {
	if w.wide {
		return fmt.Sprintf("Z%d", n)
	}
	return fmt.Sprintf("Y%d", n)
}

// The two layouts of registers: six for each set of blocks, from 0; then what is the same for all.
const (
	philoxK0 = 12 + iota
	philoxK1
	philoxM0
	philoxM1
	philoxBelow // and later: AVX-512 only
	philoxW0
	philoxW1
	philoxLanes
	philoxT
)

func random(o *out) {
	if o.Target == asm.NEON {
		return
	}
	w := &philox{o: o, wide: o.Target == asm.AVX512}
	// Lanes in the order in which the last step takes them apart.
	if w.wide {
		o.file.Table("lanes", []uint32{0, 0, 4, 0, 1, 0, 5, 0, 2, 0, 6, 0, 3, 0, 7, 0})
	} else {
		o.file.Table("lanes", []uint32{0, 0, 2, 0, 1, 0, 3, 0})
		o.file.Table("order", []uint32{0, 4, 1, 5, 2, 6, 3, 7})
	}
	name := "bernoulli" + o.Suffix()
	w.begin(name, 44)
	w.loops(w.bytes, 32)
	o.file.Raw(w.String(), "//go:noescape\nfunc "+name+"(dst unsafe.Pointer, units int, block, key, step uint64, below uint32)\n")
	w.Reset()
	name = "uniform" + o.Suffix()
	w.begin(name, 40)
	w.loops(w.floats, 128)
	o.file.Raw(w.String(), "//go:noescape\nfunc "+name+"(dst unsafe.Pointer, units int, block, key, step uint64)\n")
}

func (w *philox) begin(name string, args int) {
	fmt.Fprintf(w, "// func %s\nTEXT ·%s(SB), NOSPLIT, $0-%d\n", name, name, args)
	w.p("MOVQ dst+0(FP), DI\n\tMOVQ units+8(FP), CX\n\tMOVQ block+16(FP), R8")
	w.p("VPBROADCASTD %s, %s", w.o.file.Const(0xD2511F53), w.r(philoxM0))
	w.p("VPBROADCASTD %s, %s", w.o.file.Const(0xCD9E8D57), w.r(philoxM1))
	if w.wide {
		w.p("VPBROADCASTD %s, Z%d", w.o.file.Const(0x9E3779B9), philoxW0)
		w.p("VPBROADCASTD %s, Z%d", w.o.file.Const(0xBB67AE85), philoxW1)
		w.p("VMOVDQU64 lanes<>(SB), Z%d\n\tMOVL $0xAAAA, AX\n\tKMOVW AX, K1", philoxLanes)
		if args > 40 {
			w.p("VBROADCASTSS below+40(FP), Z%d", philoxBelow)
		}
	}
}

// loops writes two units at a time for AVX-512, whose units are one set of blocks; one for AVX2, where it is two.
func (w *philox) loops(finish func(at int, c [4]int), bytes int) {
	body := func(units int) {
		n := units
		if !w.wide {
			n *= 2
		}
		sets := w.blocks(n)
		for i, c := range sets {
			finish(i, c)
		}
		w.p("ADDQ $%d, DI\n\tADDQ $%d, R8", units*bytes, units*8)
	}
	if w.wide {
		w.p("SUBQ $2, CX\n\tJLT last\n\tPCALIGN $32")
		fmt.Fprintf(w, "loop:\n")
		body(2)
		w.p("SUBQ $2, CX\n\tJGE loop")
		fmt.Fprintf(w, "last:\n")
		w.p("ADDQ $2, CX\n\tJLE done")
		body(1)
	} else {
		w.p("TESTQ CX, CX\n\tJLE done\n\tPCALIGN $32")
		fmt.Fprintf(w, "loop:\n")
		body(1)
		w.p("DECQ CX\n\tJNZ loop")
	}
	fmt.Fprintf(w, "done:\n")
	w.p("VZEROUPPER\n\tRET\n")
}

// blocks writes the ten rounds of some sets, 8 or 4 blocks each, and gives the registers of the four words.
func (w *philox) blocks(sets int) [][4]int {
	k0, k1 := w.r(philoxK0), w.r(philoxK1)
	regs := make([][6]int, sets)
	for s := range regs {
		for i := range regs[s] {
			regs[s][i] = 6*s + i
		}
		c := regs[s]
		if w.wide {
			w.p("LEAQ %d(R8), AX\n\tVPBROADCASTQ AX, %s\n\tVPADDQ %s, %s, %s", 8*s, w.r(c[0]), w.r(philoxLanes), w.r(c[0]), w.r(c[0]))
		} else {
			w.p("LEAQ %d(R8), AX\n\tVMOVQ AX, X%d\n\tVPBROADCASTQ X%d, %s\n\tVPADDQ lanes<>(SB), %s, %s", 4*s, c[0], c[0], w.r(c[0]), w.r(c[0]), w.r(c[0]))
		}
		w.p("VPSRLQ $32, %s, %s", w.r(c[0]), w.r(c[1]))
		w.p("VPBROADCASTQ step+32(FP), %s\n\tVPSRLQ $32, %s, %s", w.r(c[2]), w.r(c[2]), w.r(c[3]))
	}
	w.p("VPBROADCASTQ key+24(FP), %s\n\tVPSRLQ $32, %s, %s", k0, k0, k1)
	for round := range 10 {
		if round > 0 {
			if w.wide {
				w.p("VPADDD Z%d, %s, %s\n\tVPADDD Z%d, %s, %s", philoxW0, k0, k0, philoxW1, k1, k1)
			} else {
				w.p("VPADDD %s, %s, %s\n\tVPADDD %s, %s, %s", w.o.file.Const(0x9E3779B9), k0, k0, w.o.file.Const(0xBB67AE85), k1, k1)
			}
		}
		for s := range regs {
			c := &regs[s]
			w.p("VPMULUDQ %s, %s, %s", w.r(philoxM0), w.r(c[0]), w.r(c[4]))
			w.p("VPMULUDQ %s, %s, %s", w.r(philoxM1), w.r(c[2]), w.r(c[5]))
			w.p("VPSRLQ $32, %s, %s", w.r(c[5]), w.r(c[0]))
			w.p("VPSRLQ $32, %s, %s", w.r(c[4]), w.r(c[2]))
			w.xor(c[1], k0, c[0])
			w.xor(c[3], k1, c[2])
			c[1], c[3], c[4], c[5] = c[5], c[4], c[1], c[3]
		}
	}
	out := make([][4]int, sets)
	for s, c := range regs { // two words to a lane, then the four of a block side by side
		if w.wide {
			w.p("VMOVSLDUP %s, K1, %s\n\tVMOVSLDUP %s, K1, %s", w.r(c[1]), w.r(c[0]), w.r(c[3]), w.r(c[2]))
		} else {
			w.p("VMOVSLDUP %s, %s\n\tVPBLENDD $0xAA, %s, %s, %s", w.r(c[1]), w.r(c[1]), w.r(c[1]), w.r(c[0]), w.r(c[0]))
			w.p("VMOVSLDUP %s, %s\n\tVPBLENDD $0xAA, %s, %s, %s", w.r(c[3]), w.r(c[3]), w.r(c[3]), w.r(c[2]), w.r(c[2]))
		}
		w.p("VPUNPCKLQDQ %s, %s, %s", w.r(c[2]), w.r(c[0]), w.r(c[4]))
		w.p("VPUNPCKHQDQ %s, %s, %s", w.r(c[2]), w.r(c[0]), w.r(c[5]))
		out[s] = [4]int{c[4], c[5], c[0], c[1]}
	}
	return out
}

// xor sets d to d ^ c ^ k.
func (w *philox) xor(c int, k string, d int) {
	if w.wide {
		w.p("VPTERNLOGD $0x96, %s, %s, %s", k, w.r(c), w.r(d))
		return
	}
	w.p("VPXOR %s, %s, %s\n\tVPXOR %s, %s, %s", w.r(c), w.r(d), w.r(d), k, w.r(d), w.r(d))
}

// bytes writes 1 for numbers below the limit.
func (w *philox) bytes(set int, c [4]int) {
	if w.wide {
		for i := range 2 {
			w.p("VPCMPUD $1, Z%d, Z%d, K2", philoxBelow, c[i])
			w.p("VPBROADCASTB.Z %s, K2, X%d\n\tVMOVDQU X%d, %d(DI)", w.o.file.Const(0x01010101), c[2], c[2], 32*set+16*i)
		}
		return
	}
	// The processor compares signed numbers: the top bits are turned. The keys are read again before the next unit.
	limit := w.r(philoxK0)
	w.p("VPBROADCASTD %s, %s", w.o.file.Const(0x80000000), w.r(philoxK1))
	w.p("VBROADCASTSS below+40(FP), %s\n\tVPXOR %s, %s, %s", limit, w.r(philoxK1), limit, limit)
	for i := range 2 {
		w.p("VPXOR %s, %s, %s", w.r(philoxK1), w.r(c[i]), w.r(c[i]))
		w.p("VPCMPGTD %s, %s, %s", w.r(c[i]), limit, w.r(c[i]))
	}
	w.p("VPACKSSDW %s, %s, %s", w.r(c[1]), w.r(c[0]), w.r(c[0]))
	if set == 0 {
		w.p("VMOVDQA %s, %s", w.r(c[0]), w.r(0)) // not used by the second set any more
		return
	}
	w.p("VPACKSSWB %s, %s, %s", w.r(c[0]), w.r(0), w.r(0))
	w.p("VMOVDQU order<>(SB), %s\n\tVPERMD %s, %s, %s", w.r(1), w.r(0), w.r(1), w.r(0))
	w.p("VPABSB %s, %s\n\tVMOVDQU %s, (DI)", w.r(0), w.r(0), w.r(0))
}

// floats writes the upper 24 bits as a number in [0, 1).
func (w *philox) floats(set int, c [4]int) {
	size := map[bool]int{true: 64, false: 32}[w.wide]
	for i := range 2 {
		r := w.r(c[i])
		w.p("VPSRLD $8, %s, %s\n\tVCVTDQ2PS %s, %s", r, r, r, r)
		if w.wide {
			w.p("VMULPS.BCST %s, %s, %s", w.o.file.Const(0x33800000), r, r)
		} else {
			w.p("VMULPS %s, %s, %s", w.o.file.Const(0x33800000), r, r)
		}
		w.p("VMOVUPS %s, %d(DI)", r, (2*set+i)*size)
	}
}
