//go:build !purego

package kernel

import (
	"unsafe"

	"github.com/kun-ml/kun/internal/cpu"
)

func init() {
	matmulLevels[cpu.NEON] = &matmulLevel{
		lanes: 4, widest: 4, mr: 6, nr: 16, packed: matmulPacked6x16NEON,
		direct: [9][]matmulDirect{1: matmulDirect1NEON, 2: matmulDirect2NEON, 3: matmulDirect3NEON, 4: matmulDirect4NEON},
		transpose: func(dst unsafe.Pointer, ds int, src unsafe.Pointer, ss, k, rows int) {
			transpose4NEON(dst, 4*ds, src, 4*ss, k, rows)
		},
		copyRows: func(dst unsafe.Pointer, ds int, src unsafe.Pointer, ss, k, n int) {
			for j := range k {
				copy(floats(at(dst, j*ds), n), floats(at(src, j*ss), n))
			}
		},
	}
}
