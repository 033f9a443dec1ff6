package data_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/kun-ml/kun/array"
	"github.com/kun-ml/kun/data"
	"github.com/kun-ml/kun/internal/testdata"
)

func readCSV(t testing.TB, text string, o data.CSVOptions) *data.Table {
	t.Helper()
	a, err := data.ReadCSV(strings.NewReader(text), o)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// written is a table in one line: name=values, categories by their names.
func written(a *data.Table) string {
	var b strings.Builder
	for _, c := range a.Columns {
		fmt.Fprintf(&b, " %s=", c.Name)
		for i, v := range c.Values.Float64s() {
			if c.Categories == nil {
				fmt.Fprintf(&b, "%v,", v)
			} else {
				fmt.Fprintf(&b, "%s,", c.Categories[array.Data[int32](c.Values)[i]])
			}
		}
	}
	return b.String()[1:]
}

func TestReadCSV_Tables(t *testing.T) {
	for _, c := range []struct {
		text string
		o    data.CSVOptions
		want string
	}{
		{"a,b\n1,2\n3,4\n", data.CSVOptions{}, "a=1,3, b=2,4,"},
		{"1,2\n3,4", data.CSVOptions{}, "1=1,3, 2=2,4,"},
		{"\ufeffa;b\r\n1;2\r\n\r\n  \r\n3;4\r\n", data.CSVOptions{}, "a=1,3, b=2,4,"},
		{"\n\na\tb\n1\t-2e3\n", data.CSVOptions{}, "a=1, b=-2000,"},
		{"\"a,b\";c\n 1 ; 2 \n", data.CSVOptions{}, "a,b=1, c=2,"},
		{"name,n\n\"Braund, Mr. \"\"Owen\"\"\",22\nx,1\n", data.CSVOptions{}, `name=Braund, Mr. "Owen",x, n=22,1,`},
		{"a|b\n1|2\n", data.CSVOptions{Comma: '|'}, "a=1, b=2,"},
		{"a,b\nx,y\nz,y\n", data.CSVOptions{}, "a=x,z, b=y,y,"},
		{"a,b\nx,y\nz,y\n", data.CSVOptions{Header: data.HeaderNo}, "1=a,x,z, 2=b,y,y,"},
		{"1,2\n3,4\n", data.CSVOptions{Header: data.HeaderYes}, "1=3, 2=4,"},
		{",b\n7,2\n", data.CSVOptions{}, "1=7, b=2,"},
		{"a,b,c\n1,x,3\n", data.CSVOptions{Columns: []string{"c", "1"}}, "c=3, a=1,"},
		{"a,b,c\n1,x,3\n", data.CSVOptions{Skip: []string{"b", "-1"}}, "a=1,"},
		{"a,b\n1,x\n2,3\n", data.CSVOptions{Categories: []string{"a"}}, "a=1,2, b=x,3,"},
		{"a,b\n1,?\nNA,2\n3,3\n", data.CSVOptions{Missing: data.MissingDrop}, "a=3, b=3,"},
		{"a,b\n,?\nNA,x\n3,nan\n", data.CSVOptions{Missing: data.MissingKeep}, "a=NaN,NaN,3, b=,x,,"},
		{"a,b\n-999,x\n2,NA\n", data.CSVOptions{Missing: data.MissingKeep, NA: []string{"-999"}}, "a=NaN,2, b=x,NA,"},
		{"a,b\nx,\ny,NA\n", data.CSVOptions{NA: []string{}}, "a=x,y, b=,NA,"},
		{"a,b\n1,?\n2,3\n", data.CSVOptions{Columns: []string{"a"}}, "a=1,2,"},
		{"a\n1\n\n2\n", data.CSVOptions{}, "a=1,2,"},
	} {
		for name, r := range map[string]io.Reader{"text": strings.NewReader(c.text), "packed": bytes.NewReader(zipped(t, []byte(c.text))), "bytes": iotest.OneByteReader(strings.NewReader(c.text))} {
			a, err := data.ReadCSV(r, c.o)
			if err != nil {
				t.Errorf("%s %q: %v", name, c.text, err)
				continue
			}
			if got := written(a); got != c.want {
				t.Errorf("%s %q:\ngot  %s\nwant %s", name, c.text, got, c.want)
			}
		}
	}
}

func TestReadCSV_CategoriesAreSorted(t *testing.T) {
	a := readCSV(t, "w,n\nb,10\na,9\nc,-1\nb,9\n", data.CSVOptions{Categories: []string{"n"}})
	if got := a.Column("w"); !reflect.DeepEqual(got.Categories, []string{"a", "b", "c"}) || !reflect.DeepEqual(array.Data[int32](got.Values), []int32{1, 0, 2, 1}) {
		t.Errorf("%v %v", got.Categories, got.Values)
	}
	if got := a.Column("-1"); !reflect.DeepEqual(got.Categories, []string{"-1", "9", "10"}) || !reflect.DeepEqual(array.Data[int32](got.Values), []int32{2, 1, 0, 1}) {
		t.Errorf("%v %v", got.Categories, got.Values)
	}
	if a.Column("none") != nil || a.Column("3") != nil {
		t.Error("a column that is not there")
	}
}

func TestReadCSV_LikeAnotherTable(t *testing.T) {
	train := readCSV(t, "a,b,y\n1,red,no\n2,blue,yes\n3,green,no\n", data.CSVOptions{})
	test := readCSV(t, "y,b,extra,a\nyes,green,9,5\n", data.CSVOptions{Like: train})
	if got := written(test); got != "a=5, b=green, y=yes," {
		t.Error(got)
	}
	if got := array.Data[int32](test.Column("b").Values)[0]; got != 1 {
		t.Errorf("code %d", got)
	}
	unlabelled := readCSV(t, "a,b\n5,red\n", data.CSVOptions{Like: train, Columns: []string{"a", "b"}})
	if got := written(unlabelled); got != "a=5, b=red," {
		t.Error(got)
	}
	for text, want := range map[string]string{
		"a,b,y\n1,grey,no\n": `data: CSV: line 2, column 2: unknown category "grey" of column "b"; known: "blue", "green", "red"`,
		"a,b,y\nx,red,no\n":  `data: CSV: line 2, column 1: "x" is not a number (column "a" began with numbers; name it in Categories if it holds categories)`,
		"a,b\n1,red\n":       `data: CSV: no column "y"; there are a, b`,
	} {
		if _, err := data.ReadCSV(strings.NewReader(text), data.CSVOptions{Like: train}); err == nil || err.Error() != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
}

func TestReadCSV_Mistakes(t *testing.T) {
	for _, c := range []struct {
		text string
		o    data.CSVOptions
		want string
	}{
		{"", data.CSVOptions{}, "CSV: the table has no rows"},
		{"a,b\n", data.CSVOptions{}, "CSV: the table has no rows"},
		{"a,b\n1,2\n1,2,3\n", data.CSVOptions{}, "CSV: line 3: the row has 3 columns, the rows before have 2"},
		{"a,b,c\n1,2\n", data.CSVOptions{}, "CSV: line 2: the row has 2 columns, the header 3"},
		{"a,a\n1,2\n", data.CSVOptions{}, `CSV: two columns are named "a"`},
		{"a,b\n1,2\n\n3,two\n", data.CSVOptions{}, `CSV: line 4, column 2: "two" is not a number (column "b" began with numbers; name it in Categories if it holds categories)`},
		{"a;b\n1;2\n1;3,5\n", data.CSVOptions{}, `CSV: line 3, column 2: "3,5" is not a number; write it with a point (column "b" began with numbers; name it in Categories if it holds categories)`},
		{"a\n1\ninf\n", data.CSVOptions{}, `CSV: line 3, column 1: inf is not a finite number (column "a" began with numbers; name it in Categories if it holds categories)`},
		{"a\n1\n1e999\n", data.CSVOptions{}, `CSV: line 3, column 1: 1e999 is too large (column "a" began with numbers; name it in Categories if it holds categories)`},
		{"a,b\n1,2\n3,\n", data.CSVOptions{}, `CSV: line 3, column 2: the value of "b" is missing; leave out such rows (MissingDrop), keep them (MissingKeep) or skip the column`},
		{"a,b\n1,?\n?,2\n", data.CSVOptions{Missing: data.MissingDrop}, `CSV: a value is missing in every one of the 2 rows`},
		{"a,b\n1,?\n2,?\n", data.CSVOptions{Missing: data.MissingKeep}, `CSV: column "b" has no values; skip it`},
		{"a,b\n1,\"2\n", data.CSVOptions{}, `CSV: parse error on line 2, column 6: extraneous or missing " in quoted-field`},
		{"a,b\n1,x\"y\n", data.CSVOptions{}, "CSV: parse error on line 2, column 4: bare \" in non-quoted-field"},
		{"a,b\n1,\xff\n", data.CSVOptions{}, `CSV: line 2, column 2: "\xff" is not text in UTF-8`},
		{"a,b\n1,x\x00\n", data.CSVOptions{}, `CSV: line 2, column 2: "x\x00" is not text in UTF-8`},
		{"a,b\n1,2\n", data.CSVOptions{Columns: []string{"c"}}, `CSV: no column "c"; there are a, b`},
		{"a,b\n1,2\n", data.CSVOptions{Skip: []string{"3"}}, `CSV: Skip: no column "3"; there are a, b`},
		{"a,b\n1,2\n", data.CSVOptions{Categories: []string{"-3"}}, `CSV: Categories: no column "-3"; there are a, b`},
		{"a,b\n1,2\n", data.CSVOptions{Columns: []string{"a", "1"}}, `CSV: column "a" is asked for twice`},
		{"a,b\n1,2\n", data.CSVOptions{Skip: []string{"a", "b"}}, `CSV: no column is left to read`},
		{"a,b\n1,2\n", data.CSVOptions{Comma: '"'}, `CSV: '"' cannot separate columns`},
	} {
		if _, err := data.ReadCSV(strings.NewReader(c.text), c.o); err == nil || err.Error() != "data: "+c.want {
			t.Errorf("%q:\ngot  %v\nwant data: %s", c.text, err, c.want)
		}
	}
	_, err := data.ReadCSV(strings.NewReader("a\n1\nx\n"), data.CSVOptions{})
	var f *data.FormatError
	if !errors.As(err, &f) || f.Line != 3 || f.Column != 1 {
		t.Errorf("%+v", f)
	}
	packed := zipped(t, []byte("a,b\n"+strings.Repeat("1,2\n", 1000)))
	if _, err := data.ReadCSV(bytes.NewReader(packed[:len(packed)-9]), data.CSVOptions{}); err == nil || !strings.HasPrefix(err.Error(), "data: gzip: the file is cut off") {
		t.Error(err)
	}
	if _, err := data.ReadCSV(io.MultiReader(strings.NewReader("a,b\n1,2\n"), iotest.ErrReader(errDisk)), data.CSVOptions{}); !errors.Is(err, errDisk) {
		t.Error(err)
	}
	if _, err := data.ReadCSVFile(filepath.Join(t.TempDir(), "none.csv"), data.CSVOptions{}); err == nil || !strings.Contains(err.Error(), "none.csv: no such file") {
		t.Error(err)
	}
}

func TestTable_Set(t *testing.T) {
	a := readCSV(t, "a,kind,w,y,out\n1.5,p,1,no,7\n2.5,q,2,yes,8\n", data.CSVOptions{})
	s, err := a.Set(data.SetOptions{Target: "y", Weight: "w"})
	if err != nil {
		t.Fatal(err)
	}
	if x := s.Array(data.X); x.String() != "float32(2, 3)[1.5 0 7 2.5 1 8]" {
		t.Error(x)
	}
	if y := s.Array(data.Y); y.String() != "int32(2,)[0 1]" || !reflect.DeepEqual(s.Classes, []string{"no", "yes"}) {
		t.Error(y, s.Classes)
	}
	if w := s.Array(data.Weight); w.String() != "float32(2,)[1 2]" {
		t.Error(w)
	}
	s, err = a.Set(data.SetOptions{Target: "-1"})
	if err != nil || s.Array(data.Y).String() != "float32(2,)[7 8]" || s.Classes != nil || s.Array(data.Weight) != nil {
		t.Error(s.Array(data.Y), err)
	}
	if s, err = a.Set(data.SetOptions{}); err != nil || len(s.Fields()) != 1 || s.Array(data.X).Dim(1) != 5 {
		t.Error(err)
	}
	for _, c := range []struct {
		a    *data.Table
		o    data.SetOptions
		want string
	}{
		{a, data.SetOptions{Target: "z"}, `data: no column "z"; there are a, kind, w, y, out`},
		{a, data.SetOptions{Target: "w", Weight: "w"}, `data: column "w" cannot be target and weight`},
		{a, data.SetOptions{Weight: "kind"}, `data: column "kind" holds categories; weights are numbers`},
		{readCSV(t, "a\n1\n", data.CSVOptions{}), data.SetOptions{Target: "a"}, `data: the table has no column beside its target`},
		{readCSV(t, "a\n1\n1e300\n", data.CSVOptions{}), data.SetOptions{}, `data: column "a", row 1: 1e+300 is too large for float32`},
	} {
		if _, err := c.a.Set(c.o); err == nil || err.Error() != c.want {
			t.Errorf("got  %v\nwant %s", err, c.want)
		}
	}
}

func TestReadCSV_RealTables(t *testing.T) {
	dir := testdata.Dir(t, "tabular")
	file := func(name string, o data.CSVOptions) *data.Table {
		t.Helper()
		a, err := data.ReadCSVFile(filepath.Join(dir, filepath.FromSlash(name)), o)
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	iris, err := file("iris/iris.csv", data.CSVOptions{}).Set(data.SetOptions{Target: "-1"})
	if err != nil || iris.Len() != 150 || !reflect.DeepEqual(iris.Classes, []string{"Iris-setosa", "Iris-versicolor", "Iris-virginica"}) || iris.Array(data.X).Dim(1) != 4 {
		t.Error(iris, err)
	}
	w, err := data.ClassWeights(t.Context(), iris)
	if err != nil || w[0] != 1 || w[1] != 1 || w[2] != 1 {
		t.Error(w, err)
	}

	if a := file("wine-quality/winequality-red.csv", data.CSVOptions{}); a.Rows != 1599 || len(a.Columns) != 12 {
		t.Error(a.Rows)
	}
	digits, err := file("optdigits/optdigits.tes", data.CSVOptions{Categories: []string{"-1"}}).Set(data.SetOptions{Target: "-1"})
	if err != nil || digits.Len() != 1797 || strings.Join(digits.Classes, "") != "0123456789" {
		t.Error(digits, err)
	}

	adult := file("adult/adult-train.csv", data.CSVOptions{NA: []string{}})
	if adult.Rows != 32561 || len(adult.Columns) != 15 || len(adult.Columns[1].Categories) != 9 {
		t.Error(adult.Rows)
	}
	if a := file("adult/adult-train.csv", data.CSVOptions{Missing: data.MissingDrop}); a.Rows != 30162 || a.Dropped != 2399 {
		t.Errorf("%d rows, %d left out", a.Rows, a.Dropped)
	}
	_, err = data.ReadCSVFile(filepath.Join(dir, "adult", "adult-test.csv"), data.CSVOptions{Like: adult, NA: []string{}})
	if want := `line 1, column 15: unknown category "<=50K." of column "15"; known: "<=50K", ">50K"`; err == nil || !strings.HasSuffix(err.Error(), want) {
		t.Error(err)
	}

	houses := file("california-housing/housing.csv", data.CSVOptions{Missing: data.MissingKeep})
	missing := 0
	for _, v := range array.Data[float64](houses.Column("total_bedrooms").Values) {
		if math.IsNaN(v) {
			missing++
		}
	}
	if houses.Rows != 20640 || missing != 207 || len(houses.Column("ocean_proximity").Categories) != 5 {
		t.Errorf("%d rows, %d missing", houses.Rows, missing)
	}
	if a := file("titanic/titanic-kaggle-train.csv", data.CSVOptions{Skip: []string{"Cabin", "Ticket"}, Missing: data.MissingDrop}); a.Rows != 712 {
		t.Errorf("%d rows", a.Rows)
	}
	if _, err = data.ReadCSVFile(filepath.Join(dir, "titanic", "titanic-kaggle-train.csv"), data.CSVOptions{}); err == nil || !strings.Contains(err.Error(), `line 2, column 11: the value of "Cabin" is missing`) {
		t.Error(err)
	}
	if a := file("timeseries/daily-min-temperatures.csv", data.CSVOptions{}); a.Rows != 3650 || a.Columns[1].Categories != nil {
		t.Error(a.Rows)
	}
}

func FuzzReadCSV(f *testing.F) {
	for _, s := range []string{"a,b\n1,2\n", "1;2\n\"3\";4\n", "\ufeffa\tb\n?\tx\n1\ty\n", ",,\n1,2,3\n", "a,b\n1,\"2\n"} {
		f.Add([]byte(s), uint8(0))
		f.Add([]byte(s), uint8(6))
	}
	f.Add(zipped(f, []byte("a,b\n1,2\n")), uint8(1))
	f.Fuzz(func(t *testing.T, raw []byte, how uint8) {
		if len(raw) > 1<<13 {
			return
		}
		o := data.CSVOptions{Missing: data.Missing(how % 3), Header: data.HeaderMode(how / 3 % 3)}
		a, err := data.ReadCSV(bytes.NewReader(raw), o)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "data: ") {
				t.Fatal(err)
			}
			return
		}
		for _, c := range a.Columns {
			if c.Values.Len() != a.Rows || a.Rows == 0 {
				t.Fatalf("column %q has %v, the table %d rows", c.Name, c.Values, a.Rows)
			}
			if c.Categories == nil {
				continue
			}
			for _, k := range array.Data[int32](c.Values) {
				if int(k) >= len(c.Categories) || k < 0 {
					t.Fatalf("code %d of %q", k, c.Categories)
				}
			}
		}
		if _, err := data.ReadCSV(bytes.NewReader(raw), data.CSVOptions{Missing: o.Missing, Header: o.Header, Like: a}); err != nil {
			t.Fatalf("is not like itself: %v", err)
		}
		if s, err := a.Set(data.SetOptions{Target: "-1"}); err == nil && s.Len() != a.Rows {
			t.Fatal(s.Len())
		}
	})
}

func TestReadCSV_ManyColumns(t *testing.T) {
	text := strings.Repeat("1,", 30_000) + "1\n"
	a := readCSV(t, text+text, data.CSVOptions{})
	b := readCSV(t, text, data.CSVOptions{Like: a})
	if len(b.Columns) != 30_001 || a.Rows != 2 || b.Rows != 1 {
		t.Errorf("%d columns", len(b.Columns))
	}
}
