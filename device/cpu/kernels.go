package cpu

import (
	"math"
	"unsafe"

	"github.com/kun-ml/kun/array"
	"github.com/kun-ml/kun/internal/kernel"
	"github.com/kun-ml/kun/internal/rng"
	"github.com/kun-ml/kun/tensor"
)

// outside are the tiles of operations of other modules; see Tile.
var outside = map[string]kernel.Tile{}

// hasTile reports whether an operation has a float32 loop at any level.
func hasTile(op string) bool {
	return outside[op] != nil || kernel.TileOf(op, 0) != nil
}

// tile is the loop of an operation at the device's level, nil when there is none.
func (d *Device) tile(op string) kernel.Tile {
	if t := outside[op]; t != nil {
		return t
	}
	return kernel.TileOf(op, d.level)
}

// nodeTile is the tile of a node: by its op's name, or the cast of its types.
func (d *Device) nodeTile(n *tensor.Node) kernel.Tile {
	if n.Op.Name == "Cast" {
		return d.castTile(n.Type(0).DType, n.In[0].DType())
	}
	return d.tile(n.Op.Name)
}

func nodeScalars(n *tensor.Node) (s kernel.Scalars) {
	if a, ok := n.Attr.(*tensor.ScalarValue); ok {
		s[0] = float32(a.Value)
	}
	return s
}

func f32(p unsafe.Pointer, n int) []float32 { return unsafe.Slice((*float32)(p), n) }

// castTile converts to float32 from the types that batches have; nil for others.
func (d *Device) castTile(dst, src array.DType) kernel.Tile {
	if dst != array.Float32 {
		return nil
	}
	switch src {
	case array.Uint8, array.Bool:
		return toFloat[uint8]
	case array.Int32:
		return toFloat[int32]
	case array.Int8:
		return toFloat[int8]
	}
	return nil
}

func toFloat[T uint8 | int8 | int32](dst, a, _, _ unsafe.Pointer, n int, _ *kernel.Scalars) {
	d, x := f32(dst, n), unsafe.Slice((*T)(a), n)
	for i := range d {
		d[i] = float32(x[i])
	}
}

// crossEntropy is the loss of one row of logits; a class that is none gives NaN.
func crossEntropy(rows *kernel.Rows, dst, x unsafe.Pointer, n, class int) float32 {
	if class < 0 || class >= n {
		rows.Softmax(dst, x, n)
		return float32(math.NaN())
	}
	return rows.SparseCrossEntropy(dst, x, n, class)
}

// dropoutMask writes 1 where element offset+i of the stream is below keep.
func dropoutMask(dst []byte, offset int, key, step uint64, keep uint32) {
	for i := 0; i < len(dst); {
		e := offset + i
		b := rng.Block(key, step, uint64(e)/4)
		for l := e & 3; l < 4 && i < len(dst); l++ {
			dst[i] = 0
			if b[l] < keep {
				dst[i] = 1
			}
			i++
		}
	}
}
