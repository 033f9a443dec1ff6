package term

import (
	"bytes"
	"errors"
	"io"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/kun-ml/kun/internal/config/width"
)

func env(pairs ...string) func(string) string {
	return func(name string) string {
		for i := 0; i+1 < len(pairs); i += 2 {
			if pairs[i] == name {
				return pairs[i+1]
			}
		}
		return ""
	}
}

// screen is a fake terminal of so many columns.
func screen(columns int) (*Screen, *bytes.Buffer) {
	var b bytes.Buffer
	return &Screen{Writer: &b, Terminal: true, Unicode: true, columns: columns}, &b
}

// clock is a time that tests move.
type clock struct{ t time.Time }

func (c *clock) now() time.Time { return c.t }

func (c *clock) pass(d time.Duration) { c.t = c.t.Add(d) }

func newClock() *clock { return &clock{time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)} }

func TestScreen_WithoutATerminal(t *testing.T) {
	var b bytes.Buffer
	s := NewScreen(&b, env("LANG", "en_US.UTF-8"))
	if s.Terminal || s.Color || !s.Unicode || s.Width() != 80 {
		t.Errorf("%+v", s)
	}
	if s.Style(Bold, "x") != "x" {
		t.Error("style without colours")
	}
	if s := NewScreen(&b, env("LANG", "C", "COLUMNS", "120")); s.Unicode || s.Width() != 120 {
		t.Errorf("%+v", s)
	}
	if s := NewScreen(&b, env("COLUMNS", "1")); s.Width() != 20 {
		t.Errorf("%+v", s)
	}
}

func TestBar_LiveLine(t *testing.T) {
	for _, x := range []struct {
		columns int
		names   []string
		want    string
	}{
		{120, []string{"accuracy"}, "1201/1875 ━━━━━━━━━━━━──────── 64% 12s 10ms/step ETA 7s - loss: 0.2500 - accuracy: 0.9125 - samples/s: 3.2k - lr: 0.001"},
		{80, []string{"accuracy"}, "1201/1875 ━━━━━━──── 64% 12s 10ms/step ETA 7s  loss 0.2500  accuracy 0.9125"},
		{80, nil, "1201/1875 ━━━━━━━━━━━━──────── 64% 12s 10ms/step ETA 7s - loss: 0.2500"},
		{50, []string{"accuracy"}, "1201/1875 ━━━── 64% 12s 10ms/step ETA 7s"},
	} {
		s, out := screen(x.columns)
		c := newClock()
		b := NewBar(s, BarOptions{Epochs: 5, Batch: 32, Names: x.names, Now: c.now})
		b.Extras.LearningRate = 0.001
		for i := 1; i <= 1201; i++ {
			if i == 1 {
				b.begin(0, c.t)
			}
			c.pass(10 * time.Millisecond)
			b.Step(0, i, 1875, 0.25, []float64{0.9125})
		}
		lines := strings.Split(out.String(), "\r")
		got := strings.TrimSuffix(lines[len(lines)-1], "\x1b[K")
		if got != x.want {
			t.Errorf("%d columns: got\n%s\nwant\n%s", x.columns, got, x.want)
		}
		if n := width.Cells(got); n >= x.columns {
			t.Errorf("%d columns: the line has %d", x.columns, n)
		}
		if !strings.HasPrefix(lines[0], "Epoch 1/5\n") {
			t.Errorf("heading: %q", lines[0])
		}
		if n := len(lines) - 1; n < 200 || n > 242 {
			t.Errorf("%d columns: drawn %d times in 12 s", x.columns, n)
		}
	}
}

func TestBar_ColoursAndASCII(t *testing.T) {
	s, out := screen(80)
	s.Color = true
	c := newClock()
	b := NewBar(s, BarOptions{Epochs: 1, Now: c.now})
	b.Step(0, 1, 2, 1, nil)
	if want := "\x1b[32m" + strings.Repeat("━", 10) + "\x1b[0;2m" + strings.Repeat("━", 10) + "\x1b[0m"; !strings.Contains(out.String(), want) {
		t.Errorf("%q", out.String())
	}
	s, out = screen(80)
	s.Unicode = false
	b = NewBar(s, BarOptions{Epochs: 1, Now: c.now})
	b.Step(0, 1, 2, 1, nil)
	if !strings.Contains(out.String(), "1/2 ==========.......... 50% 0s") {
		t.Errorf("%q", out.String())
	}
}

