package kernel

// SameBits says whether all vector levels (AVX-512, AVX2, NEON) give the same bits for an op: a name of a tile, or the name of
// a field of Rows, or Cast, Bernoulli or Uniform. Two NaN count as the same. Tests compare the levels of one machine with
// each other and every machine with testdata/bits.txt. Level Go rounds otherwise where the levels fuse or approximate.
//
// Sine and cosine beyond 48,000 are computed by package math, whose last bit of float64 may differ between architectures.
func SameBits(op string) bool {
	if _, ok := tiles[op]; ok {
		return true
	}
	switch op {
	case "Sum", "Max", "Min", "SumSquares", "Dot", "Softmax", "LogSoftmax", "SoftmaxGrad", "LogSumExp", "SparseCrossEntropy",
		"AddTo", "Axpy", "Adam", "SGD", "Momentum", "Cast", "Bernoulli", "Uniform":
		return true
	}
	return false
}
