package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/spf13/cobra"

	"github.com/kun-ml/kun/internal/cli/term"
	"github.com/kun-ml/kun/internal/config"
	"github.com/kun-ml/kun/internal/config/width"
)

// TestMain lets the test binary be the command itself: with KUN_TEST_AS_COMMAND it runs Main.
func TestMain(m *testing.M) {
	if os.Getenv("KUN_TEST_AS_COMMAND") != "" {
		os.Exit(Main())
	}
	code := m.Run()
	if digitDir.path != "" {
		_ = os.RemoveAll(digitDir.path)
	}
	os.Exit(code)
}

// command prepares a run of kun as a process of its own.
func command(t *testing.T, env []string, args ...string) *exec.Cmd {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe, args...)
	cmd.Env = append(os.Environ(), "KUN_TEST_AS_COMMAND=1", "LC_ALL=C.UTF-8")
	cmd.Env = append(cmd.Env, env...)
	cmd.Dir = t.TempDir()
	return cmd
}

// run runs kun as a process and gives what it wrote and its exit code.
func run(t *testing.T, env []string, args ...string) (out, log string, code int) {
	t.Helper()
	cmd := command(t, env, args...)
	var o, e bytes.Buffer
	cmd.Stdout, cmd.Stderr = &o, &e
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return o.String(), e.String(), cmd.ProcessState.ExitCode()
}

func TestCommand_ExitCodesAndMessages(t *testing.T) {
	for _, x := range []struct {
		args string
		env  []string
		code int
		log  string
	}{
		{"version", nil, OK, ""},
		{"docter", nil, Usage, "error: unknown command \"docter\"\n  hint did you mean \"doctor\"?\n"},
		{"version --jsn", nil, Usage, "error: kun version: unknown flag --jsn\n  hint did you mean --json?\n"},
		{"version extra", nil, Usage, "error: kun version takes no arguments, found \"extra\"\n  hint write: kun version\n"},
		{"version --seed many", nil, Usage, "error: kun version: --seed wants a whole number from 0 to 18446744073709551615, not \"many\"\n" +
			"  hint kun version --help lists the flags\n"},
		{"version --threads -1", nil, Usage, "error: --threads is -1; it must lie between 0 and 1024\n  hint 0 takes one thread per core\n"},
		{"version --threads x", nil, Usage, "error: kun version: --threads wants a whole number, not \"x\"\n  hint kun version --help lists the flags\n"},
		{"version", []string{"KUN_THREADS=99999"}, Usage, "error: KUN_THREADS is 99999; it must lie between 0 and 1024\n  hint 0 takes one thread per core\n"},
		{"completion bash extra", nil, Usage, "error: kun completion bash takes no arguments, found \"extra\"\n  hint write: kun completion bash\n"},
		{"train x.yaml --epochs -1", nil, Usage, "error: --epochs is -1; it must be at least 0\n  hint 0 takes what is configured\n"},
		{"eval x --worst -1", nil, Usage, "error: --worst is -1; it must be at least 0\n"},
		{"version", []string{"KUN_THREADS=many"}, Usage, "error: KUN_THREADS=many wants a whole number\n"},
		{"version", []string{"KUN_SEED=-1"}, Usage, "error: KUN_SEED=-1: wants a whole number from 0 to 18446744073709551615\n"},
		{"version -q -v", nil, Usage, "error: -q and -v contradict each other\n"},
		{"completion", nil, Usage, "error: kun completion: SHELL is missing\n  hint write: kun completion SHELL\n"},
		{"completion tcsh", nil, Usage, "error: no completion for \"tcsh\"\n  hint write: kun completion bash, zsh, fish or powershell\n"},
		{"help nothing", nil, Usage, ""},
		{"help doctor", nil, OK, ""},
		{"", nil, OK, ""},
	} {
		_, log, code := run(t, x.env, strings.Fields(x.args)...)
		if code != x.code {
			t.Errorf("kun %s: exit code %d, want %d\n%s", x.args, code, x.code, log)
		}
		if x.log != "" && log != x.log {
			t.Errorf("kun %s: got\n%swant\n%s", x.args, log, x.log)
		}
	}
}

