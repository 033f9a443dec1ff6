package config

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"
)

const head = "data: {source: x}\n"

// TestErrors_Golden holds the exact text of each mistake.
func TestErrors_Golden(t *testing.T) {
	for _, x := range []struct{ name, text, set, want string }{
		{"unknown key", head + "model:\n  - dense: {unit: 128, units: 3}\n", "", `
config.yaml:3:13: unknown key "unit" in dense
   3 |   - dense: {unit: 128, units: 3}
     |             ^^^^ did you mean "units"?`},
		{"unknown section", head + "model: [flatten]\ntrian: {epochs: 3}\n", "", `
config.yaml:3:1: unknown key "trian"
   3 | trian: {epochs: 3}
     | ^^^^^ did you mean "train"?`},
		{"unknown variant", head + "model: [flaten]\n", "", `
config.yaml:2:9: unknown layer "flaten"
   2 | model: [flaten]
     |         ^^^^^^ did you mean "flatten"?`},
		{"unknown variant, nothing near", head + "model: [flatten, zzz: {a: 1}]\n", "", `
config.yaml:2:18: unknown layer "zzz"
   2 | model: [flatten, zzz: {a: 1}]
     |                  ^^^
     | known: bidirectional, dense, dropout, flatten, sequential`},
		{"unknown activation", head + "model:\n  - dense: {units: 3, activation: rellu}\n", "", `
config.yaml:3:35: unknown activation "rellu"
   3 |   - dense: {units: 3, activation: rellu}
     |                                   ^^^^^ did you mean "relu"?`},
		{"wrong type", head + "model: [flatten]\ntrain: {epochs: five}\n", "", `
config.yaml:3:17: epochs in train wants a whole number, found the text "five"
   3 | train: {epochs: five}
     |                 ^^^^`},
		{"quoted number", head + "model:\n  - dense: {units: \"128\"}\n", "", `
config.yaml:3:20: units in dense wants a whole number, found the text "128"
   3 |   - dense: {units: "128"}
     |                    ^^^^^ leave the quotes out`},
		{"number for a list", head + "model: 5\n", "", `
config.yaml:2:8: model wants a list, found the number 5
   2 | model: 5
     |        ^ write [5]`},
		{"mapping for a number", head + "model: [flatten]\ntrain: {epochs: {a: 1}}\n", "", `
config.yaml:3:18: epochs in train wants a whole number, found a mapping
   3 | train: {epochs: {a: 1}}
     |                  ^`},
		{"text for a section", head + "model: [flatten]\ntrain: fast\n", "", `
config.yaml:3:8: train wants a mapping of keys to values, found the text "fast"
   3 | train: fast
     |        ^^^^ write train: {epochs: ..., batch_size: ..., seed: ...}`},
		{"not whole", head + "model: [flatten]\ntrain: {epochs: 2.5}\n", "", `
config.yaml:3:17: epochs in train wants a whole number; 2.5 is not whole
   3 | train: {epochs: 2.5}
     |                 ^^^`},
		{"yes for true", head + "model: [flatten]\ntrain: {shuffle: yes}\n", "", `
config.yaml:3:18: shuffle in train wants true or false, found the text "yes"
   3 | train: {shuffle: yes}
     |                  ^^^ write true`},
		{"out of range", head + "model:\n  - dropout: {rate: 1.5}\n", "", `
config.yaml:3:21: rate in dropout is 1.5; it must be below 1
   3 |   - dropout: {rate: 1.5}
     |                     ^^^`},
		{"between", head + "model: [flatten]\ntrain: {batch_size: 0}\n", "", `
config.yaml:3:21: batch_size in train is 0; it must lie between 1 and 65536
   3 | train: {batch_size: 0}
     |                     ^`},
		{"too large for the field", head + "model: [flatten]\ntiny: 300\n", "", `
config.yaml:3:7: tiny wants a whole number; 300 is too large
   3 | tiny: 300
     |       ^^^`},
		{"negative seed", head + "model: [flatten]\ntrain: {seed: -1}\n", "", `
config.yaml:3:15: seed in train wants a whole number; -1 is negative
   3 | train: {seed: -1}
     |               ^^`},
		{"division by zero", head + "model: [flatten]\nscale: 1/0\n", "", `
config.yaml:3:8: scale wants a number; 1/0 divides by zero
   3 | scale: 1/0
     |        ^^^`},
		{"missing in a bare variant", head + "model:\n  - dense\n", "", `
config.yaml:3:5: missing key "units" in dense
   3 |   - dense
     |     ^^^^^ write dense: {units: ...}`},
		{"missing section", "model: [flatten]\n", "", `
config.yaml:1:1: missing key "source" in data
   1 | model: [flatten]
     | ^^^^^ write data: {source: ...}`},
		{"duplicate key", head + "model: [flatten]\ndata: {source: y}\n", "", `
config.yaml:3:1: key "data" is given twice; first in line 1
   3 | data: {source: y}
     | ^^^^`},
		{"tab", head + "model:\n\t- flatten\n", "", `
config.yaml:3:1: a tab in the indentation; YAML indents with spaces only
   3 |  - flatten
     | ^ use two spaces for each level`},
		{"settings beside the name", head + "model:\n  - dense:\n    units: 3\n", "", `
config.yaml:4:5: "units" stands beside dense, not in it
   4 |     units: 3
     |     ^^^^^ indent it below dense, or write dense: {units: ...}`},
		{"two variants in one", head + "model: [flatten]\noptimizer: {adam: , sgd: }\n", "", `
config.yaml:3:21: one optimizer is wanted here, found adam and sgd
   3 | optimizer: {adam: , sgd: }
     |                     ^^^ begin each with "- " in a list, or keep one`},
		{"settings for a bare name", head + "model: [flatten]\noptimizer: {adam: {penalty: {l2: {factor: 1}}}}\n", "", `
config.yaml:3:35: l2 has no settings
   3 | optimizer: {adam: {penalty: {l2: {factor: 1}}}}
     |                                   ^^^^^^ write l2 alone`},
		{"unclosed list", head + "model: [flatten\n", "", `
config.yaml:2:8: the list opened here is never closed by "]"
   2 | model: [flatten
     |        ^`},
		{"alias", head + "model: *m\n", "", `
config.yaml:2:8: anchors and aliases (& and *) are not read here
   2 | model: *m
     |        ^ write the value out where it is needed`},
		{"second document", head + "model: [flatten]\n---\na: 1\n", "", `
config.yaml:4:1: a second document begins here; a configuration is one
   4 | a: 1
     | ^ keep one, without the line ---`},
		{"wrong size", head + "model: [flatten]\nsize: [1, 2, 3]\n", "", `
config.yaml:3:7: size wants 2 items, found 3
   3 | size: [1, 2, 3]
     |       ^`},
		{"no time", head + "model: [flatten]\ntrain: {every: 30}\n", "", `
config.yaml:3:16: every in train wants a time such as 30s or 5m, found the number 30
   3 | train: {every: 30}
     |                ^^`},
		{"wide characters", "data: {source: 图像, dri: x}\nmodel: [flatten]\n", "", `
config.yaml:1:20: unknown key "dri" in data
   1 | data: {source: 图像, dri: x}
     |                      ^^^ did you mean "dir"?`},
		{"set: unknown key", head + "model: [flatten]\n", "optimizer.adam.lerning_rate=1", `
--set optimizer.adam.lerning_rate=1: unknown key "lerning_rate" in adam
  hint did you mean "learning_rate"?`},
		{"set: wrong type", head + "model: [flatten]\n", "train.epochs=many", `
--set train.epochs=many: epochs in train wants a whole number, found the text "many"`},
		{"set: no such item", head + "model: [flatten]\n", "model.3.dense.units=1", `
--set model.3.dense.units=1: "3" is no place in a list of 1; they count from 0`},
		{"set: no value", head + "model: [flatten]\n", "train.epochs", `
--set train.epochs: wants KEY=VALUE
  hint for example --set train.epochs=3`},
		{"set: broken value", head + "model: [flatten]\n", "names=[a", `
--set names=[a: the value: the list opened here is never closed by "]"`},
	} {
		t.Run(x.name, func(t *testing.T) {
			var sets []string
			if x.set != "" {
				sets = append(sets, x.set)
			}
			_, _, err := decode(t, x.text, sets...)
			if err == nil {
				t.Fatal("no error")
			}
			if got, want := err.Error(), strings.TrimPrefix(x.want, "\n"); got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

func TestErrors_SeveralAtOnce(t *testing.T) {
	_, _, err := decode(t, head+"model:\n  - dense: {unit: 1}\n  - flaten\ntrain: {epochs: x, batch: 3}\n")
	es, ok := err.(Errors)
	if !ok || len(es) != 5 {
		t.Fatalf("%v", err)
	}
	var many strings.Builder
	many.WriteString(head + "model:\n")
	for range 100 {
		many.WriteString("  - flaten\n")
	}
	if _, _, err = decode(t, many.String()); len(err.(Errors)) != maxErrors {
		t.Errorf("%d errors", len(err.(Errors)))
	}
}

func TestErrors_FitEightyColumns(t *testing.T) {
	long := strings.Repeat("aaaa, ", 60)
	for _, text := range []string{
		head + "names: [" + long + "]\nmodel: [flatten]\nx: [" + long + "]\n",
		head + "model: [" + strings.Repeat("flatten, ", 40) + "flaten, " + strings.Repeat("flatten, ", 40) + "]\n",
		head + "model: [flatten]\ntrain: {" + strings.Repeat(" ", 100) + "epochs: five}\n",
		"data: {source: " + strings.Repeat("图", 90) + ", dri: x}\nmodel: [flatten]\n",
	} {
		_, _, err := decode(t, text)
		if err == nil {
			t.Fatal("no error")
		}
		lines := strings.Split(err.Error(), "\n")
		for i, l := range lines[1:] {
			if cells([]rune(l)) > columns && !strings.Contains(l, "known:") {
				t.Errorf("line %d has %d columns: %s", i+1, cells([]rune(l)), l)
			}
		}
		caret := strings.Index(lines[2], "^")
		if caret < 7 || caret >= columns {
			t.Errorf("the caret stands in column %d:\n%s", caret, err)
		}
	}
}

func TestReadFile_Errors(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		p := filepath.Join(dir, name)
		if err := os.WriteFile(p, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return p
	}
	write("mnist.yaml", "a: 1")
	big := write("big.yaml", strings.Repeat("a", MaxBytes+1))
	bin := write("bin.yaml", "a: \xff\n")
	for path, want := range map[string]string{
		filepath.Join(dir, "mnits.yaml"): `mnits.yaml: no such file`,
		dir:                              "is a folder",
		big:                              "is larger than 256 KiB",
		bin:                              "line 1 is not UTF-8",
	} {
		if _, err := ReadFile(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", path, err)
		}
	}
	_, err := ReadFile(filepath.Join(dir, "mnits.yaml"))
	if want := fmt.Sprintf("did you mean %q?", filepath.Join(dir, "mnist.yaml")); !strings.Contains(err.Error(), want) {
		t.Errorf("%v lacks %s", err, want)
	}
	if n, err := ReadFile(filepath.Join(dir, "mnist.yaml")); err != nil || n.Get("a").Text != "1" {
		t.Errorf("%v %v", n, err)
	}
}

func TestParse_RefusesWhatWouldTakeLong(t *testing.T) {
	for _, s := range []string{
		strings.Repeat("[", 50000), strings.Repeat("- ", 50000), strings.Repeat("{a: ", 50000), strings.Repeat("? ", 50000),
		strings.Repeat("[a,", 50000), strings.Repeat("a: 1\n", 50000), strings.Repeat("&a ", 50000), strings.Repeat("!!x ", 50000),
	} {
		if _, err := Parse("x", []byte(s)); err == nil {
			t.Errorf("%.20q... was accepted", s)
		}
	}
}

func TestParse_AcceptsWindowsLinesAndAByteOrderMark(t *testing.T) {
	n, err := Parse("x", []byte("\ufeffa: 1\r\nb:\r\n  - 2\r\n"))
	if err != nil || n.Get("a").Text != "1" || n.Get("b").Items[0].Text != "2" {
		t.Fatalf("%+v %v", n, err)
	}
	for _, empty := range []string{"", "\n", "# only a comment\n", "---\n"} {
		if n, err := Parse("x", []byte(empty)); err != nil || n.Kind != Map || len(n.Entries) != 0 {
			t.Errorf("%q: %+v %v", empty, n, err)
		}
	}
}

func TestKey(t *testing.T) {
	for in, want := range map[string]string{
		"Units": "units", "NoBias": "no_bias", "LearningRate": "learning_rate", "LR": "lr", "L2": "l2", "Beta1": "beta1",
		"FromLogits": "from_logits", "CSVFile": "csv_file", "Conv2D": "conv2d", "L1L2": "l1l2", "TopK": "top_k", "URL": "url",
		"Conv2DTranspose": "conv2d_transpose", "LayerNorm": "layer_norm", "ReLU": "re_lu",
	} {
		if got := Key(in); got != want {
			t.Errorf("Key(%s) = %s, want %s", in, got, want)
		}
	}
}

func TestNearest(t *testing.T) {
	known := []string{"units", "activation", "no_bias", "learning_rate", "epochs"}
	for in, want := range map[string]string{
		"unit": "units", "unitss": "units", "Units": "units", "nobias": "no_bias", "no-bias": "no_bias", "epcohs": "epochs",
		"learningrate": "learning_rate", "rate": "learning_rate", "zzz": "", "": "", "x": "",
	} {
		if got, _ := Nearest(in, known); got != want {
			t.Errorf("Nearest(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestNumbers(t *testing.T) {
	for in, want := range map[string]float64{"1/255": 1. / 255, "-3e-4": -3e-4, "1_000.5": 1000.5, "+.5": .5, "1 / 4": .25} {
		if got, err := parseFloat(in); err != nil || got != want {
			t.Errorf("parseFloat(%q) = %v, %v", in, got, err)
		}
	}
	for _, in := range []string{"", "nan", "inf", "-Inf", ".inf", "0x1p3", "1/0", "1/2/3", "1e999", "_1", "1__0", "one", "1/", "/2"} {
		if got, err := parseFloat(in); err == nil {
			t.Errorf("parseFloat(%q) = %v", in, got)
		}
	}
	for in, want := range map[string]int64{"128": 128, "-5": -5, "1e4": 10000, "60_000": 60000, "010": 10} {
		if got, err := parseInt(in); err != nil || got != want {
			t.Errorf("parseInt(%q) = %v, %v", in, got, err)
		}
	}
	for _, in := range []string{"", "1.5", "99999999999999999999", "1e300", "0x10", "ten"} {
		if got, err := parseInt(in); err == nil {
			t.Errorf("parseInt(%q) = %v", in, got)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(good), "train.epochs=3")
	f.Add([]byte("model:\n  - dense:\n    units: 3\n"), "model.0.dense=[1, {a: b}]")
	f.Add([]byte("a: |\n  x\n ? b\n"), "optimizer.adam.learning_rate=1/0")
	f.Add([]byte("{a: [1, {b: }], \"c\": 'd'}"), "=")
	f.Add([]byte("optimizer: {adam: , sgd: [}\n"), "optimizer=sgd")
	f.Fuzz(func(t *testing.T, text []byte, set string) {
		n, err := Parse("c.yaml", text)
		if err != nil {
			check(t, err)
			return
		}
		if err := n.Set(set); err != nil {
			check(t, err)
		}
		var c settings
		d := testDecoder()
		o, err := d.Decode(n, &c)
		if err != nil {
			check(t, err)
			return
		}
		// What is accepted prints as a configuration that reads back and prints the same.
		var b, b2 strings.Builder
		if err := d.Print(&b, &c, o); err != nil {
			t.Fatal(err)
		}
		n, err = Parse("c.yaml", []byte(b.String()))
		if err != nil {
			if utf8.RuneCountInString(b.String()) > 1000 { // beyond a limit on size or depth
				return
			}
			t.Fatalf("%v\n%s", err, b.String())
		}
		var c2 settings
		if _, err = d.Decode(n, &c2); err != nil {
			t.Fatalf("%v\n%s", err, b.String())
		}
		if err := d.Print(&b2, &c2, o); err != nil || b.String() != b2.String() {
			t.Fatalf("%v\n%s\n%s", err, b.String(), b2.String())
		}
	})
}

func check(t *testing.T, err error) {
	t.Helper()
	if s := err.Error(); s == "" || !utf8.ValidString(s) {
		t.Fatalf("%q", s)
	}
}
