package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/spf13/cobra"

	"github.com/kun-ml/kun/internal/cli/term"
	"github.com/kun-ml/kun/internal/config"
	"github.com/kun-ml/kun/internal/config/width"
)

// Streams are a command's surroundings.
type Streams struct {
	In  io.Reader
	Out io.Writer // results
	Err io.Writer // progress and messages
	Env []string  // as os.Environ
}

// Main runs kun with the process's arguments and streams and gives its exit code.
func Main() int {
	a := newApp(Streams{os.Stdin, os.Stdout, os.Stderr, os.Environ()})
	ctx, stop := watch(context.Background(), a, os.Exit)
	defer stop()
	return a.run(ctx, os.Args[1:])
}

// Run runs kun and gives its exit code. A panic of the command is reported as a mistake in kun, with the code Bug.
func Run(ctx context.Context, args []string, s Streams) int { return newApp(s).run(ctx, args) }

func (a *app) run(ctx context.Context, args []string) (code int) {
	defer func() {
		if p := recover(); p != nil {
			code = a.panicked(p, debug.Stack())
		}
	}()
	root := a.root()
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if cause := context.Cause(ctx); cause != nil && (err == nil || errors.Is(err, context.Canceled)) {
		err = cause
	}
	if werr := a.out.Err(); werr != nil && Code(err) == OK {
		err = fail(Resources, "the result was not written, or not all of it", "standard output: %w", werr)
	}
	if err == nil {
		return OK
	}
	if i := slices.Index(args, "--"); i >= 0 {
		args = args[:i]
	}
	a.json = a.json || slices.Contains(args, "--json") // a wrong flag before it keeps it from being read
	return a.report(err)
}

// app is one run of the command.
type app struct {
	in      io.Reader
	out     *term.Screen
	err     *term.Screen
	environ []string

	json    bool
	verbose bool
	quiet   bool
	offline bool
	emitted bool // the object of --json
	seed    seedFlag
	threads int

	learning  atomic.Bool // a training has weights that an interruption saves
	reporting atomic.Bool // an error has been told, or is being told
}

func newApp(s Streams) *app {
	a := &app{in: s.In, environ: s.Env}
	a.out, a.err = term.NewScreen(s.Out, a.getenv), term.NewScreen(s.Err, a.getenv)
	return a
}

func (a *app) getenv(name string) string {
	for _, kv := range a.environ {
		if v, ok := strings.CutPrefix(kv, name+"="); ok {
			return v
		}
	}
	return ""
}

// logf writes a line for the person, unless -q.
func (a *app) logf(format string, args ...any) {
	if !a.quiet {
		a.err.Print(fmt.Sprintf(format+"\n", args...))
	}
}

// detailf writes a line for the person with -v.
func (a *app) detailf(format string, args ...any) {
	if a.verbose {
		a.err.Print(fmt.Sprintf(format+"\n", args...))
	}
}

// printf writes a part of the result for a person; with --json the object takes its place.
func (a *app) printf(format string, args ...any) {
	if !a.json {
		a.out.Print(fmt.Sprintf(format, args...))
	}
}

// jsonVersion is the version of the objects that --json prints; it grows when a field changes its meaning or goes.
const jsonVersion = 1

// envelope begins every object that --json prints.
type envelope struct {
	Version int    `json:"version"`
	Command string `json:"command"`
}

// emit prints the object of --json on one line. What goes wrong after it is told by the exit code and on standard error.
func (a *app) emit(v any) error {
	if !a.json {
		return nil
	}
	a.emitted = true
	return json.NewEncoder(a.out).Encode(v)
}

// report tells the person (and, with --json, the script) what went wrong, and gives the exit code.
func (a *app) report(err error) int {
	code, hint := Code(err), hintOf(err)
	message := inWords(err)
	var told *reported
	if errors.As(err, &told) || a.reporting.Swap(true) {
		return code
	}
	var s stopped
	var one *config.Error
	switch {
	case errors.As(err, &s):
		if hint != "" {
			a.err.Print("stopped; " + hint + "\n")
		} else {
			a.err.Print("stopped\n")
		}
	case errors.As(err, &one): // it says the place itself, and its hint stands below the caret
		fmt.Fprintln(a.err, strings.TrimSuffix(err.Error(), "\n"))
	default:
		fmt.Fprint(a.err, a.errorText(message, hint))
	}
	a.emitError(code, message, hint)
	return code
}

// inWords is the message of an error for a person: without the names of packages, and nothing said twice.
func inWords(err error) string {
	return strings.TrimSuffix(packages.ReplaceAllString(err.Error(), "$1"), ": "+fs.ErrNotExist.Error())
}

var packages = regexp.MustCompile(`(^|: )(?:(?:array|data|kun|prep|store|train): )+`)

// emitError prints the object of an error, with --json and unless the command printed its own.
func (a *app) emitError(code int, message, hint string) {
	if !a.json || a.emitted {
		return
	}
	type object struct {
		Code    int    `json:"code"`
		Message string `json:"message"`
		Hint    string `json:"hint,omitempty"`
	}
	_ = json.NewEncoder(a.out).Encode(struct {
		Version int    `json:"version"`
		Error   object `json:"error"`
	}{jsonVersion, object{code, width.Printable(message), hint}})
}

// errorText is "error: ..." with the hint below.
func (a *app) errorText(message, hint string) string {
	var b strings.Builder
	b.WriteString(a.err.Style(term.Red, "error:") + " " + width.Printable(strings.TrimSpace(message)) + "\n")
	if hint != "" {
		for i, l := range wrapText(hint, a.err.Width()-7) {
			lead := "  hint "
			if i > 0 {
				lead = "       "
			}
			b.WriteString(lead + l + "\n")
		}
	}
	return b.String()
}

// panicked reports a mistake of ours.
func (a *app) panicked(p any, stack []byte) int {
	message := fmt.Sprintf("kun failed inside: %v", p)
	hint := "this is a mistake in kun, not yours; please report it at " + issuesURL +
		" with this message, the command, and what \"kun version\" prints (-v shows where it happened)"
	fmt.Fprint(a.err, a.errorText(message, hint))
	if a.verbose {
		_, _ = a.err.Write(stack)
	}
	a.emitError(Bug, message, hint)
	return Bug
}

const issuesURL = "https://github.com/kun-ml/kun/issues"

// wrapText breaks text at spaces into lines of at most so many columns.
func wrapText(text string, columns int) []string {
	var lines []string
	for para := range strings.SplitSeq(text, "\n") {
		line := ""
		for word := range strings.FieldsSeq(para) {
			switch {
			case line == "":
				line = word
			case len(line)+1+len(word) <= columns:
				line += " " + word
			default:
				lines = append(lines, line)
				line = word
			}
		}
		lines = append(lines, line)
	}
	return lines
}

// args checks the number of a command's arguments; names are theirs, the last one ending in "..." where several may follow.
func args(names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, got []string) error {
		least, most := len(names), len(names)
		for _, n := range names {
			if strings.HasPrefix(n, "[") {
				least--
			}
			if strings.Contains(n, "...") {
				most = 1 << 30
			}
		}
		use := "write: " + cmd.CommandPath() + " " + strings.Join(names, " ")
		switch {
		case len(got) < least:
			return fail(Usage, use, "%s: %s is missing", cmd.CommandPath(), names[len(got)])
		case len(got) > most && most == 0:
			return fail(Usage, strings.TrimSpace(use), "%s takes no arguments, found %q", cmd.CommandPath(), got[0])
		case len(got) > most:
			return fail(Usage, use, "%s: one argument too many: %q", cmd.CommandPath(), got[most])
		}
		return nil
	}
}