func TestBar_EndOfEpoch(t *testing.T) {
	s, out := screen(80)
	c := newClock()
	b := NewBar(s, BarOptions{Epochs: 5, Names: []string{"accuracy"}, Now: c.now})
	f := Figures{Steps: 1875, Time: 4 * time.Second, Loss: 0.2912, Metrics: []float64{0.915}, ValLoss: 0.1392, ValMetrics: []float64{0.9592}}
	b.EndEpoch(f)
	f.Epoch, f.ValMetrics = 1, []float64{0.9501}
	b.EndEpoch(f)
	want := "Epoch 1/5 4s 2.1ms/step - loss 0.2912 accuracy 0.9150 - val 0.1392 0.9592 - best\n" +
		"Epoch 2/5 4s 2.1ms/step - loss 0.2912 accuracy 0.9150 - val 0.1392 0.9501\n    best 0.9592 (1)\n"
	if got := out.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	s.columns = 120
	out.Reset()
	b.EndEpoch(f)
	want = "Epoch 2/5 4s 2.1ms/step - loss: 0.2912 - accuracy: 0.9150 - val_loss: 0.1392 - val_accuracy: 0.9501 - best 0.9592 (1)\n"
	if got := out.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	out.Reset()
	NewBar(s, BarOptions{Monitor: -1}).EndEpoch(Figures{Steps: 10, Time: time.Second, Loss: 1.5})
	if got := out.String(); got != "Epoch 1 1s 100ms/step - loss: 1.5000 - best\n" {
		t.Errorf("%q", got)
	}
}

func TestBar_EndOfEpochTakesTheLiveLineAway(t *testing.T) {
	s, out := screen(80)
	c := newClock()
	b := NewBar(s, BarOptions{Epochs: 5, Now: c.now})
	b.Step(0, 1, 2, 1, nil)
	out.Reset()
	c.pass(2 * time.Second)
	b.EndEpoch(Figures{Epoch: 0, Steps: 2, Loss: 1})
	if got := out.String(); got != "\r\x1b[K\x1b[1A\x1b[KEpoch 1/5 2s 1.0s/step - loss: 1.0000 - best\n" {
		t.Errorf("%q", got)
	}
}

func TestBar_PlainLinesWithoutATerminal(t *testing.T) {
	s, out := screen(80)
	s.Terminal = false
	c := newClock()
	b := NewBar(s, BarOptions{Epochs: 2, Names: []string{"accuracy"}, Now: c.now})
	for i := range 2500 {
		b.Step(0, i, 2500, 0.5, []float64{0.75})
		c.pass(10 * time.Millisecond)
	}
	want := "epoch 1/2 step 1000/2500 40% 10s 10ms/step loss 0.5000 accuracy 0.7500\n" +
		"epoch 1/2 step 2000/2500 80% 20s 10ms/step loss 0.5000 accuracy 0.7500\n"
	if got := out.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if strings.Contains(out.String(), "\x1b") {
		t.Error("escape sequence without a terminal")
	}
}

func TestBar_StepAllocatesNothing(t *testing.T) {
	for _, terminal := range []bool{true, false} {
		s := &Screen{Writer: io.Discard, Terminal: terminal, Unicode: true, Color: true, columns: 200}
		c := newClock()
		b := NewBar(s, BarOptions{Epochs: 5, Batch: 32, Names: []string{"accuracy", "top5"}, Now: c.now})
		m := []float64{0.5, 0.9}
		i := 0
		if n := testing.AllocsPerRun(500, func() {
			i++
			c.pass(20 * time.Millisecond)
			b.Step(0, i, 1875, 0.3, m)
		}); n != 0 {
			t.Errorf("terminal %v: %v allocations", terminal, n)
		}
	}
}

