package asm

import (
	"slices"
	"strings"
)

// isa writes the instructions of a target.
type isa interface {
	vectors() int // registers for vectors
	masks() int   // registers for masks; 0 if masks lie in vectors
	inst(w *writer, i int)
	frame(w *writer)
	loadConst(w *writer, bits uint32, reg int)
}

func isaOf(t Target) isa {
	if t == NEON {
		return neon{}
	}
	return x86{wide: t == AVX512}
}

// pool hands out registers, the lowest free one first.
type pool struct{ free []bool }

func newPool(n int) *pool { return &pool{make([]bool, n)} }

func (p *pool) put(r int) { p.free[r] = true }

func (p *pool) take() int {
	r := slices.Index(p.free, true)
	if r >= 0 {
		p.free[r] = false
	}
	return r
}

// writer writes one kernel.
type writer struct {
	*Builder
	file *File
	isa  isa
	text strings.Builder

	// For the whole kernel.
	constReg  map[uint32]int // constants that stay in registers
	scalarReg map[int]int
	accReg    [][]int // by accumulator: its sets, each of group() registers
	vec, mask *pool   // what is left for the body
	count     []int
	last      []int
	target    map[V]int // values computed straight into an accumulator

	// For the vector being written.
	loc     []int
	unit    int // number of the vector in the turn of the loop
	tail    bool
	highest int // most vector registers in use at once
	inUse   int
}

// group is the number of vectors that make 16 lanes, if the kernel has accumulators, or 1.
func (w *writer) group() int {
	if len(w.accs) == 0 {
		return 1
	}
	return 16 / w.Target.Lanes()
}

// lanes is the number of elements in a vector.
func (w *writer) lanes() int {
	for _, in := range w.prog {
		if in.op == opLoad && in.kind == Bytes {
			return 4 * w.Target.Lanes()
		}
	}
	return w.Target.Lanes()
}

// assign gives registers to scalars, accumulators and as many constants as fit.
func (w *writer) assign() {
	w.count, w.last = w.uses()
	w.target = map[V]int{}
	w.scalarReg, w.constReg = map[int]int{}, map[uint32]int{}
	w.accTargets()
	total := w.isa.vectors()
	w.vec, w.mask = newPool(1000), newPool(w.isa.masks())
	for r := range w.vec.free {
		w.vec.free[r] = true
	}
	w.freeMasks()
	pinned := 0
	for _, a := range w.accs {
		var regs []int
		for range w.group() * a.sets {
			regs = append(regs, 2000+pinned)
			pinned++
		}
		w.accReg = append(w.accReg, regs)
	}
	for s := range w.scalar {
		w.scalarReg[s] = 3000 + s
		pinned++
	}
	text := w.text
	w.text = strings.Builder{}
	w.body(0, false) // a dry run, to see how many registers it needs
	w.text = text
	need := w.highest
	top := total
	takeTop := func() int { top--; return top }
	for i := range w.accReg {
		for j := range w.accReg[i] {
			w.accReg[i][j] = takeTop()
		}
	}
	for s := range len(w.sig.Scalars) + 16 {
		if _, ok := w.scalar[s]; ok {
			w.scalarReg[s] = takeTop()
		}
	}
	if top < need {
		w.fail("needs %d registers beside %d, has %d", need, pinned, total)
	}
	type use struct{ v, n int }
	var order []use
	for i, in := range w.prog {
		if in.op == opConst {
			order = append(order, use{i, w.count[i]})
		}
	}
	slices.SortStableFunc(order, func(a, b use) int { return b.n - a.n })
	for _, u := range order {
		if top > need && u.n > 0 {
			w.constReg[w.prog[u.v].bits] = takeTop()
		}
	}
	w.vec = newPool(total)
	for r := range top {
		w.vec.put(r)
	}
}

func (w *writer) freeMasks() {
	for r := 2; r < w.isa.masks(); r++ { // 0 means no mask to the processor, 1 is the mask of the tail
		w.mask.put(r)
	}
}

