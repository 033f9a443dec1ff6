package kun

import (
	"fmt"
	"io"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/kun-ml/kun/array"
	"github.com/kun-ml/kun/nn"
	"github.com/kun-ml/kun/tensor"
	"github.com/kun-ml/kun/train"
)

// Row is a layer in a summary.
type Row struct {
	Path    string      // path of the layer, "1" or "Blocks.0"
	Type    string      // its type, "Dense"
	Output  array.Shape // shape of its last output, the batch first, as 0; nil when it took no part
	Params  int         // how many numbers it holds, those of its own layers included
	Trained bool        // whether any of them learns
}

// Layers lists the layers of the network, one level deep: the entries of a nn.Sequential, or the exported layers of a
// struct. The model must have been built.
func (m *Model) Layers() ([]Row, error) {
	m.mu.RLock()
	fields, vars := m.fields, m.vars
	m.mu.RUnlock()
	if fields == nil {
		return nil, fmt.Errorf("kun: the model has no weights yet: Fit, Build or Load come first")
	}
	if s, ok := m.Net.(*saved); ok {
		w, st := m.Params()
		return []Row{{Type: s.netType + " (program)", Params: w + st, Trained: true}}, nil
	}
	var rows []Row
	const batch = 2
	g, err := tensor.Trace(tensor.Options{Model: m.Net}, func(ts []*tensor.Tensor) []*tensor.Tensor {
		seq, ok := m.Net.(nn.Sequential)
		if !ok || len(ts) != 1 {
			return m.forward(named(fields, ts))
		}
		x := m.Prepare.Apply(fields[0].Name, ts[0])
		for i, l := range seq {
			x = l.Forward(x)
			rows = append(rows, Row{Path: strconv.Itoa(i), Type: typeName(l), Output: x.Shape().Clone()})
		}
		return []*tensor.Tensor{x}
	}, train.Specs(fields, batch)...)
	if err != nil {
		return nil, err
	}
	if rows == nil {
		rows = layersOf(reflect.ValueOf(m.Net), "", 0)
		for i := range rows {
			rows[i].Output = lastOutput(g, rows[i].Path)
		}
	}
	for i := range rows {
		r := &rows[i]
		if len(r.Output) > 0 {
			r.Output[0] = 0
		}
		for p, v := range vars {
			if below(p, r.Path) {
				r.Params += v.Value.Len()
				r.Trained = r.Trained || v.Role == tensor.Weight
			}
		}
	}
	return rows, nil
}

func below(path, layer string) bool { return path == layer || strings.HasPrefix(path, layer+".") }

func typeName(l any) string {
	t := reflect.TypeOf(l)
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t.Name()
}

var layerType = reflect.TypeFor[nn.Layer]()

// layersOf finds the layers that a struct holds in exported fields and lists.
func layersOf(v reflect.Value, path string, depth int) []Row {
	for v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface {
		if v.IsNil() {
			return nil
		}
		if depth > 0 && v.Type().Implements(layerType) {
			return []Row{{Path: path, Type: typeName(v.Interface())}}
		}
		v = v.Elem()
	}
	if depth > 0 && v.CanAddr() && v.Addr().Type().Implements(layerType) {
		return []Row{{Path: path, Type: v.Type().Name()}}
	}
	var rows []Row
	at := func(name string) string {
		if path == "" {
			return name
		}
		return path + "." + name
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() {
				rows = append(rows, layersOf(v.Field(i), at(f.Name), depth+1)...)
			}
		}
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			rows = append(rows, layersOf(v.Index(i), at(strconv.Itoa(i)), depth+1)...)
		}
	}
	return rows
}

// lastOutput is the shape of the last value that belongs to a layer.
func lastOutput(g *tensor.Graph, path string) array.Shape {
	for i := len(g.Nodes) - 1; i >= 0; i-- {
		if n := g.Nodes[i]; !n.IsVar() && !n.IsInput() && below(n.Label, path) {
			return n.Type(0).Shape.Clone()
		}
	}
	return nil
}

// Summary writes the table that Keras users know: layers with their types, output shapes and numbers of parameters, then
// the totals with their memory. None stands for the batch. The model must have been built.
func (m *Model) Summary(w io.Writer) error {
	rows, err := m.Layers()
	if err != nil {
		return err
	}
	cells := [][3]string{{"Layer (type)", "Output Shape", "Param #"}}
	width := [3]int{27, 20, 11}
	for _, r := range rows {
		name := r.Type
		if r.Path != "" {
			name = r.Path + " (" + r.Type + ")"
		}
		cells = append(cells, [3]string{name, shapeText(r.Output), thousands(r.Params)})
	}
	for _, c := range cells {
		for i, s := range c {
			width[i] = max(width[i], utf8.RuneCountInString(s))
		}
	}
	var b strings.Builder
	rule := func(left, mid, right, line string) {
		b.WriteString(left)
		for i, n := range width {
			if i > 0 {
				b.WriteString(mid)
			}
			b.WriteString(strings.Repeat(line, n+2))
		}
		b.WriteString(right + "\n")
	}
	row := func(bar string, c [3]string) {
		fmt.Fprintf(&b, "%s %-*s %s %-*s %s %*s %s\n", bar, width[0], c[0], bar, width[1], c[1], bar, width[2], c[2], bar)
	}
	rule("┏", "┳", "┓", "━")
	row("┃", cells[0])
	rule("┡", "╇", "┩", "━")
	for i, c := range cells[1:] {
		if i > 0 {
			rule("├", "┼", "┤", "─")
		}
		row("│", c)
	}
	rule("└", "┴", "┘", "─")
	weights, states := m.Params()
	fmt.Fprintf(&b, " Total params: %s (%s)\n", thousands(weights+states), memory(4*(weights+states)))
	fmt.Fprintf(&b, " Trainable params: %s (%s)\n", thousands(weights), memory(4*weights))
	fmt.Fprintf(&b, " Non-trainable params: %s (%s)\n", thousands(states), memory(4*states))
	_, err = io.WriteString(w, b.String())
	return err
}

func shapeText(s array.Shape) string {
	if s == nil {
		return "-"
	}
	parts := make([]string, len(s))
	for i, d := range s {
		parts[i] = strconv.Itoa(d)
		if i == 0 {
			parts[i] = "None"
		}
	}
	return "(" + strings.Join(parts, ", ") + ")"
}

func thousands(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// memory writes bytes as Keras does: 1024-based, two decimals.
func memory(n int) string {
	v, units := float64(n), []string{"B", "KB", "MB", "GB", "TB"}
	i := 0
	for v >= 1024 && i < len(units)-1 {
		v /= 1024
		i++
	}
	return fmt.Sprintf("%.2f %s", v, units[i])
}
