package cpu

import (
	"math"
	"unsafe"

	"github.com/kun-ml/kun/array"
	"github.com/kun-ml/kun/device/ref"
	"github.com/kun-ml/kun/tensor"
)

// emitSlow runs a node by its float64 reference.
func (c *compiler) emitSlow(n *tensor.Node) {
	c.slow[n.Op.Name] = true
	s := step{name: n.Op.Name, label: n.Label, nodes: []*tensor.Node{n}}
	for _, t := range n.In {
		s.reads = append(s.reads, c.at(t))
	}
	s.writes = c.values[n.ID()]
	s.bind = func(in *instance) func() {
		args := make([][]float64, len(s.reads))
		outs := make([][]float64, len(s.writes))
		for i, v := range s.reads {
			args[i] = make([]float64, v.t.Shape.Size())
		}
		for i, v := range s.writes {
			outs[i] = make([]float64, v.t.Shape.Size())
		}
		return func() {
			for i, v := range s.reads {
				load(v.t.DType, in.ptr[v.id], args[i])
			}
			if a, ok := n.Attr.(*tensor.RandomAttr); ok {
				a.Fill(n.Op.Name, in.now.Seed, in.now.Step, outs[0])
			} else {
				ref.Node(n, args, outs)
			}
			for i, v := range s.writes {
				store(v.t.DType, in.ptr[v.id], outs[i])
			}
		}
	}
	c.steps = append(c.steps, s)
}

func load(d array.DType, p unsafe.Pointer, dst []float64) {
	n := len(dst)
	switch d {
	case array.Float32:
		widen(dst, unsafe.Slice((*float32)(p), n))
	case array.Float64:
		copy(dst, unsafe.Slice((*float64)(p), n))
	case array.Int8:
		widen(dst, unsafe.Slice((*int8)(p), n))
	case array.Uint8, array.Bool:
		widen(dst, unsafe.Slice((*uint8)(p), n))
	case array.Int32:
		widen(dst, unsafe.Slice((*int32)(p), n))
	case array.Int64:
		widen(dst, unsafe.Slice((*int64)(p), n))
	case array.BFloat16:
		for i, v := range unsafe.Slice((*array.BF16)(p), n) {
			dst[i] = float64(v.Float32())
		}
	case array.Float16:
		for i, v := range unsafe.Slice((*array.F16)(p), n) {
			dst[i] = float64(v.Float32())
		}
	}
}

func widen[T float32 | int8 | uint8 | int32 | int64](dst []float64, src []T) {
	for i, v := range src {
		dst[i] = float64(v)
	}
}

func store(d array.DType, p unsafe.Pointer, src []float64) {
	n := len(src)
	switch d {
	case array.Float32:
		dst := unsafe.Slice((*float32)(p), n)
		for i, v := range src {
			dst[i] = float32(v)
		}
	case array.Float64:
		copy(unsafe.Slice((*float64)(p), n), src)
	case array.Int8:
		narrow(unsafe.Slice((*int8)(p), n), src, math.MinInt8, math.MaxInt8)
	case array.Uint8:
		narrow(unsafe.Slice((*uint8)(p), n), src, 0, math.MaxUint8)
	case array.Int32:
		narrow(unsafe.Slice((*int32)(p), n), src, math.MinInt32, math.MaxInt32)
	case array.Int64:
		narrow(unsafe.Slice((*int64)(p), n), src, math.MinInt64, math.MaxInt64)
	case array.Bool:
		for i := range n {
			b := byte(0)
			if src[i] != 0 {
				b = 1
			}
			*(*byte)(unsafe.Add(p, i)) = b
		}
	case array.BFloat16:
		for i := range n {
			*(*array.BF16)(unsafe.Add(p, 2*i)) = array.ToBF16(float32(src[i]))
		}
	case array.Float16:
		for i := range n {
			*(*array.F16)(unsafe.Add(p, 2*i)) = array.ToF16(float32(src[i]))
		}
	}
}

// narrow goes towards zero and stops at the ends of the type, as a cast does; NaN becomes 0.
func narrow[T int8 | uint8 | int32 | int64](dst []T, src []float64, low, high int64) {
	for i, v := range src {
		switch {
		case v != v:
			dst[i] = 0
		case v <= float64(low):
			dst[i] = T(low)
		case v >= float64(high):
			dst[i] = T(high)
		default:
			dst[i] = T(v)
		}
	}
}
