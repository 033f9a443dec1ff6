package cli

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
)

// trigger calls f once, when what is written holds a text.
type trigger struct {
	bytes.Buffer
	text string
	f    func()
}

func (w *trigger) Write(p []byte) (int, error) {
	n, err := w.Buffer.Write(p)
	if w.f != nil && strings.Contains(w.String(), w.text) {
		w.f()
		w.f = nil
	}
	return n, err
}

func TestTrain_AnInterruptionSavesWhatWasLearnt(t *testing.T) {
	path, model := small(t, "epochs: 2 => epochs: 100000"), filepath.Join(t.TempDir(), "m")
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	log := &trigger{text: "Epoch 3/", f: func() { cancel(stopped{os.Interrupt}) }}
	var out bytes.Buffer
	code := Run(ctx, []string{"train", path, "--out", model, "--json"}, Streams{In: strings.NewReader(""), Out: &out, Err: log})
	if code != Interrupted {
		t.Fatalf("code %d\n%s", code, log)
	}
	got := asObject(t, out.String())
	if got["interrupted"] != true || got["epochs"].(float64) < 3 || got["loss"] != nil {
		t.Errorf("%v", got)
	}
	again := "kun train " + path + " --json --out " + model + " --resume " + model
	if s := strings.Join(strings.Fields(log.String()), " "); !strings.Contains(s, "stopped; to go on: "+again) {
		t.Errorf("it does not say how to go on:\n%s", log)
	}
	if saved := object(t, "eval", model); saved["weights_sha256"] != got["weights_sha256"] {
		t.Error("the saved model has other weights")
	}
	more := int(got["epochs"].(float64)) + 2
	on := object(t, append(strings.Fields(again)[1:], "--epochs", strconv.Itoa(more))...)
	if on["epochs"] != float64(more) {
		t.Errorf("%v epochs after going on to %d", on["epochs"], more)
	}
}

func TestTrain_TheCommandToGoOnIsTheOneThatRan(t *testing.T) {
	path, dir := small(t, "epochs: 2 => epochs: 100000"), t.TempDir()
	first, model := trained(t), filepath.Join(dir, "it's m")
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	log := &trigger{text: "Epoch 3/", f: func() { cancel(stopped{os.Interrupt}) }}
	args := []string{"train", path, "--from", first, "--out=" + model, "--set", "optimizer.learning_rate=1e-3", "--set", "metrics=[accuracy ]",
		"--threads", "1", "--offline", "--seed=7"}
	if code := Run(ctx, args, Streams{In: strings.NewReader(""), Out: &bytes.Buffer{}, Err: log}); code != Interrupted {
		t.Fatalf("code %d\n%s", code, log)
	}
	name := "'" + strings.ReplaceAll(model, "'", `'\''`) + "'"
	want := "stopped; to go on: kun train " + path + " --offline --out " + name + " --resume " + name + " --seed 7 --set optimizer.learning_rate=1e-3 --set 'metrics=[accuracy ]' --threads 1\n"
	if !strings.HasSuffix(log.String(), want) {
		t.Errorf("got\n%swant\n%s", log, want)
	}
}

func TestTrain_AnInterruptionBeforeTheFirstStepSavesNothing(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(stopped{os.Interrupt})
	model := filepath.Join(t.TempDir(), "m")
	_, log, code := invokeIn(t, ctx, nil, "train", small(t), "--out", model)
	if code != Interrupted || log != "stopped\n" {
		t.Errorf("code %d: %s", code, log)
	}
	if _, err := os.Stat(model); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%v", err)
	}
}

func TestTrain_SignalsReachTheRunningCommand(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("a console is needed to send Ctrl-C there")
	}
	path, model := small(t, "epochs: 2 => epochs: 1000000"), filepath.Join(t.TempDir(), "m")
	cmd := command(t, nil, "train", path, "--out", model)
	log, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	r := bufio.NewReader(log)
	for line := ""; !strings.HasPrefix(line, "Epoch 2/"); {
		if line, err = r.ReadString('\n'); err != nil {
			t.Fatal(err)
		}
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	rest, _ := io.ReadAll(r)
	var exit *exec.ExitError
	if err := cmd.Wait(); !errors.As(err, &exit) || exit.ExitCode() != Interrupted {
		t.Fatalf("%v\n%s", err, rest)
	}
	for _, w := range []string{"stopping after this step; once more to stop at once", "stopped; to go on: kun train"} {
		if !strings.Contains(string(rest), w) {
			t.Errorf("lacks %q: %s", w, rest)
		}
	}
	must(t, "eval", model)
}