func TestCommand_JSONError(t *testing.T) {
	var got struct {
		Version int
		Error   struct {
			Code          int
			Message, Hint string
		}
	}
	if out, _, code := run(t, nil, "version", "--wrong", "--json"); code != Usage || !strings.Contains(out, `"message":"kun version: unknown flag --wrong"`) {
		t.Errorf("code %d, %q", code, out)
	}
	out, log, code := run(t, nil, "version", "extra", "--json")
	if err := json.Unmarshal([]byte(out), &got); err != nil || code != Usage || !strings.HasPrefix(log, "error: ") {
		t.Fatalf("%v, code %d, %q, %q", err, code, out, log)
	}
	if got.Version != 1 || got.Error.Code != Usage || !strings.Contains(got.Error.Message, "takes no arguments") || got.Error.Hint == "" {
		t.Errorf("%+v", got)
	}
}

func TestCommand_JSONIsOneObjectOnStandardOutput(t *testing.T) {
	for _, args := range [][]string{{"version", "--json"}, {"doctor", "--json"}} {
		out, log, code := run(t, nil, args...)
		var v map[string]any
		if err := json.Unmarshal([]byte(out), &v); err != nil || code != OK || log != "" {
			t.Fatalf("%v: %v, code %d, log %q", args, err, code, log)
		}
		if v["version"] != 1. || v["command"] != args[0] {
			t.Errorf("%v", v)
		}
	}
}

func TestHelp_FitsEightyColumnsAndNamesEveryCommand(t *testing.T) {
	a := newApp(Streams{Out: &bytes.Buffer{}, Err: &bytes.Buffer{}})
	var walk func(c *cobra.Command)
	walk = func(c *cobra.Command) {
		var b bytes.Buffer
		a.out = term.NewScreen(&b, a.getenv)
		a.help(c, nil)
		for l := range strings.Lines(b.String()) {
			if n := width.Cells(strings.TrimSuffix(l, "\n")); n > 80 {
				t.Errorf("%s: %d columns: %s", c.CommandPath(), n, l)
			}
		}
		for _, sub := range c.Commands() {
			if sub.IsAvailableCommand() && !strings.Contains(b.String(), "\n  "+sub.Name()+" ") {
				t.Errorf("%s does not name %s", c.CommandPath(), sub.Name())
			}
			if sub.Parent().Name() != "completion" {
				walk(sub)
			}
		}
	}
	walk(a.root())
	out, _ := must(t, "train", "--help")
	if !strings.Contains(out, "--set TEXT ") {
		t.Errorf("%s", out)
	}
	if out, _ = must(t, "--help"); !strings.Contains(out, "143") {
		t.Errorf("%s", out)
	}
}

func TestCode(t *testing.T) {
	for _, x := range []struct {
		err  error
		code int
	}{
		{nil, OK},
		{errors.New("x"), Bug},
		{fmt.Errorf("a: %w", &Exit{Code: Missed, Err: errors.New("x")}), Missed},
		{&config.Error{}, Config},
		{config.Errors{{}}, Config},
		{fmt.Errorf("a: %w", fs.ErrNotExist), Data},
		{&fs.PathError{Err: syscall.ENOSPC}, Resources},
		{&fs.PathError{Err: syscall.EACCES}, Resources},
		{&fs.PathError{Err: syscall.EROFS}, Resources},
		{&net.DNSError{}, Network},
		{&net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}, Network},
		{&url.Error{Op: "Get", Err: errors.New("x")}, Network},
		{opened(t.TempDir() + "/missing"), Data},
		{coded(Data, opened(write(t, "file", nil)+"/below")), Data},
		{coded(Data, opened(strings.Repeat("x", 5000))), Data},
		{coded(Data, readError(t.TempDir())), Data},
		{context.Canceled, Interrupted},
		{stopped{os.Interrupt}, Interrupted},
		{stopped{syscall.SIGTERM}, Terminated},
		{coded(Data, errors.New("x")), Data},
		{coded(Data, &fs.PathError{Err: syscall.ENOSPC}), Resources},
		{coded(Data, nil), OK},
	} {
		if got := Code(x.err); got != x.code {
			t.Errorf("Code(%v) = %d, want %d", x.err, got, x.code)
		}
	}
}

// opened is the error of opening a file.
func opened(path string) error {
	f, err := os.Open(path)
	if err == nil {
		f.Close()
	}
	return err
}