func TestScreen_WhatIsWrittenTakesTheLiveLineAway(t *testing.T) {
	s, out := screen(80)
	c := newClock()
	b := NewBar(s, BarOptions{Epochs: 5, Now: c.now})
	b.Step(0, 1, 3, 1, nil)
	out.Reset()
	s.Print("warning: the disk is full\n")
	if got := out.String(); got != "\r\x1b[K\x1b[1A\x1b[Kwarning: the disk is full\n" {
		t.Errorf("%q", got)
	}
	out.Reset()
	c.pass(time.Second)
	b.Step(0, 2, 3, 1, nil)
	if got := out.String(); !strings.HasPrefix(got, "Epoch 1/5\n\r2/3 ") {
		t.Errorf("the bar does not begin anew below: %q", got)
	}
	out.Reset()
	c.pass(time.Second)
	b.Step(0, 3, 3, 1, nil)
	if got := out.String(); !strings.HasPrefix(got, "\r3/3 ") {
		t.Errorf("%q", got)
	}
	s.Clear()
	out.Reset()
	s.Live("reading\x1b[2J")
	s.Clear()
	s.Clear()
	if got := out.String(); got != "\rreading?[2J\x1b[K\r\x1b[K" {
		t.Errorf("%q", got)
	}
}

func TestScreen_PrintKeepsItsOwnStylesOnly(t *testing.T) {
	s, out := screen(80)
	text := "a\x1b[2Jb\x1b]0;title\x07\t" + "\x1b[1mbold\x1b[0m\n"
	s.Print(text)
	if got := out.String(); got != "a?[2Jb?]0;title?\t?[1mbold?[0m\n" {
		t.Errorf("%q", got)
	}
	s.Color = true
	out.Reset()
	s.Print(text)
	if got := out.String(); got != "a?[2Jb?]0;title?\t\x1b[1mbold\x1b[0m\n" {
		t.Errorf("%q", got)
	}
}

// full is a device without room.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, io.ErrShortWrite }

func TestScreen_KeepsTheFirstFailure(t *testing.T) {
	s := &Screen{Writer: full{}}
	if s.Err() != nil {
		t.Error("nothing was written yet")
	}
	s.Print("x")
	if s.Err() != io.ErrShortWrite {
		t.Errorf("%v", s.Err())
	}
}

func TestNames_MoveNothingOnATerminal(t *testing.T) {
	s, out := screen(80)
	var table Table
	table.Add("a\x1b[2Jb", "c\nd")
	if err := errors.Join(table.Render(s), Confusion(s, [][]int64{{1, 0}, {0, 1}}, []string{"a\x1b[2J", "b\nc"}),
		Pictures(s, []Picture{{Pix: make([]byte, 4), H: 2, W: 2, Caption: "e\x1b[2Jf"}})); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(out.String(), "\x1b[2J") || !strings.Contains(out.String(), "c?d") || !strings.Contains(out.String(), "b?c") {
		t.Errorf("%q", out)
	}
}

func TestBar_NotANumberIsNotTheBest(t *testing.T) {
	s, out := screen(120)
	b := NewBar(s, BarOptions{Monitor: -1})
	for i, x := range []float64{math.NaN(), 2, math.NaN()} {
		b.EndEpoch(Figures{Epoch: i, Steps: 10, Time: time.Second, Loss: x})
	}
	lines := strings.Split(out.String(), "\n")
	if strings.Contains(lines[0], "best") || !strings.HasSuffix(lines[1], "- best") || !strings.HasSuffix(lines[2], "best 2.0000 (2)") {
		t.Errorf("%s", out)
	}
}

