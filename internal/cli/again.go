package cli

import (
	"regexp"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// commandLine is the command that is running, for a shell, with some of its flags set to other values.
func commandLine(cmd *cobra.Command, with map[string]string) string {
	words := strings.Fields(cmd.CommandPath())
	for _, x := range cmd.Flags().Args() {
		words = append(words, quoted(x))
	}
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		v, other := with[f.Name]
		switch {
		case other && v == "":
		case other:
			words = append(words, "--"+f.Name, quoted(v))
		case !f.Changed:
		case f.Value.Type() == "bool" && f.Value.String() == "true":
			words = append(words, "--"+f.Name)
		case f.Value.Type() == "bool":
			words = append(words, "--"+f.Name+"=false")
		default:
			values := []string{f.Value.String()}
			if l, ok := f.Value.(pflag.SliceValue); ok {
				values = l.GetSlice()
			}
			for _, v := range values {
				words = append(words, "--"+f.Name, quoted(v))
			}
		}
	})
	return strings.Join(words, " ")
}

var plainWord = regexp.MustCompile(`^[A-Za-z0-9_./:=,@%+-]+$`)

// quoted is a word as a shell reads it back.
func quoted(word string) string {
	if plainWord.MatchString(word) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
