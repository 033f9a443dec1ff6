package main

import (
	"reflect"
	"testing"
)

// What the prototype prints, with and without PyTorch beside it.
const (
	steps = `B=32 t=2 go-fusedadam       best 112.4 us  med 118.3 us  x1.00
B=32 t=2 go-sepadam         best 110.0 us  med 116.9 us  x0.99
B=32 t=2 torch              best 640.2 us  med 690.1 us  x5.84
`
	products = ` 128x 128x 128 t00                pk 118 | go 113/112 (x1.00) [95.8% pk, 37.1us] | torch 91/90 (x1.24) |
 784x 128x  32 t10 mnist dW=XtdY  pk 118 | go 112/109 (x1.00) [95.0% pk, 57.3us] |
4096x4096x4096 t01 big            pk 118 | go 109/108.5 (x1.00) [92.1% pk, 1260000.0us] |
`
)

func TestParseStep_TakesTheQuickerFormAndNoPeer(t *testing.T) {
	if us, ok := parseStep(steps); !ok || us != 116.9 {
		t.Errorf("got %v %v, want 116.9", us, ok)
	}
	if us, ok := parseStep("torch best 1 us med 1 us\n"); ok {
		t.Errorf("got %v from no line of the prototype", us)
	}
}

func TestParseProducts_ReadsEveryLine(t *testing.T) {
	want := []product{
		{128, 128, 128, 0, 0, "", 112},
		{784, 128, 32, 1, 0, "mnist dW=XtdY", 109},
		{4096, 4096, 4096, 0, 1, "big", 108.5},
	}
	if got := parseProducts(products); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if got := want[1].key(); got != "784 x 128 x 32, A transposed" {
		t.Errorf("key %q", got)
	}
}
