package cli

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/kun-ml/kun/internal/config"
)

// root builds the tree of commands. It does no work beyond that: `kun --help` must answer at once.
func (a *app) root() *cobra.Command {
	cobra.EnableCommandSorting = false // the order is that of the work
	root := &cobra.Command{
		Use:           "kun",
		Short:         "deep learning in pure Go: from raw data to a model in use",
		SilenceErrors: true,
		SilenceUsage:  true,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			return unknownCommand(cmd, args[0])
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			return a.globals(cmd)
		},
	}
	root.SetOut(a.out)
	root.SetErr(a.err)
	root.SetIn(a.in)
	f := root.PersistentFlags()
	f.BoolVar(&a.json, "json", false, "print the result as one JSON object on standard output")
	f.BoolVarP(&a.verbose, "verbose", "v", false, "say more")
	f.BoolVarP(&a.quiet, "quiet", "q", false, "say nothing but the result")
	f.Var(&a.seed, "seed", "where all random numbers start (env KUN_SEED)")
	f.IntVar(&a.threads, "threads", 0, "threads to compute with; 0: one per core (env KUN_THREADS)")
	f.BoolP("help", "h", false, "show this help")
	root.AddCommand(a.commands()...)
	root.SetHelpFunc(a.help)
	root.SetUsageFunc(func(cmd *cobra.Command) error { a.help(cmd, nil); return nil })
	root.SetFlagErrorFunc(flagError)
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	for _, c := range root.Commands() {
		switch c.Name() {
		case "help":
			c.Short = "show the help of a command"
			c.RunE, c.Run = func(cmd *cobra.Command, args []string) error { return a.helpFor(root, args) }, nil
		case "completion":
			c.Short = "print the completion script of a shell (bash, zsh, fish, powershell)"
			c.Args = args("SHELL")
			c.RunE = func(_ *cobra.Command, args []string) error {
				return fail(Usage, "write: kun completion bash, zsh, fish or powershell", "no completion for %q", args[0])
			}
			for _, shell := range c.Commands() {
				shell.Args = args()
			}
		}
	}
	return root
}

// commands lists the verbs in the order of the help.
func (a *app) commands() []*cobra.Command {
	return []*cobra.Command{
		a.demoCommand(),
		a.trainCommand(),
		a.evalCommand(),
		a.predictCommand(),
		a.inspectCommand(),
		a.doctorCommand(),
		a.versionCommand(),
	}
}

// globals checks what the flags of every command and their variables say.
func (a *app) globals(cmd *cobra.Command) error {
	if v := a.getenv("KUN_SEED"); v != "" && !a.seed.set {
		if err := a.seed.Set(v); err != nil {
			return fail(Usage, "", "KUN_SEED=%s: %w", v, err)
		}
		a.seed.from = "KUN_SEED=" + v
	}
	name := "--threads"
	if v := a.getenv("KUN_THREADS"); v != "" && !cmd.Flags().Changed("threads") {
		n, err := strconv.Atoi(v)
		if err != nil {
			return fail(Usage, "", "KUN_THREADS=%s wants a whole number", v)
		}
		a.threads, name = n, "KUN_THREADS"
	}
	if a.threads < 0 || a.threads > 1024 {
		return fail(Usage, "0 takes one thread per core", "%s is %d; it must lie between 0 and 1024", name, a.threads)
	}
	if a.quiet && a.verbose {
		return fail(Usage, "", "-q and -v contradict each other")
	}
	return nil
}

// seedFlag is a seed that knows whether it was given.
type seedFlag struct {
	value uint64
	set   bool
	from  string // what the person typed
}

// String is the seed, or nothing when none was given.
func (s *seedFlag) String() string {
	if !s.set {
		return ""
	}
	return strconv.FormatUint(s.value, 10)
}

// Set reads a seed from 0 to 2^64-1.
func (s *seedFlag) Set(text string) error {
	v, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return fmt.Errorf("wants a whole number from 0 to 18446744073709551615")
	}
	s.value, s.set, s.from = v, true, "--seed "+text
	return nil
}

// Type is the word for the value in the help.
func (s *seedFlag) Type() string { return "N" }

func unknownCommand(cmd *cobra.Command, name string) error {
	var known []string
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() || c.Name() == "help" {
			known = append(known, c.Name())
		}
	}
	return fail(Usage, config.DidYouMean(name, known), "unknown command %q", name)
}

// flagError turns pflag's message into ours: exit code 2, with the nearest flag.
func flagError(cmd *cobra.Command, err error) error {
	msg := err.Error()
	var bad *pflag.InvalidValueError
	if errors.As(err, &bad) {
		cause := strings.TrimPrefix(bad.Unwrap().Error(), "strconv.")
		switch bad.GetFlag().Value.Type() {
		case "int":
			cause = "wants a whole number"
		case "bool":
			cause = "is given alone, or as true or false"
		}
		return fail(Usage, fmt.Sprintf("%s --help lists the flags", cmd.CommandPath()), "%s: --%s %s, not %q", cmd.CommandPath(), bad.GetFlag().Name, cause, bad.GetValue())
	}
	if name, ok := strings.CutPrefix(msg, "unknown flag: --"); ok {
		var known []string
		add := func(f *pflag.Flag) { known = append(known, f.Name) }
		cmd.Flags().VisitAll(add)
		cmd.InheritedFlags().VisitAll(add)
		hint := fmt.Sprintf("%s --help lists the flags", cmd.CommandPath())
		if n, ok := config.Nearest(name, known); ok {
			hint = fmt.Sprintf("did you mean --%s?", n)
		}
		return fail(Usage, hint, "%s: unknown flag --%s", cmd.CommandPath(), name)
	}
	return fail(Usage, fmt.Sprintf("%s --help lists the flags", cmd.CommandPath()), "%s: %s", cmd.CommandPath(), msg)
}
