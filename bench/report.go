package main

import (
	"fmt"
	"io"
	"maps"
	"os/exec"
	"runtime"
	"slices"
	"strings"

	"github.com/kun-ml/kun/internal/cli/machine"
)

// report is all that a run found out; its JSON is the file of -json.
type report struct {
	Machine     string    `json:"machine"`
	Version     string    `json:"version,omitempty"`
	Level       string    `json:"cpu_level,omitempty"`
	BinaryBytes int64     `json:"binary_bytes,omitempty"`
	Total       []float64 `json:"train_seconds_total,omitempty"`
	Systems     []*system `json:"systems,omitempty"`
	Left        []string  `json:"left_out,omitempty"`
	Lab         []*labRow `json:"lab,omitempty"`
}

// leave notes what is missing from the table, and why.
func (r *report) leave(what string, err error) {
	s := fmt.Sprintf("%s: %s", what, strings.TrimPrefix(err.Error(), what+": "))
	r.Left = append(r.Left, s)
	note("left out:", s)
}

// describe names the machine and the software of the run.
func describe(o *options) string {
	rev := "unknown commit"
	if b, err := exec.Command("git", "-C", o.root, "rev-parse", "--short", "HEAD").Output(); err == nil {
		rev = "commit " + strings.TrimSpace(string(b))
	}
	return fmt.Sprintf("%s, %d cores, %s/%s, %d threads each, %s", machine.CPUName(), runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, o.threads, rev)
}

// print writes the tables as Markdown.
func (r *report) print(w io.Writer) {
	fmt.Fprintf(w, "%s", r.Machine)
	if r.Level != "" {
		fmt.Fprintf(w, ", kernels %s", r.Level)
	}
	fmt.Fprintln(w)
	if len(r.Systems) > 0 {
		r.printSystems(w)
		r.printGoals(w)
	}
	r.printLab(w)
	for i, s := range r.Left {
		if i == 0 {
			fmt.Fprintln(w, "\nLeft out:")
		}
		fmt.Fprintln(w, "-", s)
	}
}

func (r *report) printSystems(w io.Writer) {
	kun := r.Systems[0]
	fmt.Fprint(w, "\n| | epoch, s | x Kun | training step, us | x Kun | predict 1 row, us | x Kun | first step, s | start, s | peak memory, MB | test accuracy | test loss |\n")
	fmt.Fprint(w, "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n")
	for _, s := range r.Systems {
		x := func(of, kun []float64) string { return figure(ratio(of, kun), "%.1f") }
		fmt.Fprintf(w, "| %s | %s | %s | %s | %s | %s | %s | %s | %s | %s | %s | %s |\n", s.Title,
			figure(median(s.Epoch), "%.2f"), x(s.Epoch, kun.Epoch),
			figure(1e6*median(s.Step), "%.0f"), x(s.Step, kun.Step),
			figure(1e6*median(s.Call), "%.1f"), x(s.Call, kun.Call),
			figure(median(s.First), "%.3f"), figure(median(s.Start), "%.3f"), figure(median(s.PeakRSS)/1e6, "%.0f"),
			figure(mean(s.Accuracy), "%.4f"), figure(mean(s.Loss), "%.4f"))
	}
	fmt.Fprintln(w)
	for _, s := range r.Systems {
		var v []string
		for _, name := range slices.Sorted(maps.Keys(s.Versions)) {
			v = append(v, name+" "+s.Versions[name])
		}
		if s.Name == "kun" && r.Version != "" {
			v = []string{r.Version}
		}
		line := s.Title + ": " + strings.Join(v, ", ")
		if m := median(s.Predict); m > 0 && s.Name != "kun" {
			line += fmt.Sprintf("; its usual call for one row takes %.0f us", 1e6*m)
		}
		fmt.Fprintln(w, "-", line)
	}
}

// figure formats a number, and a dash for one that was not measured.
func figure(v float64, format string) string {
	if v == 0 {
		return "-"
	}
	return fmt.Sprintf(format, v)
}

// printGoals compares Kun's figures with what the project asks of itself.
func (r *report) printGoals(w io.Writer) {
	kun := r.Systems[0]
	fmt.Fprint(w, "\n| figure | goal | Kun | |\n|---|---|--:|---|\n")
	row := func(what, goal, got string, good bool) {
		if got == "-" || strings.HasPrefix(got, "- ") {
			return
		}
		verdict := "met"
		if !good {
			verdict = "missed"
		}
		fmt.Fprintf(w, "| %s | %s | %s | %s |\n", what, goal, got, verdict)
	}
	acc, loss := mean(kun.Accuracy), mean(kun.Loss)
	row(fmt.Sprintf("test accuracy, mean of %d seeds", len(kun.Accuracy)), ">= 0.977", figure(acc, "%.4f"), acc >= 0.977)
	row("test loss", "<= 0.078", figure(loss, "%.4f"), loss <= 0.078)
	if name, q := r.fastest(); name != "" {
		row("epoch, against the fastest peer ("+name+")", "<= 0.5 x", fmt.Sprintf("%.2f x", q), q <= 0.5)
	}
	first, call, start := 1e3*median(kun.First), 1e6*median(kun.Call), 1e3*median(kun.Start)
	row("trace to first training step", "<= 30 ms", figure(first, "%.1f ms"), first <= 30)
	row("predict one row", "<= 12 us", figure(call, "%.1f us"), call <= 12)
	for _, x := range [][2]string{{"step", "a training step"}, {"call", "a prediction"}} {
		if n, ok := kun.Allocs[x[0]]; ok {
			row("allocations of "+x[1], "0", fmt.Sprintf("%.0f", n), n < 0.5)
		}
	}
	mem := slices.Max(append([]float64{0}, kun.PeakRSS...)) / 1e6
	row("peak memory of kun train", "<= 160 MB", figure(mem, "%.0f MB"), mem <= 160)
	row("binary, stripped", "<= 12 MB", figure(float64(r.BinaryBytes)/1e6, "%.1f MB"), r.BinaryBytes <= 12e6)
	row("kun version", "<= 20 ms", figure(start, "%.1f ms"), start <= 20)
}

// fastest is the peer with the quickest epoch, and Kun's epoch divided by its.
func (r *report) fastest() (name string, q float64) {
	best := 0.0
	for _, s := range r.Systems[1:] {
		if m := median(s.Epoch); m > 0 && (best == 0 || m < best) {
			best, name, q = m, s.Title, ratio(r.Systems[0].Epoch, s.Epoch)
		}
	}
	return name, q
}
