package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/kun-ml/kun/internal/cli/term"
)

const exitCodes = "Exit codes: 0 fine, 1 a bug, 2 usage, 3 configuration, 4 data, 5 memory or disk, 6 diverged, 7 damaged file, " +
	"8 a required figure missed, 9 network, 130 or 143 stopped by Ctrl-C or SIGTERM."

// help writes the help of a command, at most as wide as the screen.
func (a *app) help(cmd *cobra.Command, _ []string) {
	var b strings.Builder
	width := min(a.out.Width(), 100)
	head := func(s string) { b.WriteString("\n" + a.out.Style(term.Bold, s) + "\n") }
	for _, l := range wrapText(cmd.CommandPath()+": "+cmd.Short, width) {
		b.WriteString(l + "\n")
	}
	if cmd.Long != "" {
		b.WriteByte('\n')
		for _, l := range wrapText(cmd.Long, width) {
			b.WriteString(l + "\n")
		}
	}
	head("Usage")
	if cmd.HasAvailableSubCommands() {
		fmt.Fprintf(&b, "  %s COMMAND [flags]\n", cmd.CommandPath())
	} else {
		fmt.Fprintf(&b, "  %s\n", cmd.UseLine())
	}
	if cmd.Example != "" {
		head("Examples")
		for l := range strings.Lines(cmd.Example) {
			b.WriteString("  " + strings.TrimRight(l, "\n") + "\n")
		}
	}
	var rows [][2]string
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() || c.Name() == "help" {
			rows = append(rows, [2]string{c.Name(), c.Short})
		}
	}
	if len(rows) > 0 {
		head("Commands")
		columns(&b, rows, width)
	}
	if rows = flagRows(cmd.LocalNonPersistentFlags()); len(rows) > 0 {
		head("Flags")
		columns(&b, rows, width)
	}
	head("Flags of every command")
	columns(&b, flagRows(cmd.Root().PersistentFlags()), width)
	if cmd == cmd.Root() {
		b.WriteByte('\n')
		for _, l := range wrapText(exitCodes, width) {
			b.WriteString(l + "\n")
		}
	}
	_, _ = a.out.Write([]byte(b.String()))
}

// helpFor is `kun help COMMAND`.
func (a *app) helpFor(root *cobra.Command, names []string) error {
	cmd := root
	for _, n := range names {
		next := (*cobra.Command)(nil)
		for _, c := range cmd.Commands() {
			if c.Name() == n {
				next = c
			}
		}
		if next == nil {
			return unknownCommand(cmd, n)
		}
		cmd = next
	}
	a.help(cmd, nil)
	return nil
}

// columns writes names and their explanations, wrapped.
func columns(b *strings.Builder, rows [][2]string, width int) {
	left := 0
	for _, r := range rows {
		left = max(left, len(r[0]))
	}
	left = min(left, 26)
	for _, r := range rows {
		pad := max(2, left+2-len(r[0]))
		for i, l := range wrapText(r[1], max(20, width-left-4)) {
			if i == 0 {
				b.WriteString("  " + r[0] + strings.Repeat(" ", pad) + l + "\n")
			} else {
				b.WriteString(strings.Repeat(" ", left+4) + l + "\n")
			}
		}
	}
}

func flagRows(fs *pflag.FlagSet) [][2]string {
	var rows [][2]string
	fs.VisitAll(func(f *pflag.Flag) {
		if f.Hidden || f.Name == "help" {
			return
		}
		kind, usage := pflag.UnquoteUsage(f)
		name := "--" + f.Name
		if f.Shorthand != "" {
			name = "-" + f.Shorthand + ", " + name
		}
		if kind != "" {
			name += " " + strings.ToUpper(strings.NewReplacer("int", "N", "stringArray", "TEXT", "string", "TEXT").Replace(kind))
		}
		rows = append(rows, [2]string{name, usage})
	})
	return rows
}
