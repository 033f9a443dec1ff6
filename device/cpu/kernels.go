package cpu

import (
	"math"
	"unsafe"

	"github.com/kun-ml/kun/array"
	"github.com/kun-ml/kun/internal/kernel"
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

// kernelType is the element type by which casts are found.
func kernelType(d array.DType) kernel.Type {
	switch d {
	case array.Float64:
		return kernel.F64
	case array.BFloat16:
		return kernel.BF16
	case array.Float16:
		return kernel.F16
	case array.Int8:
		return kernel.I8
	case array.Uint8:
		return kernel.U8
	case array.Int32:
		return kernel.I32
	case array.Int64:
		return kernel.I64
	case array.Bool:
		return kernel.Bool
	}
	return kernel.F32
}

// castTile converts to float32 inside of tiles; nil for other results.
func (d *Device) castTile(dst, src array.DType) kernel.Tile {
	if dst != array.Float32 || src.Size() > 4 {
		return nil
	}
	c := kernel.CastOf(kernel.F32, kernelType(src), d.level)
	return func(dst, a, _, _ unsafe.Pointer, n int, _ *kernel.Scalars) { c(dst, a, n) }
}

// ruleCast converts whole arrays.
func ruleCast(c *compiler, n *tensor.Node) bool {
	x, y := c.at(n.In[0]), c.values[n.ID()][0]
	f := kernel.CastOf(kernelType(y.t.DType), kernelType(x.t.DType), c.d.level)
	total := n.Type(0).Shape.Size()
	c.add(n, func(in *instance) func() {
		g := func(piece, _ int) {
			from, to := piece*pieceLen, min(total, (piece+1)*pieceLen)
			f(unsafe.Add(in.ptr[y.id], from*y.t.DType.Size()), unsafe.Add(in.ptr[x.id], from*x.t.DType.Size()), to-from)
		}
		pieces := (total + pieceLen - 1) / pieceLen
		return func() { in.split(pieces, g) }
	})
	return true
}

// crossEntropy is the loss of one row of logits; a class that is none gives NaN.
func crossEntropy(rows *kernel.Rows, dst, x unsafe.Pointer, n, class int) float32 {
	if class < 0 || class >= n {
		rows.Softmax(dst, x, n)
		return float32(math.NaN())
	}
	return rows.SparseCrossEntropy(dst, x, n, class)
}
