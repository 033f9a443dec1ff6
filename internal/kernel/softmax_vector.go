package kernel

import (
	"math"
	"unsafe"
)

// softmaxParts are the vector kernels that the kernels of the softmax family are made of.
type softmaxParts struct {
	largest    func(x unsafe.Pointer, n int) float32                 // max x; any number if there is a NaN
	expSum     func(dst, x unsafe.Pointer, n int, m float32) float32 // dst = exp(x - m); the sum of it
	expSumOnly func(x unsafe.Pointer, n int, m float32) float32      // the same sum
	scale      func(dst, x unsafe.Pointer, n int, a float32)         // dst = x*a
	subTwice   func(dst, x unsafe.Pointer, n int, m, r float32)      // dst = (x - m) - r
	mulSub     func(dst, y, dy unsafe.Pointer, n int, s float32)     // dst = y*(dy - s)
	dot        func(x, y unsafe.Pointer, n int) float32
	log        func(x float32) float32
}

// fill sets the kernels of a level that are made of the parts.
func (p softmaxParts) fill(r *Rows) {
	r.Softmax, r.LogSoftmax, r.SoftmaxGrad = p.softmax, p.logSoftmax, p.softmaxGrad
	r.LogSumExp, r.SparseCrossEntropy = p.logSumExp, p.sparseCrossEntropy
}

func (p *softmaxParts) softmax(dst, x unsafe.Pointer, n int) {
	s := p.expSum(dst, x, n, p.largest(x, n))
	p.scale(dst, dst, n, 1/s)
}

func (p *softmaxParts) logSoftmax(dst, x unsafe.Pointer, n int) {
	m := p.largest(x, n)
	p.subTwice(dst, x, n, m, p.log(p.expSumOnly(x, n, m)))
}

func (p *softmaxParts) softmaxGrad(dst, y, dy unsafe.Pointer, n int) {
	p.mulSub(dst, y, dy, n, p.dot(y, dy, n))
}

func (p *softmaxParts) logSumExp(x unsafe.Pointer, n int) float32 {
	m := p.largest(x, n)
	if math.IsInf(float64(m), 0) {
		m = 0
	}
	return m + p.log(p.expSumOnly(x, n, m))
}

func (p *softmaxParts) sparseCrossEntropy(dst, x unsafe.Pointer, n, class int) float32 {
	checkClass(n, class)
	m := p.largest(x, n)
	z := *(*float32)(unsafe.Add(x, 4*class)) - m // read before dst, which may be x, is written
	if dst == nil {
		return p.log(p.expSumOnly(x, n, m)) - z
	}
	s := p.expSum(dst, x, n, m)
	p.scale(dst, dst, n, 1/s)
	return p.log(s) - z
}
