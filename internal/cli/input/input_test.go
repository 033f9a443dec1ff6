package input

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/kun-ml/kun/array"
)

var mnist = Spec{Shape: array.Shape{28, 28}}

func pngOf(t testing.TB, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func idxOf(kind byte, shape []int, body []byte) []byte {
	out := []byte{0, 0, kind, byte(len(shape))}
	for _, d := range shape {
		out = binary.BigEndian.AppendUint32(out, uint32(d))
	}
	return append(out, body...)
}

func zipped(t testing.TB, raw []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write(raw)
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func read(raw []byte, spec Spec) (*Batch, error) { return Read("file", bytes.NewReader(raw), spec) }

func readFile(path string, spec Spec) (*Batch, error) {
	f, err := Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return Read(path, f, spec)
}

// stroke is a grey picture with a bright bar in the middle.
func stroke(h, w int) *image.Gray {
	g := image.NewGray(image.Rect(0, 0, w, h))
	for y := h / 4; y < 3*h/4; y++ {
		for x := w * 3 / 7; x < w*4/7; x++ {
			g.SetGray(x, y, color.Gray{Y: 250})
		}
	}
	return g
}

func TestPicture_GreyOfTheRightSizeIsExact(t *testing.T) {
	g := stroke(28, 28)
	b, err := read(pngOf(t, g), mnist)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(b.X.Bytes(), g.Pix) || b.X.String() != "uint8(1, 28, 28)" || len(b.Notes) > 0 {
		t.Errorf("%v %v", b.X, b.Notes)
	}
	for _, shape := range []array.Shape{{784}, {28, 28, 1}} {
		b2, err := read(pngOf(t, g), Spec{Shape: shape})
		if err != nil || !bytes.Equal(b2.X.Bytes(), g.Pix) {
			t.Errorf("%v: %v", shape, err)
		}
	}
	inv, err := read(pngOf(t, g), Spec{Shape: mnist.Shape, Invert: true})
	if err != nil || inv.X.Bytes()[0] != 255 || inv.X.Bytes()[14*28+14] != 5 {
		t.Errorf("inverted: %v", err)
	}
}

func TestPicture_ResizeKeepsTheMean(t *testing.T) {
	for _, size := range [][2]int{{280, 280}, {100, 140}, {7, 7}} {
		g := stroke(size[0], size[1])
		b, err := read(pngOf(t, g), mnist)
		if err != nil {
			t.Fatal(err)
		}
		mean := func(p []uint8) float64 {
			s := 0.
			for _, v := range p {
				s += float64(v)
			}
			return s / float64(len(p))
		}
		if a, m := mean(g.Pix), mean(b.X.Bytes()); math.Abs(a-m) > 3 {
			t.Errorf("%v: mean %v became %v", size, a, m)
		}
		word := "resized"
		if size[0] != size[1] {
			word = "stretched"
		}
		if len(b.Notes) != 1 || !strings.Contains(b.Notes[0], word) {
			t.Errorf("%v: notes %q", size, b.Notes)
		}
	}
}

func TestPicture_ColoursAndTransparency(t *testing.T) {
	img := image.NewNRGBA(image.Rect(5, 5, 7, 6)) // bounds that do not begin at 0
	img.Set(5, 5, color.NRGBA{200, 100, 50, 255})
	img.Set(6, 5, color.NRGBA{0, 0, 0, 0})
	b, err := read(pngOf(t, img), Spec{Shape: array.Shape{1, 2, 3}})
	if err != nil || !reflect.DeepEqual(b.X.Bytes(), []byte{200, 100, 50, 255, 255, 255}) {
		t.Errorf("%v %v", b.X, err)
	}
	b, err = read(pngOf(t, img), Spec{Shape: array.Shape{1, 2}})
	want := byte(math.Round(.299*200 + .587*100 + .114*50))
	if err != nil || !reflect.DeepEqual(b.X.Bytes(), []byte{want, 255}) {
		t.Errorf("%v %v, want %d", b.X.Bytes(), err, want)
	}
}

func TestPicture_LightBackgroundIsToldNotChanged(t *testing.T) {
	g := stroke(28, 28)
	for i := range g.Pix {
		g.Pix[i] = 255 - g.Pix[i]
	}
	b, err := read(pngOf(t, g), mnist)
	if err != nil || !bytes.Equal(b.X.Bytes(), g.Pix) {
		t.Fatalf("changed: %v", err)
	}
	if len(b.Notes) != 1 || !strings.Contains(b.Notes[0], "--invert") {
		t.Errorf("%q", b.Notes)
	}
}

func TestPicture_JPEG(t *testing.T) {
	var buf bytes.Buffer
	if err := jpeg.Encode(&buf, stroke(56, 56), &jpeg.Options{Quality: 95}); err != nil {
		t.Fatal(err)
	}
	b, err := read(buf.Bytes(), mnist)
	if err != nil {
		t.Fatal(err)
	}
	if p := b.X.Bytes(); p[0] > 8 || p[14*28+14] < 235 {
		t.Errorf("corner %d, middle %d", p[0], p[14*28+14])
	}
}

func TestPicture_TooLargeIsRefusedBeforeDecoding(t *testing.T) {
	raw := pngOf(t, stroke(8, 8))
	binary.BigEndian.PutUint32(raw[16:], 40000) // width in IHDR
	binary.BigEndian.PutUint32(raw[20:], 40000)
	binary.BigEndian.PutUint32(raw[29:], crc(raw[12:29]))
	if _, err := read(raw, mnist); err == nil || !strings.Contains(err.Error(), "file: a picture of 40000 x 40000 is larger than 100 megapixels") {
		t.Error(err)
	}
}

func crc(p []byte) uint32 {
	c := ^uint32(0)
	for _, b := range p {
		c ^= uint32(b)
		for range 8 {
			c = c>>1 ^ 0xedb88320&-(c&1)
		}
	}
	return ^c
}

func TestIDX(t *testing.T) {
	body := make([]byte, 3*784)
	for i := range body {
		body[i] = byte(i * 7)
	}
	raw := idxOf(8, []int{3, 28, 28}, body)
	for name, raw := range map[string][]byte{"plain": raw, "gzip": zipped(t, raw)} {
		b, err := read(raw, mnist)
		if err != nil || b.Len() != 3 || !bytes.Equal(b.X.Bytes(), body) || b.Names[2] != "file[2]" {
			t.Errorf("%s: %v", name, err)
		}
	}
	floats := binary.BigEndian.AppendUint32(nil, math.Float32bits(1.5))
	floats = binary.BigEndian.AppendUint32(floats, math.Float32bits(-2))
	b, err := read(idxOf(13, []int{1, 2}, floats), Spec{Shape: array.Shape{2}})
	if err != nil || !reflect.DeepEqual(array.Data[float32](b.X), []float32{1.5, -2}) {
		t.Errorf("%v %v", b, err)
	}
}

func npyOf(t testing.TB, a *array.Array) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := array.WriteNPY(&b, a); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestNPY(t *testing.T) {
	two := array.From([]float32{1, 2, 3, 4, 5, 6}, 2, 3)
	for _, c := range []struct {
		a     *array.Array
		shape array.Shape
		want  string
	}{
		{two, array.Shape{3}, "float32(2, 3)[1 2 3 4 5 6]"},
		{two, array.Shape{2, 3}, "float32(1, 2, 3)[1 2 3 4 5 6]"},
		{two.To(array.Uint8), array.Shape{3, 1}, "uint8(2, 3, 1)[1 2 3 4 5 6]"},
		{array.From([]int64{7, 8, 9}), array.Shape{3}, "int64(1, 3)[7 8 9]"},
	} {
		for _, raw := range [][]byte{npyOf(t, c.a), zipped(t, npyOf(t, c.a))} {
			b, err := read(raw, Spec{Shape: c.shape})
			if err != nil || b.X.String() != c.want || b.Len() != len(b.Names) {
				t.Errorf("%v %v, want %s", b, err, c.want)
			}
		}
	}
}

func TestCSV(t *testing.T) {
	spec := Spec{Shape: array.Shape{3}}
	for _, text := range []string{
		"1,2,3\n4,5,6\n", "a,b,c\n1,2,3\n4,5,6", "\ufeff1;2;3\r\n4;5;6\r\n", "x\ty\tz\n1\t2\t3\n\n4\t5\t6\n", "1, 2, 3\n\"4\",5e0,6\n",
	} {
		b, err := read([]byte(text), spec)
		if err != nil || b.Len() != 2 || !reflect.DeepEqual(array.Data[float32](b.X), []float32{1, 2, 3, 4, 5, 6}) {
			t.Errorf("%q: %v %v", text, b, err)
		}
	}
}

func TestErrors_Golden(t *testing.T) {
	three := Spec{Shape: array.Shape{3}}
	small := idxOf(8, []int{1, 28, 28}, make([]byte, 784))
	for _, x := range []struct {
		name string
		raw  []byte
		spec Spec
		want string
	}{
		{"empty", nil, mnist, "file: is empty"},
		{"unknown", []byte("GIF89a\x01\x00"), mnist, "file: is of no kind that can be read; known: PNG, JPEG, npy, IDX, CSV"},
		{"picture for a table", pngOf(t, stroke(3, 3)), three, "file: is a picture; the model takes samples of shape (3,)"},
		{"cut picture", pngOf(t, stroke(28, 28))[:60], mnist, "file: cannot be decoded: png: invalid format: not enough pixel data"},
		{"cut gzip", zipped(t, small)[:20], mnist, "file: gzip: the file ends too early; it was cut off"},
		{"cut idx", small[:100], mnist, "file: IDX: the header says uint8 of (1, 28, 28), 784 bytes; the file holds 84"},
		{"lying idx", idxOf(8, []int{1 << 30, 1 << 30, 1 << 30}, nil), mnist, "file: IDX: array: shape (1073741824, 1073741824, 1073741824) is too large"},
		{"labels", idxOf(8, []int{5}, make([]byte, 5)), mnist, "file: IDX: one number per sample: these are labels, not samples of shape (28, 28)"},
		{"other size", idxOf(8, []int{2, 32, 32}, make([]byte, 2048)), mnist, "file: holds uint8(2, 32, 32); the model takes samples of shape (28, 28), one or several"},
		{"cut npy", npyOf(t, array.New(array.Float32, 1, 3))[:130], three, "file: npy: the header says <f4 of (1, 3); the data end too early: unexpected EOF"},
		{"long npy", append(npyOf(t, array.New(array.Float32, 1, 3)), 1, 2), three, "file: npy: 2 bytes follow the array (1, 3)"},
		{"other npy", npyOf(t, array.New(array.Float32, 2, 2)), three, "file: holds float32(2, 2)[0 0 0 0]; the model takes samples of shape (3,), one or several"},
		{"huge", []byte("1,2,1e39\n"), three, "file: CSV: line 1, column 3: 1e39 is too large"},
		{"no rows", []byte("a,b,c\n"), three, "file: CSV: no rows of numbers"},
		{"columns", []byte("1,2,3\n1,2\n"), three, "file: CSV: line 2 has 2 columns; the model takes samples of shape (3,), 3 numbers"},
		{"label column", []byte("7,1,2,3\n"), three, "file: CSV: line 1 has 4 columns; the model takes samples of shape (3,), 3 numbers (is one column the label? take it out)"},
		{"word", []byte("1,2,3\n1,two,3\n"), three, `file: CSV: line 2, column 2: "two" is not a number`},
		{"empty cell", []byte("1,2,3\n1,,3\n"), three, "file: CSV: line 2, column 2: is empty"},
		{"NaN", []byte("1,2,NaN\n"), three, "file: CSV: line 1, column 3: NaN is not a finite number"},
		{"quotes", []byte("1,2,3\n1,\"2,3\n"), three, `file: CSV: parse error on line 2, column 8: extraneous or missing " in quoted-field`},
	} {
		t.Run(x.name, func(t *testing.T) {
			_, err := read(x.raw, x.spec)
			if err == nil || err.Error() != x.want {
				t.Errorf("got  %v\nwant %s", err, x.want)
			}
		})
	}
}

func TestReadFile_AndExpand(t *testing.T) {
	dir := t.TempDir()
	for _, n := range []string{"b.png", "a.PNG", ".hidden.png", "notes.txt", "t10k-images-idx3-ubyte.gz"} {
		if err := os.WriteFile(filepath.Join(dir, n), pngOf(t, stroke(28, 28)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got, err := Expand([]string{"-", dir, "missing.png"})
	want := []string{"-", filepath.Join(dir, "a.PNG"), filepath.Join(dir, "b.png"), filepath.Join(dir, "t10k-images-idx3-ubyte.gz"), "missing.png"}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%q %v", got, err)
	}
	if b, err := readFile(got[1], mnist); err != nil || b.Names[0] != got[1] {
		t.Error(err)
	}
	if _, err := readFile("missing.png", mnist); err == nil || !strings.HasPrefix(err.Error(), "missing.png: no such file") {
		t.Error(err)
	}
	if _, err := readFile(dir, mnist); err == nil || !strings.Contains(err.Error(), "is a folder") {
		t.Error(err)
	}
	if _, err := Expand([]string{t.TempDir()}); err == nil {
		t.Error("an empty folder was accepted")
	}
}

func FuzzRead(f *testing.F) {
	f.Add(pngOf(f, stroke(9, 9)), true)
	f.Add(idxOf(8, []int{1, 28, 28}, make([]byte, 784)), false)
	f.Add(zipped(f, idxOf(13, []int{1, 3}, make([]byte, 12))), false)
	f.Add([]byte("a;b;c\n1;2;3\n"), false)
	f.Add(npyOf(f, array.New(array.Float16, 4, 3)), false)
	f.Add([]byte("\xff\xd8\xff\xe0\x00\x10JFIF"), true)
	f.Fuzz(func(t *testing.T, raw []byte, pictures bool) {
		if bytes.HasPrefix(raw, []byte{0x1f, 0x8b}) && len(raw) > 1<<12 {
			return // keeps what a bomb unpacks to small
		}
		if c, _, err := image.DecodeConfig(bytes.NewReader(raw)); err == nil && c.Width*c.Height > 1<<20 {
			return // legal, but slow to decode over and over
		}
		spec := Spec{Shape: array.Shape{3}}
		if pictures {
			spec = mnist
		}
		b, err := read(raw, spec)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "file: ") {
				t.Fatal(err)
			}
			return
		}
		if !b.X.Shape()[1:].Equal(spec.Shape) || b.Len() != len(b.Names) || b.Len() == 0 {
			t.Fatal(fmt.Sprint(b.X, b.Names))
		}
	})
}