func TestBar_LossIsSmoothed(t *testing.T) {
	var s smooth
	s.add(2, 1)
	if math.Abs(s.value()-2) > 1e-12 {
		t.Errorf("first value: %v", s.value())
	}
	s.add(0, 1)
	if want := 2 * smoothing / (1 + smoothing); math.Abs(s.value()-want) > 1e-12 {
		t.Errorf("%v, want %v", s.value(), want)
	}
	s.add(math.NaN(), 1)
	s.add(1, 1)
	if math.Abs(s.value()-1) > 1e-12 {
		t.Errorf("after NaN: %v", s.value())
	}
}

func TestNumbers(t *testing.T) {
	for x, want := range map[float64]string{0.072: "0.0720", 3.14e-5: "3.1400e-05", 0: "0.0000", 12.5: "12.5000", 2e7: "2.0000e+07"} {
		if got := Figure(x); got != want {
			t.Errorf("Figure(%v) = %s, want %s", x, got, want)
		}
	}
	for d, want := range map[time.Duration]string{0: "0s", 65 * time.Second: "1:05", 7389 * time.Second: "2:03:09", 59600 * time.Millisecond: "1:00"} {
		if got := string(appendClock(nil, d)); got != want {
			t.Errorf("Clock(%v) = %s, want %s", d, got, want)
		}
	}
	for x, want := range map[float64]string{950: "950", 999.6: "1.0k", 12345: "12.3k", 123456: "123k", 4.5e6: "4.5M", 999999: "1.0M"} {
		if got := string(appendShort(nil, x)); got != want {
			t.Errorf("appendShort(%v) = %s, want %s", x, got, want)
		}
	}
	for n, want := range map[uint64]string{100: "100 B", 407080: "397.54 KB", 1 << 30: "1.00 GB"} {
		if got := Bytes(n); got != want {
			t.Errorf("Bytes(%v) = %s, want %s", n, got, want)
		}
	}
	for n, want := range map[int64]string{0: "0", 999: "999", 101770: "101,770", -1234567: "-1,234,567"} {
		if got := Thousands(n); got != want {
			t.Errorf("Thousands(%v) = %s, want %s", n, got, want)
		}
	}
}

func TestTable_FitsTheScreen(t *testing.T) {
	tab := Table{Header: []string{"layer", "output shape", "parameters"}, Right: []bool{false, false, true}}
	tab.Add("flatten", "(B, 784)", "0")
	tab.Add("dense", "(B, 128)", "100,480")
	tab.Add("鲲", "(B, 10)", "1,290")
	tab.Total = []string{"total", "", "101,770"}
	s, out := screen(80)
	if err := tab.Render(s); err != nil {
		t.Fatal(err)
	}
	want := `layer    output shape  parameters
─────────────────────────────────
flatten  (B, 784)               0
dense    (B, 128)         100,480
鲲       (B, 10)            1,290
─────────────────────────────────
total                     101,770
`
	if got := out.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	tab.Add(strings.Repeat("Blocks.3.Attention.", 10), "(B, 10)", "1")
	for _, columns := range []int{80, 40, 20} {
		s, out = screen(columns)
		if err := tab.Render(s); err != nil {
			t.Fatal(err)
		}
		for l := range strings.Lines(out.String()) {
			if n := width.Cells(strings.TrimSuffix(l, "\n")); n > columns {
				t.Errorf("%d columns: a line has %d: %s", columns, n, l)
			}
		}
	}
}

func TestConfusion_TenClassesFitEightyColumns(t *testing.T) {
	counts := make([][]int64, 10)
	for i := range counts {
		counts[i] = make([]int64, 10)
		counts[i][i] = 960 + int64(i)
		counts[i][(i+3)%10] = int64(i)
	}
	s, out := screen(80)
	if err := Confusion(s, counts, nil); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	if len(lines) != 11 {
		t.Fatalf("%d lines:\n%s", len(lines), out)
	}
	for _, x := range []struct {
		i    int
		want string
	}{
		{0, "true    0   1   2   3   4   5   6   7   8   9  recall"},
		{1, "0     960   ·   ·   ·   ·   ·   ·   ·   ·   ·  1.0000"},
		{10, "9       ·   ·   9   ·   ·   ·   ·   ·   · 969  0.9908"},
	} {
		if lines[x.i] != x.want {
			t.Errorf("got  %q\nwant %q", lines[x.i], x.want)
		}
	}
	for i := range counts {
		counts[i][i] = 99999
	}
	names := []string{"T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"}
	out.Reset()
	if err := Confusion(s, counts, names); err != nil {
		t.Fatal(err)
	}
	for l := range strings.Lines(out.String()) {
		if n := width.Cells(strings.TrimSuffix(l, "\n")); n > 80 {
			t.Errorf("%d columns: %s", n, l)
		}
	}
}

