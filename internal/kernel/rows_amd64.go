//go:build !purego

package kernel

import (
	"unsafe"

	"github.com/kun-ml/kun/internal/cpu"
)

func vectorRows() (levels [numLevels]func(*Rows)) {
	levels[cpu.AVX512] = func(r *Rows) {
		*r = Rows{Sum: sumAVX512, Max: maxAVX512, Min: minAVX512, SumSquares: sumSquaresAVX512, Dot: dotAVX512,
			AddTo: addToAVX512, Axpy: axpyAVX512, Adam: adamAVX512, SGD: sgdAVX512}
		r.Momentum = func(w, v, g unsafe.Pointer, n int, lr, mu float32, nesterov bool) {
			if nesterov {
				nesterovAVX512(w, v, g, n, lr, mu)
			} else {
				momentumAVX512(w, v, g, n, lr, mu)
			}
		}
		softmaxParts{largestAVX512, expSumAVX512, expSumOnlyAVX512, scaleRowAVX512, subTwiceAVX512, mulSubAVX512, dotAVX512,
			logScalarAVX512}.fill(r)
	}
	levels[cpu.AVX2] = func(r *Rows) {
		*r = Rows{Sum: sumAVX2, Max: maxAVX2, Min: minAVX2, SumSquares: sumSquaresAVX2, Dot: dotAVX2,
			AddTo: addToAVX2, Axpy: axpyAVX2, Adam: adamAVX2, SGD: sgdAVX2}
		r.Momentum = func(w, v, g unsafe.Pointer, n int, lr, mu float32, nesterov bool) {
			if nesterov {
				nesterovAVX2(w, v, g, n, lr, mu)
			} else {
				momentumAVX2(w, v, g, n, lr, mu)
			}
		}
		softmaxParts{largestAVX2, expSumAVX2, expSumOnlyAVX2, scaleRowAVX2, subTwiceAVX2, mulSubAVX2, dotAVX2,
			logScalarAVX2}.fill(r)
	}
	return levels
}
