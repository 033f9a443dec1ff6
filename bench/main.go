// Command bench measures Kun beside other systems on one machine in one run:
//
//	go run ./bench
//
// It installs the peers into bench/.venv, builds Kun, starts everything once, and
// then asks one after the other, round by round, so that whatever else the machine
// does falls on all of them alike. Figures are medians; a ratio is the median of
// the rounds' ratios. README.md beside this file says what each figure means.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// options are the flags.
type options struct {
	root    string // of the repository
	data    string
	python  string
	lab     string
	json    string
	rounds  int
	threads int
	only    map[string]bool // nil: all
	seeds   []uint64
	steps   int
	quiet   quiet
	over    func() bool // the run was stopped
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	o, err := parse()
	if err != nil {
		return err
	}
	o.over = func() bool { return ctx.Err() != nil }
	tmp, err := os.MkdirTemp("", "kun-bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	r := &report{Machine: describe(o)}
	k, err := buildKun(ctx, o, tmp)
	if err != nil {
		return err
	}
	measure := r.measurePeers
	if o.lab != "" {
		measure = func(ctx context.Context, o *options, k *built) error { return r.measureLab(ctx, o, k, tmp) }
	}
	failed := measure(ctx, o, k) // what was measured before is worth showing
	r.Machine += o.quiet.String()
	if failed != nil {
		r.Machine += ", incomplete: " + failed.Error()
	}
	r.print(os.Stdout)
	if o.json == "" {
		return failed
	}
	b, err := json.MarshalIndent(r, "", "  ")
	if err == nil {
		err = os.WriteFile(o.json, append(b, '\n'), 0o644)
	}
	return errors.Join(failed, err)
}

// parse reads the flags and finds the repository and the data.
func parse() (*options, error) {
	o := &options{}
	var only, seeds string
	flag.StringVar(&o.data, "data", "", "folder of the MNIST files, or the folder above it; default: KUN_DATA, then ../shared/data")
	flag.StringVar(&o.python, "python", "", "a Python that has the peers; default: bench/.venv, made when missing")
	flag.StringVar(&o.lab, "lab", "", "measure against the prototype in this folder instead of the peers")
	flag.StringVar(&o.json, "json", "", "also write all figures to this file")
	flag.StringVar(&only, "only", "", "only these beside Kun, which always takes part, by commas; kun: none; peers: "+strings.Join(peerNames(), ", "))
	flag.StringVar(&seeds, "seeds", "1,2,3", "seeds of Kun's runs, by commas; loss and accuracy are their means")
	flag.IntVar(&o.rounds, "rounds", 5, "rounds of alternation; 5 give each peer the 5 epochs of the quick-start")
	flag.IntVar(&o.threads, "threads", min(2, runtime.NumCPU()), "threads of everyone")
	flag.IntVar(&o.steps, "steps", 500, "training steps and predictions of a round")
	flag.DurationVar(&o.quiet.patience, "quiet", 2*time.Second, "how long to wait, before each measurement, for others to leave the processor; Linux")
	flag.Parse()
	if flag.NArg() > 0 || o.rounds < 1 || o.threads < 1 || o.steps < 1 {
		return nil, errors.New("takes flags only; rounds, threads and steps are at least 1")
	}
	for s := range strings.SplitSeq(seeds, ",") {
		n, err := strconv.ParseUint(strings.TrimSpace(s), 10, 64)
		if err != nil {
			return nil, fmt.Errorf("seeds: %w", err)
		}
		o.seeds = append(o.seeds, n)
	}
	if only != "" {
		o.only = map[string]bool{}
		for s := range strings.SplitSeq(only, ",") {
			o.only[strings.TrimSpace(s)] = true
		}
		for s := range o.only {
			if s != "kun" && findPeer(s) == nil {
				return nil, fmt.Errorf("only: no peer %q; there are kun, %s", s, strings.Join(peerNames(), ", "))
			}
		}
	}
	var err error
	if o.root, err = findRoot(); err != nil {
		return nil, err
	}
	if o.lab == "" {
		o.data, err = findData(o.root, o.data)
	}
	return o, err
}

// wants reports whether a peer takes part.
func (o *options) wants(name string) bool { return o.only == nil || o.only[name] }

// findRoot is the nearest folder upwards that holds this module.
func findRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		b, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err == nil && strings.HasPrefix(string(b), "module github.com/kun-ml/kun\n") {
			return dir, nil
		}
		up := filepath.Dir(dir)
		if up == dir {
			return "", errors.New("run it inside the repository: go run ./bench")
		}
		dir = up
	}
}

// findData is the folder that holds the four files of MNIST.
func findData(root, given string) (string, error) {
	candidates := []string{given}
	if given == "" {
		candidates = []string{os.Getenv("KUN_DATA"), filepath.Join(root, "..", "shared", "data")}
	}
	for _, c := range candidates {
		if c == "" {
			continue
		}
		for _, dir := range []string{c, filepath.Join(c, "mnist")} {
			for _, name := range []string{"train-images-idx3-ubyte.gz", "train-images-idx3-ubyte"} {
				if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
					return filepath.Abs(dir)
				} else if !errors.Is(err, fs.ErrNotExist) {
					return "", err
				}
			}
		}
	}
	return "", errors.New("no MNIST files: -data or KUN_DATA name the folder with train-images-idx3-ubyte.gz and the other three")
}