func TestConfusion_ManyClassesListMistakes(t *testing.T) {
	counts := make([][]int64, 100)
	for i := range counts {
		counts[i] = make([]int64, 100)
	}
	counts[3][7], counts[9][4] = 12, 1500
	s, out := screen(80)
	if err := Confusion(s, counts, nil); err != nil {
		t.Fatal(err)
	}
	want := "true  taken for  times\n──────────────────────\n9     4          1,500\n3     7             12\n"
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out, want)
	}
	if err := Confusion(s, [][]int64{{1, 2}}, nil); err == nil {
		t.Error("a matrix that is not square was accepted")
	}
}

func TestPictures_HalfBlocksAndASCII(t *testing.T) {
	p := Picture{H: 4, W: 5, Caption: "7", Pix: []uint8{
		0, 0, 0, 0, 0,
		0, 255, 255, 0, 0,
		0, 0, 255, 0, 0,
		0, 0, 255, 0, 0,
	}}
	s, out := screen(80)
	if err := Pictures(s, []Picture{p, p}); err != nil {
		t.Fatal(err)
	}
	if want := "▄▄  ▄▄\n █   █\n7   7\n"; out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out, want)
	}
	out.Reset()
	s.Unicode = false
	if err := Pictures(s, []Picture{p}); err != nil {
		t.Fatal(err)
	}
	if want := "==\n @\n7\n"; out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out, want)
	}
	out.Reset()
	s.Unicode, s.Color = true, true
	if err := Pictures(s, []Picture{p}); err != nil {
		t.Fatal(err)
	}
	if want := "\x1b[38;5;16;48;5;231m▀▀\x1b[0m\n\x1b[38;5;16;48;5;16m▀\x1b[38;5;231;48;5;231m▀\x1b[0m\n7\n"; out.String() != want {
		t.Errorf("got\n%q\nwant\n%q", out, want)
	}
}

func TestPictures_FillTheWidthAndNoMore(t *testing.T) {
	full := Picture{H: 28, W: 28, Pix: bytes.Repeat([]byte{200}, 784), Caption: "is 7, looks like 1"}
	s, out := screen(80)
	if err := Pictures(s, []Picture{full, full, full}); err != nil {
		t.Fatal(err)
	}
	for l := range strings.Lines(out.String()) {
		if n := width.Cells(strings.TrimSuffix(l, "\n")); n > 80 {
			t.Errorf("%d columns", n)
		}
	}
	if n := strings.Count(out.String(), "\n"); n != 15+1+15 {
		t.Errorf("%d lines", n)
	}
	out.Reset()
	if err := Pictures(s, []Picture{{}, {H: 3, W: 3, Pix: []uint8{1}}}); err != nil { // fewer pixels than claimed
		t.Fatal(err)
	}
}

func TestCut(t *testing.T) {
	s, _ := screen(80)
	for _, x := range []struct {
		text string
		n    int
		want string
	}{{"abc", 3, "abc"}, {"abcd", 3, "ab…"}, {"鲲鲲鲲", 4, "鲲…"}, {"abc", 0, ""}, {"abc", 1, "…"}} {
		if got := s.Cut(x.text, x.n); got != x.want {
			t.Errorf("Cut(%q, %d) = %q, want %q", x.text, x.n, got, x.want)
		}
	}
	s.Unicode = false
	if got := s.Cut("abcd", 3); got != "ab." {
		t.Errorf("%q", got)
	}
}
