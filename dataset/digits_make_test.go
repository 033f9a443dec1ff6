package dataset

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"runtime"
	"testing"
)

// digitsFor makes n images and labels, or ends the test.
func digitsFor(t *testing.T, seed uint64, split string, n int) (images, labels []byte) {
	t.Helper()
	images, labels = make([]byte, n*digitSize*digitSize), make([]byte, n)
	if err := makeDigits(t.Context(), seed, split, images, labels); err != nil {
		t.Fatal(err)
	}
	return images, labels
}

// The hashes of labels and images of seed 0. They hold on every processor; figures that others publish depend on them, so
// a change to the images is a change of the data set's version.
var digitsSHA256 = map[string]string{
	"train": "b8d8b8ac22ef83a19a1e81d89785e3f58d2816b619cc09a432c3e0b5780cb508",
	"test":  "2f51ff9d94409310cf314f5fc68a75e3351369f49cdbe26f084ba073c0f7c23f",
}

func TestDigits_BitsArePinned(t *testing.T) {
	for split, n := range map[string]int{"train": 10000, "test": 2000} {
		images, labels := digitsFor(t, 0, split, n)
		if got := fmt.Sprintf("%x", sha256.Sum256(append(labels, images...))); got != digitsSHA256[split] {
			t.Errorf("%s: SHA-256 %s, want %s", split, got, digitsSHA256[split])
		}
	}
}

func TestDigits_SameBitsOnAnyNumberOfThreads(t *testing.T) {
	want, _ := digitsFor(t, 7, "train", 1000)
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	for _, threads := range []int{1, 2, 3, 5} {
		runtime.GOMAXPROCS(threads)
		if got, _ := digitsFor(t, 7, "train", 1000); !bytes.Equal(got, want) {
			t.Errorf("%d threads give other images", threads)
		}
	}
}

func TestDigits_ImageDependsOnItsIndexAlone(t *testing.T) {
	all, labels := digitsFor(t, 3, "test", 333)
	head, headLabels := digitsFor(t, 3, "test", 70)
	if !bytes.HasPrefix(all, head) || !bytes.HasPrefix(labels, headLabels) {
		t.Error("the first images depend on how many are made")
	}
}

func TestDigits_SeedsAndSplitsDiffer(t *testing.T) {
	seen := map[string]string{}
	for _, seed := range []uint64{0, 1} {
		for _, split := range []string{"train", "test"} {
			images, _ := digitsFor(t, seed, split, 500)
			for i := range 500 {
				at := fmt.Sprintf("seed %d, %s, image %d", seed, split, i)
				one := string(images[i*digitSize*digitSize:][:digitSize*digitSize])
				if before := seen[one]; before != "" {
					t.Fatalf("%s equals %s", at, before)
				}
				seen[one] = at
			}
		}
	}
}

func TestDigits_LabelsAreBalancedAndShuffled(t *testing.T) {
	_, labels := digitsFor(t, 0, "train", 1000)
	var count [10]int
	ordered, runs := 0, 0
	for i, l := range labels {
		count[l]++
		if int(l) == i%10 {
			ordered++
		}
		if i >= 10 && l == labels[i-10] {
			runs++
		}
	}
	for d, c := range count {
		if c != 100 {
			t.Errorf("digit %d: %d of 1000", d, c)
		}
	}
	if ordered > 150 || runs > 150 { // 100 by chance
		t.Errorf("%d labels in their place, %d as ten before, of 1000", ordered, runs)
	}
}

// TestDigits_InkLiesInside tells empty, flooded and cut-off images.
func TestDigits_InkLiesInside(t *testing.T) {
	images, labels := digitsFor(t, 0, "train", 5000)
	cut := 0
	for i, l := range labels {
		img := images[i*digitSize*digitSize:][:digitSize*digitSize]
		dark, border := 0, 0
		for j, v := range img {
			if v > 100 {
				dark++
				if x, y := j%digitSize, j/digitSize; min(x, y) == 0 || max(x, y) == digitSize-1 {
					border++
				}
			}
		}
		if dark < 12 || dark > 350 {
			t.Errorf("image %d, a %d: %d dark pixels", i, l, dark)
		}
		if border > 8 {
			cut++
		}
	}
	if cut > 50 {
		t.Errorf("%d of 5000 images are cut off at the border", cut)
	}
}

func TestDigits_StopsWithItsContext(t *testing.T) {
	why := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(why)
	if err := makeDigits(ctx, 0, "train", make([]byte, 784), make([]byte, 1)); !errors.Is(err, why) {
		t.Errorf("error %v, want %v", err, why)
	}
}

// TestDigits_ProductsAreRounded fails where the compiler fuses a product with a sum: (1+2^-30)^2 - (1+2^-29) is 2^-60
// when fused and 0 when the product is rounded.
func TestDigits_ProductsAreRounded(t *testing.T) {
	a := 1 + 1.0/(1<<30)*float64(min(1, len(t.Name())))
	if got := mul(a, a) - (1 + 1.0/(1<<29)); got != 0 {
		t.Errorf("%g is left of a product that was not rounded", got)
	}
}

func TestStyles_AreWellFormed(t *testing.T) {
	for d, all := range styles {
		if len(all) < 4 {
			t.Errorf("digit %d: %d styles", d, len(all))
		}
		for i, s := range all {
			if s.weight <= 0 || len(s.strokes) == 0 {
				t.Errorf("digit %d, style %d: weight %d, %d strokes", d, i, s.weight, len(s.strokes))
			}
			for _, p := range s.strokes {
				if len(p)%2 != 0 || len(p) < 4 || len(p)/2 > mostPoints {
					t.Errorf("digit %d, style %d: a stroke of %d numbers", d, i, len(p))
				}
			}
		}
	}
}

func BenchmarkDigits(b *testing.B) {
	images, labels := make([]byte, 12000*784), make([]byte, 12000)
	for b.Loop() {
		if err := makeDigits(b.Context(), 0, "train", images, labels); err != nil {
			b.Fatal(err)
		}
	}
}
