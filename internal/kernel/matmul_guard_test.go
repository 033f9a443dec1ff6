//go:build unix

package kernel

import (
	"math/rand/v2"
	"os"
	"runtime/debug"
	"syscall"
	"testing"
	"unsafe"

	"github.com/kun-ml/kun/internal/cpu"
)

// fence is memory between two pages that may not be touched.
type fence struct {
	all  []byte
	size int // of the pages between
}

func newFence(t *testing.T, bytes int) fence {
	page := os.Getpagesize()
	size := up(bytes, page)
	all, err := syscall.Mmap(-1, 0, size+2*page, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Munmap(all) })
	for _, b := range [][]byte{all[:page], all[page+size:]} {
		if err := syscall.Mprotect(b, syscall.PROT_NONE); err != nil {
			t.Fatal(err)
		}
	}
	return fence{all, size}
}

// put copies x to the end of the memory, or to its beginning.
func (f fence) put(x []float32, end bool) []float32 {
	page := os.Getpagesize()
	at := page
	if end {
		at += f.size - 4*len(x)
	}
	y := unsafe.Slice((*float32)(unsafe.Pointer(&f.all[at])), len(x))
	copy(y, x)
	return y
}

// TestMatMul_StaysInside runs products whose operands touch forbidden pages, at every level in every regime.
func TestMatMul_StaysInside(t *testing.T) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	var f [6]fence
	for i := range f {
		f[i] = newFence(t, 1<<20)
	}
	r := rand.New(rand.NewPCG(5, 6))
	for n := range 150 {
		m, w, k := 1+r.IntN(70), 1+r.IntN(70), 1+r.IntN(70)
		if n%10 == 0 {
			k = 400 + r.IntN(400)
		}
		spec, a, b, c, bias := product(r, m, w, k, r.IntN(allForms))
		c = c[:len(c)-(spec.CRow-w)] // the last row ends with its last column
		for _, level := range cpu.Levels() {
			for _, p := range spec.plans(level, 1) {
				end := n&1 == 0
				func() {
					defer func() {
						if e := recover(); e != nil {
							t.Fatalf("%v, regime %d, %+v: %v", level, p.regime, spec, e)
						}
					}()
					x, y, z, s := f[0].put(a, end), f[1].put(b, end), f[2].put(c, end), f[3].put(bias, end)
					shared, worker := f[4].put(make([]float32, p.SharedFloats()), end), f[5].put(make([]float32, p.WorkerFloats()), end)
					for phase, pieces := range p.Phases() {
						for i := range pieces {
							p.Run(phase, i, shared, worker, pointer(x), pointer(y), pointer(z), pointer(s))
						}
					}
				}()
			}
		}
	}
}
