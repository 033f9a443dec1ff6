package program

import (
	"fmt"
	"strings"

	"github.com/kun-ml/kun/tensor"
)

// Dump writes a graph as text, a node a line: number, operation, attributes, operands, types, layer path.
func Dump(g *tensor.Graph) string {
	var b strings.Builder
	dump(&b, g, "")
	return b.String()
}

func ref(t *tensor.Tensor) string {
	if t.Node().NumOut() == 1 {
		return fmt.Sprintf("%%%d", t.Node().ID())
	}
	return fmt.Sprintf("%%%d.%d", t.Node().ID(), t.Index())
}

func dump(b *strings.Builder, g *tensor.Graph, indent string) {
	for _, n := range g.Nodes {
		fmt.Fprintf(b, "%s%%%d = %s", indent, n.ID(), n.Op.Name)
		for _, t := range n.In {
			b.WriteString(" " + ref(t))
		}
		if n.Attr != nil {
			a := strings.TrimPrefix(fmt.Sprintf("%+v", n.Attr), "&")
			if len(a) > 100 {
				a = a[:100] + "...}"
			}
			b.WriteString(" " + a)
		}
		b.WriteString(" :")
		for i := range n.NumOut() {
			b.WriteString(" " + n.Type(i).String())
		}
		if n.Label != "" {
			b.WriteString("  # " + n.Label)
		}
		b.WriteByte('\n')
		if n.Body != nil {
			dump(b, n.Body, indent+"  | ")
		}
	}
	var outs []string
	for _, t := range g.Outs {
		outs = append(outs, ref(t))
	}
	fmt.Fprintf(b, "%soutputs %s\n", indent, strings.Join(outs, " "))
	if g.Parent() == nil {
		for _, a := range g.Trace().Assigns {
			fmt.Fprintf(b, "%sassign %s = %s\n", indent, a.Decl.Path, ref(a.Value))
		}
	}
}
