// Package cli is the command kun: its verbs, flags, exit codes, and what it says when something goes wrong.
// cmd/kun/main.go only calls Main.
//
//	code := cli.Run(ctx, []string{"train", "mnist.yaml", "--json"}, cli.Streams{Out: &out, Err: &log, Env: os.Environ()})
//
// Results go to standard output, progress and messages to standard error. With --json one object goes to standard output: the
// result, or where a command failed before it, the error. Help and completion scripts stay text.
// A command reports failure by an error; Exit gives it an exit code, and Code says which code an error has.
// A stack trace is shown with -v only, of a mistake in kun.
//
// Package cli stands on the top floor and may import everything.
package cli
