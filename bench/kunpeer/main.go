// Command kunpeer is Kun as a peer: it measures what a program that uses the
// public Go API gets. It speaks the protocol of peers/common.py, and answers two
// questions more:
//
//	gemm M N K TA TB MS     one product on the kernels, A or B transposed when TA or TB is 1, for MS milliseconds: {"seconds"}
//	cpu 0|1                 on Linux, time by the thread's own clock from now on, as the prototype does on one thread
//
// Epochs are the command's: see `kun train --json`.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// reply is one line of output.
type reply struct {
	Versions    map[string]string `json:"versions,omitempty"`
	Can         []string          `json:"can,omitempty"`
	Threads     int               `json:"threads,omitempty"`
	Seconds     float64           `json:"seconds,omitempty"`
	Allocations float64           `json:"allocations"`
	Error       string            `json:"error,omitempty"`
}

func main() {
	threads := flag.Int("threads", 2, "threads that compute")
	flag.String("data", "", "not used: the batches are made")
	flag.Parse()
	runtime.LockOSThread()
	out := json.NewEncoder(os.Stdout)
	_ = out.Encode(reply{Versions: map[string]string{"go": runtime.Version()}, Can: []string{"first", "step", "predict", "call", "gemm", "cpu"}, Threads: *threads})
	p := &peer{threads: *threads, clock: wall}
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		words := strings.Fields(in.Text())
		if len(words) == 0 {
			continue
		}
		if words[0] == "quit" {
			return
		}
		r, err := p.answer(words[0], words[1:])
		if err != nil {
			r.Error = fmt.Sprintf("%s: %v", words[0], err)
		}
		_ = out.Encode(r)
	}
}

// peer keeps what one question leaves for the next.
type peer struct {
	threads int
	clock   func() time.Duration
	step    *stepper
	rows    map[int]func() error // predictions by number of rows
	gemm    *gemm
}

// answer runs one command.
func (p *peer) answer(name string, words []string) (reply, error) {
	args := make([]int, len(words))
	for i, w := range words {
		n, err := strconv.Atoi(w)
		if err != nil {
			return reply{}, err
		}
		args[i] = n
	}
	want := map[string]int{"first": 1, "step": 1, "predict": 2, "call": 2, "gemm": 6, "cpu": 1}
	if n, ok := want[name]; !ok || n != len(args) {
		return reply{}, fmt.Errorf("not a command, or not with %d numbers", len(args))
	}
	switch name {
	case "cpu":
		p.clock = wall
		if args[0] == 1 {
			p.clock = threadClock
		}
		return reply{}, nil
	case "first":
		return p.first(uint64(args[0]))
	case "step":
		if p.step == nil {
			if _, err := p.first(1); err != nil {
				return reply{}, err
			}
		}
		return p.time(args[0], p.step.run)
	case "gemm":
		return p.product(args)
	default:
		f, err := p.predictor(args[0])
		if err != nil {
			return reply{}, err
		}
		return p.time(args[1], f)
	}
}

// first measures from nothing to the end of the first training step.
func (p *peer) first(seed uint64) (reply, error) {
	begin := time.Now()
	s, err := newStepper(p.threads, seed)
	if err != nil {
		return reply{}, err
	}
	p.step = s
	if err := s.run(); err != nil {
		return reply{}, err
	}
	return reply{Seconds: time.Since(begin).Seconds()}, nil
}
