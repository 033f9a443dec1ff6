package asm

import "fmt"

// Registers of the frame: pointers, BX the number of the element, CX how many there are, AX, R12 and R13 for the moment.
var x86Pointers = []string{"DI", "SI", "DX", "R8", "R9", "R10"}

// address is that of stream n for the vector being written; in the tail of AVX2 the streams lie on the stack.
func (x x86) address(w *writer, n int, k Kind) string {
	if w.tail && !x.wide {
		return fmt.Sprintf("%d(SP)", 64*n+w.unit*w.lanes()*k.Size())
	}
	off := ""
	if !w.tail {
		if o := w.unit * w.lanes() * k.Size(); o > 0 {
			off = fmt.Sprint(o)
		}
	}
	return fmt.Sprintf("%s(%s)(BX*%d)", off, x86Pointers[n], k.Size())
}

// half is the address of the second half of a vector of float64.
func (x x86) half(w *writer, n int) string {
	lanes := w.Target.Lanes()
	if w.tail && !x.wide {
		return fmt.Sprintf("%d(SP)", 64*n+w.unit*lanes*8+lanes*4)
	}
	u := w.unit
	if w.tail {
		u = 0
	}
	return fmt.Sprintf("%d(%s)(BX*8)", u*lanes*8+lanes*4, x86Pointers[n])
}

func (x x86) load(w *writer, i int) {
	in := &w.prog[i]
	at := x.address(w, in.n, in.kind)
	name := map[Kind]string{F32: "VMOVUPS", I32: "VMOVUPS", Bytes: "VMOVUPS", U8: "VPMOVZXBD", I8: "VPMOVSXBD", U16: "VPMOVZXWD", F16: "VCVTPH2PS"}[in.kind]
	masked := x.wide && w.tail
	if masked && in.kind == Bytes {
		name = "VMOVDQU8"
	}
	switch {
	case in.kind == Mask8:
		t := w.takeVec()
		defer w.putVec(t)
		if x.wide {
			if masked {
				w.p("VPMOVZXBD.Z %s, K1, Z%d", at, t)
			} else {
				w.p("VPMOVZXBD %s, Z%d", at, t)
			}
			w.p("VPTESTMD Z%d, Z%d, K%d", t, t, w.result(i))
			return
		}
		zero := w.takeVec()
		defer w.putVec(zero)
		w.p("VPMOVZXBD %s, Y%d", at, t)
		w.p("VPXOR Y%d, Y%d, Y%d", zero, zero, zero)
		w.p("VPCMPGTD Y%d, Y%d, Y%d", zero, t, w.resultApart(i))
	case in.kind == F64:
		x.loadDouble(w, i, at)
	case masked && in.bits != 0:
		r := w.result(i)
		x.loadConst(w, in.bits, r)
		w.p("%s %s, K1, Z%d", name, at, r)
	case masked:
		w.p("%s.Z %s, K1, Z%d", name, at, w.result(i))
	default:
		w.p("%s %s, %s", name, at, x.r(w.result(i)))
	}
}

func (x x86) loadDouble(w *writer, i int, at string) {
	in := &w.prog[i]
	r, t := w.resultApart(i), w.takeVec()
	defer w.putVec(t)
	switch {
	case x.wide && w.tail:
		w.p("KSHIFTRW $8, K1, K2")
		w.p("VMOVUPD.Z %s, K1, Z%d", at, r)
		w.p("VMOVUPD.Z %s, K2, Z%d", x.half(w, in.n), t)
		w.p("VCVTPD2PS Z%d, Y%d", r, r)
		w.p("VCVTPD2PS Z%d, Y%d", t, t)
		w.p("VINSERTF64X4 $1, Y%d, Z%d, Z%d", t, r, r)
	case x.wide:
		w.p("VCVTPD2PS %s, Y%d", at, r)
		w.p("VCVTPD2PS %s, Y%d", x.half(w, in.n), t)
		w.p("VINSERTF64X4 $1, Y%d, Z%d, Z%d", t, r, r)
	default:
		w.p("VCVTPD2PSY %s, X%d", at, r)
		w.p("VCVTPD2PSY %s, X%d", x.half(w, in.n), t)
		w.p("VINSERTF128 $1, X%d, Y%d, Y%d", t, r, r)
	}
}

