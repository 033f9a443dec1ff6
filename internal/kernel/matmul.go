package kernel

import (
	"unsafe"

	"github.com/kun-ml/kun/internal/cpu"
)

//go:generate go run ./gen/matmul -out .

// MatMul says what a product computes: C(i,j) = act(sum over k of A(i,k)*B(k,j) + bias(j)). Strides are in elements; C and bias
// have columns side by side.
//
// The bits: K is cut into blocks, see KCut; each block is one chain of fused multiply-adds from zero, k ascending (at level
// Go a product is rounded before it is added); blocks are added in order, in groups of 16 that are added in order too;
// then the bias, then ReLU, max(x, 0), which keeps NaN. Nothing else shows: not tiles, packing, M, N or threads. The
// vector levels agree.
type MatMul struct {
	M, N, K    int
	ARow, ACol int
	BRow, BCol int
	CRow       int
	Bias, ReLU bool
	// ByBlocks asks for pieces that each read few rows of B, as many as a block of K has, so that in product after product a
	// core finds its own in its cache; what it costs is one more pass over C.
	ByBlocks bool
}

// group is the number of blocks of K that are added up apart.
const group = 16

// KCut is the cut of K: an even number of blocks of equal length, at most 400, rounded up to 8; or a single one. Package tensor
// states it as KCut.
func KCut(k int) (block, blocks int) {
	if k <= 0 {
		return 0, 0
	}
	blocks = (k + 399) / 400
	if blocks > 1 {
		blocks += blocks % 2
	}
	block = ((k+blocks-1)/blocks + 7) / 8 * 8
	return block, (k + block - 1) / block
}

// matmulDirect computes a tile of C from operands as they lie; see gen/matmul. Strides are in bytes.
type matmulDirect func(kc int, a unsafe.Pointer, rs, cs int, b unsafe.Pointer, bs int, c unsafe.Pointer, ldc, flags, last int, bias unsafe.Pointer)

// matmulPacked computes a full tile of C from packed panels.
type matmulPacked func(kc int, a, b, c unsafe.Pointer, ldc, flags int, bias unsafe.Pointer)

// Flags of a tile.
const (
	addC = 1 << iota
	addBias
	applyReLU
)

// matmulLevel are the kernels of a level.
type matmulLevel struct {
	lanes       int               // of a vector
	widest      int               // most vectors of a direct tile of many rows
	direct      [9][]matmulDirect // by vectors, then rows
	productAdam []productAdam     // by rows; nil: none
	mr, nr      int               // the packed tile
	packed      matmulPacked
	// transpose writes dst[j*ds+i] = src[i*ss+j] for j < k, i < rows <= lanes; strides in elements. With ds < lanes rows are written
	// in order, and what lies behind a row may be written before it.
	transpose func(dst unsafe.Pointer, ds int, src unsafe.Pointer, ss, k, rows int)
	// copyRows writes dst[j*ds+i] = src[j*ss+i] for j < k, i < n; n and ds are at most nr. What lies between n and ds may become zero.
	copyRows func(dst unsafe.Pointer, ds int, src unsafe.Pointer, ss, k, n int)
}

var matmulLevels [numLevels]*matmulLevel

// MatMulPlan is a product made ready. It is immutable.
type MatMulPlan struct {
	MatMul
	l      *matmulLevel // nil: plain Go
	add    func(dst, x unsafe.Pointer, n int)
	relu   Tile
	regime matmulRegime
	block  int // of K
	blocks int
	phases []int // pieces of each
	steps  []matmulStep

	rowGroups, colGroups int // the pieces of a phase that computes tiles

	// direct
	turned    bool // B is transposed, panel by panel
	panels    []panel
	width     int // of the widest panel
	rowPanels int
	byBlocks  bool // ByBlocks was granted

	// thin and thick
	aPanels, bPanels int
}

type matmulRegime uint8

const (
	plain  matmulRegime = iota // Go
	direct                     // on operands as they lie
	thin                       // A is packed first, B on the way
	thick                      // both are packed, block by block of K
)

type matmulKind uint8

const (
	plainPhase matmulKind = iota
	tilePhase
	packAPhase
	columnPhase
	packPhase
	multiplyPhase
	groupPhase
	blockPhase
	sumPhase
)

type matmulStep struct {
	kind  matmulKind
	block int // of K
}

// PlanMatMul decides how to run a product at a level on about that many threads, which choose the pieces and no bits.
func PlanMatMul(m MatMul, level cpu.Level, threads int) *MatMulPlan {
	p := &MatMulPlan{MatMul: m, l: matmulLevels[level], add: RowsOf(level).AddTo, relu: TileOf("Relu", level)}
	p.block, p.blocks = KCut(m.K)
	if m.M > 0 && m.N > 0 {
		p.plan(p.choose(threads), threads)
	}
	return p
}

