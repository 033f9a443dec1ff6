package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
)

// labRow is one comparison with the prototype.
type labRow struct {
	What      string    `json:"what"`
	Threads   int       `json:"threads"`
	Prototype []float64 `json:"prototype_seconds"`
	Kun       []float64 `json:"kun_seconds"`
	Note      string    `json:"note,omitempty"`

	goal float64 // Kun's time over the prototype's, at most
	ask  string  // the question to kunpeer
}

// ms is how long each product runs in a round.
const ms = 25

// measureLab alternates the prototype's own programs with Kun, on one thread and, with -threads 2 or more, on two.
func (r *report) measureLab(ctx context.Context, o *options, k *built, tmp string) error {
	bin := map[string]string{}
	for _, name := range []string{"mnist", "gemm"} {
		bin[name] = filepath.Join(tmp, "lab-"+name+".exe")
		c := exec.CommandContext(ctx, "go", "build", "-o", bin[name], "./cmd/"+name)
		c.Dir, c.Stderr = o.lab, os.Stderr
		if err := c.Run(); err != nil {
			return fmt.Errorf("lab: go build ./cmd/%s in %s: %w", name, o.lab, err)
		}
	}
	for threads := 1; threads <= min(2, o.threads); threads++ {
		p, err := start(ctx, "kun", k.peer, "-threads", fmt.Sprint(threads))
		if err != nil {
			return err
		}
		defer p.quit()
		own := 0
		if threads == 1 {
			own = 1 // as the prototype: the thread's own clock
		}
		if _, err := p.ask("cpu %d", own); err != nil {
			return err
		}
		step := &labRow{What: "training step, batch 32", Threads: threads, goal: []float64{1.25, 1.1}[threads-1], ask: fmt.Sprintf("step %d", o.steps)}
		r.Lab = append(r.Lab, step)
		shapes := map[string]*labRow{}
		for range o.rounds {
			if err := r.labRound(ctx, o, p, bin, threads, step, shapes); err != nil {
				return err
			}
			note("lab:", threads, "threads, step", step.Prototype, step.Kun)
		}
	}
	return nil
}

// labRound runs the prototype's step and Kun's, then its products and Kun's.
func (r *report) labRound(ctx context.Context, o *options, p *process, bin map[string]string, threads int, step *labRow, shapes map[string]*labRow) error {
	t := fmt.Sprint(threads)
	o.quiet.wait()
	out, err := labRun(ctx, o, bin["mnist"], "-t", t, "-r", "1")
	if err != nil {
		return err
	}
	us, ok := parseStep(out)
	if !ok {
		return fmt.Errorf("lab: no step in the output of cmd/mnist:\n%s", out)
	}
	if err := step.add(p, us*1e-6); err != nil {
		return err
	}
	for _, set := range []string{"square", "train"} {
		o.quiet.wait()
		out, err := labRun(ctx, o, bin["gemm"], "-t", t, "-r", "1", "-ms", fmt.Sprint(ms), "-set", set)
		if err != nil {
			return err
		}
		found := parseProducts(out)
		if len(found) == 0 {
			return fmt.Errorf("lab: no product in the output of cmd/gemm:\n%s", out)
		}
		for _, g := range found {
			if g.m*g.n*g.k > 2048*2048*2048 {
				continue
			}
			row := shapes[g.key()]
			if row == nil {
				row = &labRow{What: g.key(), Threads: threads, Note: g.name, goal: 1 / 0.95}
				row.ask = fmt.Sprintf("gemm %d %d %d %d %d %d", g.m, g.n, g.k, g.ta, g.tb, ms)
				shapes[g.key()] = row
				r.Lab = append(r.Lab, row)
			}
			if err := row.add(p, 2*float64(g.m*g.n*g.k)/(g.gflops*1e9)); err != nil {
				return err
			}
		}
	}
	return nil
}

// add adds the prototype's seconds, and Kun's measured now.
func (l *labRow) add(p *process, prototype float64) error {
	a, err := p.ask("%s", l.ask)
	if err != nil {
		return err
	}
	l.Prototype, l.Kun = append(l.Prototype, prototype), append(l.Kun, a.Seconds)
	return nil
}

func labRun(ctx context.Context, o *options, argv ...string) (string, error) {
	c := exec.CommandContext(ctx, argv[0], argv[1:]...)
	c.Dir, c.Stderr = o.lab, os.Stderr
	c.Env = environment()
	b, err := c.Output()
	if err != nil {
		return "", fmt.Errorf("lab: %s: %w", filepath.Base(argv[0]), err)
	}
	return string(b), nil
}

// stepLine is such as "B=32 t=1 go-fusedadam       best 168.1 us  med 170.3 us  x1.00".
var stepLine = regexp.MustCompile(`(?m)^B=\d+ t=\d+ go-\S+\s+best ([\d.]+) us\s+med ([\d.]+) us`)

// parseStep is the prototype's step in microseconds: the median of the quicker of its two forms.
func parseStep(out string) (us float64, ok bool) {
	for _, m := range stepLine.FindAllStringSubmatch(out, -1) {
		v, err := strconv.ParseFloat(m[2], 64)
		if err == nil && v > 0 && (!ok || v < us) {
			us, ok = v, true
		}
	}
	return us, ok
}

// product is one line of the prototype's products.
type product struct {
	m, n, k, ta, tb int
	name            string
	gflops          float64 // at its median time
}

func (g product) key() string {
	turned := map[[2]int]string{{0, 0}: "", {1, 0}: ", A transposed", {0, 1}: ", B transposed", {1, 1}: ", both transposed"}
	return fmt.Sprintf("%d x %d x %d%s", g.m, g.n, g.k, turned[[2]int{g.ta, g.tb}])
}

// productLine is such as "  32x 128x 784 t00 mnist fwd      pk 118 | go 112/111 (x1.00) [95.1% pk, 57.2us] |".
var productLine = regexp.MustCompile(`(?m)^\s*(\d+)x\s*(\d+)x\s*(\d+) t(\d)(\d)\s+(\S.*?)??\s*pk .*?\| go ([\d.]+)/([\d.]+)`)

func parseProducts(out string) []product {
	var ps []product
	for _, f := range productLine.FindAllStringSubmatch(out, -1) {
		var v [5]int
		for i := range v {
			v[i], _ = strconv.Atoi(f[1+i])
		}
		g, err := strconv.ParseFloat(f[8], 64)
		if err != nil || g <= 0 || v[0] <= 0 || v[1] <= 0 || v[2] <= 0 {
			continue
		}
		ps = append(ps, product{v[0], v[1], v[2], v[3], v[4], f[6], g})
	}
	return ps
}

// printLab writes the comparison with the prototype.
func (r *report) printLab(w io.Writer) {
	if len(r.Lab) == 0 {
		return
	}
	fmt.Fprint(w, "\n| against the hand-written prototype | threads | prototype, us | Kun, us | time of Kun / of the prototype | goal | |\n|---|--:|--:|--:|--:|--:|---|\n")
	for _, l := range r.Lab {
		q, verdict, what := ratio(l.Kun, l.Prototype), "met", l.What
		if q > l.goal {
			verdict = "missed"
		}
		if l.Note != "" {
			what += " (" + l.Note + ")"
		}
		fmt.Fprintf(w, "| %s | %d | %.1f | %.1f | %.2f | <= %.2f | %s |\n", what, l.Threads, 1e6*median(l.Prototype), 1e6*median(l.Kun), q, l.goal, verdict)
	}
}
