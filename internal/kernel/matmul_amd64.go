//go:build !purego

package kernel

import (
	"unsafe"

	"github.com/kun-ml/kun/internal/cpu"
)

// matmulMask has eight words of ones, then eight of zeros: a load n words before the zeros is a mask of n elements.
//
//lint:ignore U1000 the assembly reads it
var matmulMask = [16]uint32{0: ^uint32(0), 1: ^uint32(0), 2: ^uint32(0), 3: ^uint32(0), 4: ^uint32(0), 5: ^uint32(0), 6: ^uint32(0), 7: ^uint32(0)}

type copyRows func(dst unsafe.Pointer, ds int, src unsafe.Pointer, ss, k, last int)

func init() {
	matmulLevels[cpu.AVX512] = &matmulLevel{
		lanes: 16, widest: 2, mr: 8, nr: 48, packed: matmulPacked8x48AVX512, productAdam: productAdamAVX512,
		direct: [9][]matmulDirect{1: matmulDirect1AVX512, 2: matmulDirect2AVX512, 3: matmulDirect3AVX512, 4: matmulDirect4AVX512, 8: matmulDirect8AVX512},
		transpose: func(dst unsafe.Pointer, ds int, src unsafe.Pointer, ss, k, rows int) {
			transpose16AVX512(dst, 4*ds, src, 4*ss, k, rows)
		},
		copyRows: func(dst unsafe.Pointer, ds int, src unsafe.Pointer, ss, k, n int) {
			v := (n + 15) / 16
			copyRowsAVX512[v](dst, 4*ds, src, 4*ss, k, n-(v-1)*16)
		},
	}
	matmulLevels[cpu.AVX2] = &matmulLevel{
		lanes: 8, widest: 2, mr: 6, nr: 16, packed: matmulPacked6x16AVX2,
		direct: [9][]matmulDirect{1: matmulDirect1AVX2, 2: matmulDirect2AVX2, 4: matmulDirect4AVX2},
		transpose: func(dst unsafe.Pointer, ds int, src unsafe.Pointer, ss, k, rows int) {
			transpose8AVX2(dst, 4*ds, src, 4*ss, k, rows)
		},
		copyRows: func(dst unsafe.Pointer, ds int, src unsafe.Pointer, ss, k, n int) {
			v := (n + 7) / 8
			copyRowsAVX2[v](dst, 4*ds, src, 4*ss, k, n-(v-1)*8)
		},
	}
}