func (p *MatMulPlan) plan(r matmulRegime, threads int) {
	p.regime = r
	switch r {
	case plain:
		p.step(plainPhase, 0, (p.M+p.plainRows()-1)/p.plainRows())
	case direct:
		p.planDirect(threads)
		p.planBlocks(threads)
	case thin:
		p.planThin(threads)
	case thick:
		p.planThick(threads)
	}
}

func (p *MatMulPlan) step(k matmulKind, block, pieces int) {
	p.steps = append(p.steps, matmulStep{k, block})
	p.phases = append(p.phases, pieces)
}

// Phases are the numbers of pieces of the phases. Phases run one after the other, the pieces of one in any order or at once.
func (p *MatMulPlan) Phases() []int { return p.phases }

// choose gives the regime. Packing costs a pass over the operands; what it saves are misses: of rows
// of A, B or C that fall on the same lines of the first cache, and of a B that is large and read many times. The bounds were
// found by trying all regimes on a grid of shapes.
func (p *MatMulPlan) choose(threads int) matmulRegime {
	if p.l == nil || p.K == 0 {
		return plain
	}
	const page = 1024 // floats between lines of the cache that displace each other
	farA, farB, farC := p.ARow%page == 0, p.BRow%page == 0, p.CRow%page == 0
	b, l2 := 4*p.K*p.N, cpu.Caches().L2
	switch narrow := p.l.lanes*p.l.widest < 32; {
	case p.M <= 14:
		return direct
	case narrow && (p.M <= 32 && p.BCol == 1 && !farB && b <= 4*l2 || p.N <= 32 || !farA && (p.M <= 512 && p.N <= 64 || p.M <= 64 && p.N <= 128)):
		return direct
	case narrow:
	case p.N > 128 && (p.K < 32 || p.K <= 64 && farC):
	case p.M <= 32 && b <= 4*l2, p.N <= 32:
		return direct
	case !farA && (p.M <= 160 && p.N <= 1024 && b <= 4*l2 || p.N <= 128):
		return direct
	}
	if 4*up(p.M, p.l.mr)*p.block <= l2/2 && (p.N+p.l.nr-1)/p.l.nr >= min(packedPieces(threads), 4*threads) {
		return thin
	}
	return thick
}

func up(n, m int) int { return (n + m - 1) / m * m }

func at(p unsafe.Pointer, floats int) unsafe.Pointer { return unsafe.Add(p, 4*floats) }

// SharedFloats is the scratch that all pieces of a run share.
func (p *MatMulPlan) SharedFloats() int {
	if p.byBlocks {
		return p.partialFloats()
	}
	if p.regime == thin || p.regime == thick {
		return p.packedFloats()
	}
	return 0
}

// WorkerFloats is the scratch of each worker.
func (p *MatMulPlan) WorkerFloats() int {
	switch {
	case p.M == 0 || p.N == 0:
		return 0
	case p.regime == plain:
		return 2 * p.N
	case p.regime == direct:
		return p.directFloats()
	case p.regime == thin:
		return p.columnFloats()
	}
	return 0
}

// Run computes a piece of a phase. It allocates nothing.
func (p *MatMulPlan) Run(phase, piece int, shared, worker []float32, a, b, c, bias unsafe.Pointer) {
	switch s := p.steps[phase]; s.kind {
	case tilePhase:
		p.tiles(piece, worker, a, b, c, bias)
	case packAPhase:
		n := p.phases[phase] / p.blocks
		q := piece / n
		p.packA(at(unsafe.Pointer(unsafe.SliceData(shared)), q*p.aFloats()), q, piece%n, n, a)
	case blockPhase:
		p.RunBlocks(piece, unsafe.Pointer(unsafe.SliceData(shared)), a, b, c)
	case sumPhase:
		p.SumBlocks(piece*p.sumRows(), min(p.M, (piece+1)*p.sumRows()), unsafe.Pointer(unsafe.SliceData(shared)), c, bias)
	case columnPhase:
		p.columns(piece, shared, worker, b, c, bias)
	case packPhase:
		p.packBlock(s.block, piece, p.phases[phase], shared, a, b)
	case multiplyPhase:
		p.multiply(s.block, piece, shared, c, bias)
	case groupPhase:
		p.addGroup(s.block, piece, shared, c, bias)
	default:
		p.plain(piece, worker, a, b, c, bias)
	}
}

// flags are those of a block of K.
func (p *MatMulPlan) flags(block int) int {
	f := 0
	if block%group > 0 {
		f |= addC
	}
	if block == p.blocks-1 && p.blocks <= group {
		f |= p.epilogue()
	}
	return f
}

func (p *MatMulPlan) epilogue() (f int) {
	if p.Bias {
		f |= addBias
	}
	if p.ReLU {
		f |= applyReLU
	}
	return f
}