func (x x86) store(w *writer, in *ins, src string) {
	at := x.address(w, in.n, in.kind)
	k := ""
	if x.wide && w.tail {
		k = "K1, "
	}
	switch in.kind {
	case F32, I32:
		w.p("VMOVUPS %s, %s%s", src, k, at)
	case Bytes:
		name := "VMOVUPS"
		if k != "" {
			name = "VMOVDQU8"
		}
		w.p("%s %s, %s%s", name, src, k, at)
	case Mask8:
		x.storeMask(w, src, k, at)
	case U16:
		x.storeWords(w, src, k, at)
	case F16:
		w.p("VCVTPS2PH $0, %s, %s%s", src, k, at)
	case F64:
		x.storeDouble(w, in, src, at)
	default:
		w.fail("no store of kind %d", in.kind)
	}
}

// storeMask writes a byte for each lane, 0 or 1.
func (x x86) storeMask(w *writer, src, k, at string) {
	t := w.takeVec()
	defer w.putVec(t)
	if x.wide {
		w.p("VPBROADCASTB.Z %s, %s, X%d", w.file.bytesOne(), src, t)
		w.p("VMOVDQU8 X%d, %s%s", t, k, at)
		return
	}
	u := w.takeVec()
	defer w.putVec(u)
	w.p("VEXTRACTI128 $1, %s, X%d", src, u)
	w.p("VPACKSSDW X%d, X%s, X%d", u, src[1:], t)
	w.p("VPACKSSWB X%d, X%d, X%d", t, t, t)
	w.p("VPABSB X%d, X%d", t, t)
	w.p("VMOVQ X%d, %s", t, at)
}

// bytesOne is a constant whose lowest byte is 1.
func (f *File) bytesOne() string { return f.Const(0x01010101) }

func (x x86) storeWords(w *writer, src, k, at string) {
	if x.wide {
		w.p("VPMOVDW %s, %s%s", src, k, at)
		return
	}
	t := w.takeVec()
	defer w.putVec(t)
	w.p("VEXTRACTI128 $1, %s, X%d", src, t)
	w.p("VPACKUSDW X%d, X%s, X%d", t, src[1:], t)
	w.p("VMOVDQU X%d, %s", t, at)
}

func (x x86) storeDouble(w *writer, in *ins, src, at string) {
	t, half := w.takeVec(), x.half(w, in.n)
	defer w.putVec(t)
	low := src[1:]
	switch {
	case x.wide && w.tail:
		w.p("KSHIFTRW $8, K1, K2")
		w.p("VCVTPS2PD Y%s, Z%d", low, t)
		w.p("VMOVUPD Z%d, K1, %s", t, at)
		w.p("VEXTRACTF64X4 $1, Z%s, Y%d", low, t)
		w.p("VCVTPS2PD Y%d, Z%d", t, t)
		w.p("VMOVUPD Z%d, K2, %s", t, half)
	case x.wide:
		w.p("VCVTPS2PD Y%s, Z%d", low, t)
		w.p("VMOVUPD Z%d, %s", t, at)
		w.p("VEXTRACTF64X4 $1, Z%s, Y%d", low, t)
		w.p("VCVTPS2PD Y%d, Z%d", t, t)
		w.p("VMOVUPD Z%d, %s", t, half)
	default:
		w.p("VCVTPS2PD X%s, Y%d", low, t)
		w.p("VMOVUPD Y%d, %s", t, at)
		w.p("VEXTRACTF128 $1, Y%s, X%d", low, t)
		w.p("VCVTPS2PD X%d, Y%d", t, t)
		w.p("VMOVUPD Y%d, %s", t, half)
	}
}
