package array

import (
	"encoding/binary"
	"io"
)

// Trust is how many bytes ReadRaw allocates, by default, before the first of them has arrived.
const Trust = 64 << 20

// ReadRaw reads the elements of an array, row-major and in the given byte order, from r. A header that lies about the
// size costs no memory: at most trust bytes (0: Trust) are allocated at first, and then never more than twice what has
// arrived. Within trust the bytes go straight to their place. Data that end too early give io.ErrUnexpectedEOF. Any byte
// but 0 becomes true in an array of Bool.
func ReadRaw(r io.Reader, order binary.ByteOrder, trust int, d DType, dims ...int) (*Array, error) {
	total, err := Shape(dims).CheckedSize(d.Size())
	if err != nil {
		return nil, err
	}
	if trust <= 0 {
		trust = Trust
	}
	w := d.Size()
	var a *Array
	have := 0
	for size := min(total, max(trust/w, 1)*w); ; size = min(total, 2*size) {
		b := New(d, size/w)
		if a != nil {
			copy(b.buf, a.buf)
		}
		a = b
		n, err := io.ReadFull(r, a.buf[have:])
		have += n
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return nil, err
		}
		if size == total {
			break
		}
	}
	if d == Bool {
		for i, v := range a.buf {
			if v > 1 {
				a.buf[i] = 1
			}
		}
	}
	toNative(a.buf, w, order)
	return a.Reshape(dims...), nil
}

// WriteRaw writes the elements of a, row-major, in the given byte order.
func WriteRaw(w io.Writer, order binary.ByteOrder, a *Array) error {
	size := a.dtype.Size()
	if size == 1 || order.Uint16([]byte{1, 2}) == binary.NativeEndian.Uint16([]byte{1, 2}) {
		_, err := w.Write(a.buf)
		return err
	}
	room := make([]byte, min(len(a.buf), 1<<16))
	for from := 0; from < len(a.buf); from += len(room) {
		b := room[:copy(room, a.buf[from:])]
		toNative(b, size, order)
		if _, err := w.Write(b); err != nil {
			return err
		}
	}
	return nil
}

// toNative turns elements of w bytes from a byte order to the machine's, or back.
func toNative(b []byte, w int, order binary.ByteOrder) {
	if w == 1 || order.Uint16([]byte{1, 2}) == binary.NativeEndian.Uint16([]byte{1, 2}) {
		return
	}
	for ; len(b) >= w; b = b[w:] {
		for i, j := 0, w-1; i < j; i, j = i+1, j-1 {
			b[i], b[j] = b[j], b[i]
		}
	}
}
