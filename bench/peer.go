package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// kind is one peer: its script, and the package it stands on.
type kind struct{ name, title, script string }

// kinds are the peers, in the order of the table.
var kinds = []kind{
	{"keras-tf", "Keras on TensorFlow", "keras_tf.py"},
	{"keras-jax", "Keras on JAX", "keras_jax.py"},
	{"torch", "PyTorch, eager", "torch_eager.py"},
	{"torch-compiled", "PyTorch, compiled", "torch_compiled.py"},
	{"jax", "JAX, jitted step", "jax_jit.py"},
	{"jax-scan", "JAX, scanned epoch", "jax_scan.py"},
	{"onnxruntime", "ONNX Runtime", "onnxruntime_predict.py"},
}

func peerNames() []string {
	var s []string
	for _, k := range kinds {
		s = append(s, k.name)
	}
	return s
}

func findPeer(name string) *kind {
	if i := slices.IndexFunc(kinds, func(k kind) bool { return k.name == name }); i >= 0 {
		return &kinds[i]
	}
	return nil
}

// reply is one line of a peer.
type reply struct {
	Versions    map[string]string `json:"versions"`
	Can         []string          `json:"can"`
	Seconds     float64           `json:"seconds"`
	Loss        float64           `json:"loss"`
	Accuracy    float64           `json:"accuracy"`
	PeakRSS     float64           `json:"peak_rss_bytes"`
	Allocations float64           `json:"allocations"`
	Error       string            `json:"error"`
}

// process is a running peer.
type process struct {
	name  string
	cmd   *exec.Cmd
	in    io.WriteCloser
	lines chan []byte
	tail  *tail
	hello reply
	start float64 // seconds from its start to its first line
}

// patience is how long an answer may take: a compiler may need a minute, an epoch some seconds.
const patience = 10 * time.Minute

// start runs a peer and waits for its first line.
func start(ctx context.Context, name string, argv ...string) (*process, error) {
	p := &process{name: name, cmd: exec.CommandContext(ctx, argv[0], argv[1:]...), lines: make(chan []byte), tail: &tail{}}
	p.cmd.Env = environment()
	p.cmd.Stderr = p.tail
	in, err := p.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.in = in
	begin := time.Now()
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	go func() {
		defer close(p.lines)
		s := bufio.NewScanner(out)
		for s.Scan() {
			p.lines <- bytes.Clone(s.Bytes())
		}
	}()
	if p.hello, err = p.read(); err != nil {
		p.kill()
		return nil, err
	}
	p.start = time.Since(begin).Seconds()
	return p, nil
}

// environment is this process's, without what would slow numpy, and with no caches left beside the scripts.
func environment() []string {
	env := slices.DeleteFunc(os.Environ(), func(s string) bool {
		return strings.HasPrefix(s, "OPENBLAS_CORETYPE=") || strings.HasPrefix(s, "OPENBLAS_L2_SIZE=")
	})
	return append(env, "PYTHONDONTWRITEBYTECODE=1")
}

// ask sends one line and returns the answer.
func (p *process) ask(format string, args ...any) (reply, error) {
	if _, err := fmt.Fprintf(p.in, format+"\n", args...); err != nil {
		return reply{}, fmt.Errorf("%s: %w", p.name, p.why(err))
	}
	return p.read()
}

func (p *process) read() (reply, error) {
	var r reply
	select {
	case line, ok := <-p.lines:
		if !ok {
			return r, fmt.Errorf("%s: %w", p.name, p.why(errors.New("ended without an answer")))
		}
		if err := json.Unmarshal(line, &r); err != nil {
			return r, fmt.Errorf("%s: the line %q: %w", p.name, line, err)
		}
	case <-time.After(patience):
		p.kill()
		return r, fmt.Errorf("%s: no answer within %v", p.name, patience)
	}
	if r.Error != "" {
		return r, fmt.Errorf("%s: %s", p.name, r.Error)
	}
	return r, nil
}

// why adds the last line that the peer wrote on standard error.
func (p *process) why(err error) error {
	if s := p.tail.last(); s != "" {
		return fmt.Errorf("%w: %s", err, s)
	}
	return err
}

func (p *process) can(command string) bool { return slices.Contains(p.hello.Can, command) }

// quit ends the peer.
func (p *process) quit() {
	fmt.Fprintln(p.in, "quit")
	_ = p.in.Close()
	go func() { // let it write what it still has to say
		for range p.lines {
		}
	}()
	done := make(chan struct{})
	go func() { _ = p.cmd.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(20 * time.Second):
		_ = p.cmd.Process.Kill()
	}
}

func (p *process) kill() { _ = p.cmd.Process.Kill(); p.quit() }

// tail keeps the end of what is written to it.
type tail struct {
	sync.Mutex
	b []byte
}

func (t *tail) Write(b []byte) (int, error) {
	t.Lock()
	defer t.Unlock()
	t.b = append(t.b, b...)
	if n := len(t.b) - 8<<10; n > 0 {
		t.b = slices.Delete(t.b, 0, n)
	}
	return len(b), nil
}

// last is the last line that is not empty.
func (t *tail) last() string {
	t.Lock()
	defer t.Unlock()
	s := strings.TrimSpace(string(t.b))
	return s[strings.LastIndexByte(s, '\n')+1:]
}

// startPeer starts a peer's script.
func startPeer(ctx context.Context, o *options, k kind) (*process, error) {
	script := filepath.Join(o.root, "bench", "peers", k.script)
	return start(ctx, k.name, o.python, script, "-data", o.data, "-threads", fmt.Sprint(o.threads))
}