// readError is the error of reading a file or folder.
func readError(path string) error {
	_, err := os.ReadFile(path)
	return err
}

func TestHint_OfAFolderIsForWhatIsWritten(t *testing.T) {
	for op, want := range map[string]string{"mkdir": "--out DIR", "write": "--out DIR", "open": "permissions", "read": "permissions"} {
		if got := hintOf(&fs.PathError{Op: op, Path: "x", Err: syscall.EACCES}); !strings.Contains(got, want) {
			t.Errorf("%s: %q", op, got)
		}
	}
}

func TestReport_ConfigurationErrorsKeepTheirForm(t *testing.T) {
	var out, log bytes.Buffer
	a := newApp(Streams{Out: &out, Err: &log})
	_, err := config.Parse("c.yaml", []byte("a: [1\n"))
	if code := a.report(err); code != Config {
		t.Errorf("code %d", code)
	}
	want := "c.yaml:1:4: the list opened here is never closed by \"]\"\n   1 | a: [1\n     |    ^\n"
	if log.String() != want || out.Len() > 0 {
		t.Errorf("got\n%s\nwant\n%s", log.String(), want)
	}
}

func TestReport_HintsWrapAndControlCharactersAreTaken(t *testing.T) {
	var log bytes.Buffer
	a := newApp(Streams{Out: &bytes.Buffer{}, Err: &log})
	a.report(fail(Data, strings.Repeat("long words ", 20), "bad \x1b[31mname"))
	for l := range strings.Lines(log.String()) {
		if len(l) > 81 {
			t.Errorf("%d columns: %s", len(l), l)
		}
	}
	if strings.Contains(log.String(), "\x1b") || !strings.HasPrefix(log.String(), "error: bad ?[31mname\n  hint long words") {
		t.Errorf("%q", log.String())
	}
}

// panics is a standard input that finds a mistake of ours.
type panics struct{}

func (panics) Read([]byte) (int, error) { panic("index out of range") }

func TestRun_APanicBecomesABug(t *testing.T) {
	model := trained(t)
	for _, flag := range []string{"", "-v", "--json"} {
		var out, log bytes.Buffer
		if code := Run(t.Context(), strings.Fields("predict "+model+" - "+flag), Streams{In: panics{}, Out: &out, Err: &log}); code != Bug {
			t.Errorf("code %d", code)
		}
		s := log.String()
		if !strings.Contains(s, "error: kun failed inside: index out of range\n  hint this is a mistake in kun") || !strings.Contains(s, issuesURL) {
			t.Errorf("%s", s)
		}
		if strings.Contains(s, "goroutine") != (flag == "-v") {
			t.Errorf("%s: %s", flag, s)
		}
		if flag == "--json" && asObject(t, out.String())["error"].(map[string]any)["code"] != 1. {
			t.Errorf("%s", out.String())
		}
	}
}

func TestRun_AResultThatIsLostIsNoSuccess(t *testing.T) {
	for _, args := range [][]string{{"version"}, {"version", "--json"}, {"--help"}} {
		var log bytes.Buffer
		full := writer(func([]byte) (int, error) {
			return 0, &fs.PathError{Op: "write", Path: "/dev/stdout", Err: syscall.ENOSPC}
		})
		if code := Run(t.Context(), args, Streams{Out: full, Err: &log}); code != Resources || !strings.Contains(log.String(), "no space left") {
			t.Errorf("%v: code %d: %s", args, code, log.String())
		}
	}
}

type writer func([]byte) (int, error)

func (w writer) Write(p []byte) (int, error) { return w(p) }

func TestRun_AnInterruptedContextGivesItsCode(t *testing.T) {
	for s, code := range map[os.Signal]int{os.Interrupt: Interrupted, syscall.SIGTERM: Terminated} {
		ctx, cancel := context.WithCancelCause(context.Background())
		cancel(stopped{s})
		var log bytes.Buffer
		if got := Run(ctx, []string{"version"}, Streams{Out: &bytes.Buffer{}, Err: &log}); got != code {
			t.Errorf("%v: code %d, want %d", s, got, code)
		}
		if log.String() != "stopped\n" {
			t.Errorf("%q", log.String())
		}
	}
}