// accTargets finds the values that can be computed straight into the register of an accumulator.
func (w *writer) accTargets() {
	for i, in := range w.prog {
		if in.op != opSetAcc {
			continue
		}
		v := in.a[0]
		for j, a := range w.prog {
			if a.op == opAcc && a.n == in.n && w.last[j] <= int(v) && w.last[v] == i && w.count[v] == 1 {
				w.target[v] = in.n
			}
		}
	}
}

// body writes the code of one vector.
func (w *writer) body(unit int, tail bool) {
	w.unit, w.tail = unit, tail
	w.loc = make([]int, len(w.prog))
	w.inUse = 0
	for i := range w.loc {
		w.loc[i] = -1
	}
	for i := range w.prog {
		w.isa.inst(w, i)
		w.release(i)
	}
}

// acc is the register of an accumulator for the vector being written.
func (w *writer) acc(n int) int {
	regs := w.accReg[n]
	return regs[w.unit%len(regs)]
}

// where is the register of a value, or -1 if it is a constant without one.
func (w *writer) where(v V) int {
	in := &w.prog[v]
	switch in.op {
	case opConst:
		if r, ok := w.constReg[in.bits]; ok {
			return r
		}
		return -1
	case opScalar:
		return w.scalarReg[in.n]
	case opAcc:
		return w.acc(in.n)
	}
	return w.loc[v]
}

// temporary says whether the value lies in a register that the body may take over.
func (w *writer) temporary(v V) bool {
	switch w.prog[v].op {
	case opConst, opScalar, opAcc:
		return false
	}
	return w.loc[v] >= 0
}

// dies says whether instruction i is the last to read v and may overwrite its register.
func (w *writer) dies(v V, i int) bool { return w.temporary(v) && w.last[v] == i }

// release frees the registers of values that are read for the last time by i, but for those handed on to its result.
func (w *writer) release(i int) {
	for _, v := range w.prog[i].a {
		if w.dies(v, i) {
			w.drop(v)
		}
	}
	if w.loc[i] >= 0 && w.last[i] < 0 {
		w.drop(V(i))
	}
}

func (w *writer) drop(v V) {
	r := w.loc[v]
	w.loc[v] = -1
	if _, ok := w.target[v]; ok {
		return
	}
	if w.prog[v].isMask() && w.isa.masks() > 0 {
		w.mask.put(r)
		return
	}
	w.putVec(r)
}

func (w *writer) takeVec() int {
	r := w.vec.take()
	if r < 0 {
		w.fail("out of vector registers")
	}
	w.inUse++
	w.highest = max(w.highest, w.inUse)
	return r
}

func (w *writer) putVec(r int) {
	w.inUse--
	w.vec.put(r)
}

func (w *writer) takeMask() int {
	r := w.mask.take()
	if r < 0 {
		w.fail("out of mask registers")
	}
	return r
}

// result takes a register for the value of i, after the operands that die there have given theirs back.
func (w *writer) result(i int) int {
	w.release(i)
	return w.resultApart(i)
}

// resultApart takes a register that differs from those of all operands.
func (w *writer) resultApart(i int) int {
	if n, ok := w.target[V(i)]; ok {
		w.loc[i] = w.acc(n)
		return w.loc[i]
	}
	if w.prog[i].isMask() && w.isa.masks() > 0 {
		w.loc[i] = w.takeMask()
	} else {
		w.loc[i] = w.takeVec()
	}
	return w.loc[i]
}

// over gives the result of i the register of v, which dies there; it says false if the result belongs elsewhere.
func (w *writer) over(i int, v V) bool {
	if n, ok := w.target[V(i)]; ok {
		if w.prog[v].op == opAcc && w.prog[v].n == n {
			w.loc[i] = w.acc(n)
			return true
		}
		return false
	}
	if !w.dies(v, i) {
		return false
	}
	w.loc[i] = w.loc[v]
	w.loc[v] = -1
	return true
}
