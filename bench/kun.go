package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// built is Kun, made ready to be measured.
type built struct {
	command string // the program kun, stripped
	peer    string // the program kunpeer
	size    int64  // of the command, bytes
	out     string // folder for models
}

// buildKun builds the command and the peer from this repository.
func buildKun(ctx context.Context, o *options, tmp string) (*built, error) {
	k := &built{filepath.Join(tmp, "kun.exe"), filepath.Join(tmp, "kunpeer.exe"), 0, filepath.Join(tmp, "model")}
	for _, b := range [][2]string{{k.command, "./cmd/kun"}, {k.peer, "./bench/kunpeer"}} {
		c := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", b[0], b[1])
		c.Dir, c.Stderr = o.root, os.Stderr
		c.Env = append(os.Environ(), "CGO_ENABLED=0")
		if err := c.Run(); err != nil {
			return nil, fmt.Errorf("go build %s: %w", b[1], err)
		}
	}
	info, err := os.Stat(k.command)
	if err != nil {
		return nil, err
	}
	k.size = info.Size()
	return k, nil
}

// trained is what `kun train --json` prints.
type trained struct {
	Epochs   int       `json:"epochs"`
	Loss     float64   `json:"loss"`
	Accuracy float64   `json:"accuracy"`
	Seconds  []float64 `json:"seconds_per_epoch"`
	Total    float64   `json:"seconds_total"`
	PeakRSS  float64   `json:"peak_rss_bytes"`
	Level    string    `json:"cpu_level"`
	Hash     string    `json:"weights_sha256"`
	Seed     uint64    `json:"seed"`
}

// train runs the quick-start by the command.
func (k *built) train(ctx context.Context, o *options, seed uint64) (*trained, error) {
	defer os.RemoveAll(k.out)
	c := exec.CommandContext(ctx, k.command, "train", filepath.Join("examples", "mnist.yaml"), "--data", o.data, "--out", k.out,
		"--seed", fmt.Sprint(seed), "--threads", fmt.Sprint(o.threads), "--json")
	c.Dir = o.root
	var said strings.Builder
	c.Stderr = &said
	b, err := c.Output()
	if err != nil {
		return nil, fmt.Errorf("kun train: %w: %s", err, strings.TrimSpace(said.String()))
	}
	t := &trained{}
	if err := json.Unmarshal(b, t); err != nil {
		return nil, fmt.Errorf("kun train --json: %w", err)
	}
	if len(t.Seconds) == 0 {
		return nil, fmt.Errorf("kun train --json: no seconds_per_epoch")
	}
	return t, nil
}

// version is how long `kun version` takes, from its start to its end.
func (k *built) version(ctx context.Context) (seconds float64, said string, err error) {
	begin := time.Now()
	b, err := exec.CommandContext(ctx, k.command, "version").Output()
	line, _, _ := strings.Cut(string(b), "\n")
	return time.Since(begin).Seconds(), line, err
}
