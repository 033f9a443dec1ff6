package kernel

import (
	"unsafe"

	"github.com/kun-ml/kun/internal/cpu"
)

// Rows are the kernels that reduce or rewrite one row of n float32, and the optimizers' updates. n may be 0 but for
// SparseCrossEntropy. dst may equal x, y or dy exactly; other memory must not overlap.
//
// The bits of a sum: lane l of 16 starts at +0 and adds the terms l, l+16, l+32, ... in this order; then the lanes are added in
// a tree, lane l and lane l+8 for l < 8, then l and l+4, l and l+2, l and l+1. Dot and SumSquares fuse each term's product
// into its addition (at level Go they round it to float32 first). Max and Min of a row with a NaN are NaN, of no elements
// minus and plus infinity.
type Rows struct {
	// Sum is the sum of x.
	Sum func(x unsafe.Pointer, n int) float32
	// Max is the largest element.
	Max func(x unsafe.Pointer, n int) float32
	// Min is the smallest element.
	Min func(x unsafe.Pointer, n int) float32
	// SumSquares is the sum of x[i]*x[i].
	SumSquares func(x unsafe.Pointer, n int) float32
	// Dot is the sum of x[i]*y[i].
	Dot func(x, y unsafe.Pointer, n int) float32

	// Softmax writes exp(x - max x) * (1 / sum of exp(x - max x)).
	Softmax func(dst, x unsafe.Pointer, n int)
	// LogSoftmax writes (x - max x) - log(sum of exp(x - max x)).
	LogSoftmax func(dst, x unsafe.Pointer, n int)
	// SoftmaxGrad writes y * (dy - sum of dy*y), the gradient of softmax by its result y.
	SoftmaxGrad func(dst, y, dy unsafe.Pointer, n int)
	// LogSumExp is max x + log(sum of exp(x - max x)); an infinite maximum counts as 0 in it, so that a row of minus infinities
	// gives minus infinity.
	LogSumExp func(x unsafe.Pointer, n int) float32
	// SparseCrossEntropy is log(sum of exp(x - max x)) - (x[class] - max x), the loss of one row of n logits. dst, if not nil,
	// becomes Softmax of x. class must lie in [0, n).
	SparseCrossEntropy func(dst, x unsafe.Pointer, n, class int) float32

	// AddTo adds x to dst: column sums, rows that are scattered.
	AddTo func(dst, x unsafe.Pointer, n int)
	// Axpy adds a*x to dst, with the product rounded first.
	Axpy func(dst, x unsafe.Pointer, n int, a float32)

	// Adam updates n weights w, with first moments m and second moments v, by the gradient g. Each operation rounds once:
	//
	//	m += (g - m) * OneMinusBeta1
	//	v += (g*g - v) * OneMinusBeta2
	//	w -= Decay * w
	//	w -= Alpha * m / (sqrt(v) + Eps)
	//
	// Gradients of at most 2^-56, and new moments m of at most 2^-100 and v of at most 2^-112, in absolute value, count as 0.
	Adam func(w, m, v, g unsafe.Pointer, n int, h *AdamScalars)
	// SGD is w -= lr*g.
	SGD func(w, g unsafe.Pointer, n int, lr float32)
	// Momentum is v = mu*v - lr*g, then w += v, or with nesterov w += mu*v - lr*g.
	Momentum func(w, v, g unsafe.Pointer, n int, lr, mu float32, nesterov bool)
}

// AdamScalars are the numbers of an Adam or AdamW step. As in Keras the bias corrections are part of
// Alpha = lr * sqrt(1 - Beta2^t) / (1 - Beta1^t), and Eps is added to the uncorrected root. Decay is the weight decay times
// the learning rate, 0 for none.
type AdamScalars struct{ OneMinusBeta1, OneMinusBeta2, Alpha, Eps, Decay float32 }

var rowTables [numLevels]Rows

// RowsOf gives the row kernels of a level; each is the level's own or else that of the nearest simpler level.
func RowsOf(level cpu.Level) *Rows { return &rowTables[level] }

func init() {
	for level := range rowTables {
		rowTables[level] = rowsGo
		for _, l := range simpler(cpu.Level(level)) {
			if f := rowLevels[l]; f != nil {
				f(&rowTables[level])
				break
			}
		}
	}
}

// rowLevels fill in the kernels of the levels that have some.
var rowLevels = vectorRows()

var rowsGo = Rows{
	Sum: sumGo, Max: maxGo, Min: minGo, SumSquares: sumSquaresGo, Dot: dotGo,
	Softmax: softmaxGo, LogSoftmax: logSoftmaxGo, SoftmaxGrad: softmaxGradGo, LogSumExp: logSumExpGo,
	SparseCrossEntropy: sparseCrossEntropyGo, AddTo: addToGo, Axpy: axpyGo, Adam: adamGo, SGD: sgdGo, Momentum: momentumGo,
}
