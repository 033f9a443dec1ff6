package main

import (
	"fmt"
	"os"
	"strings"
	"time"
)

// quiet waits for the rest of the machine. The peers sleep between questions, so whatever is busy then are others.
type quiet struct {
	patience time.Duration // for one wait
	others   []float64     // cores that others used just before each question
}

// calm is how much of one core others may use.
const calm = 0.25

// wait returns when others use little, or when patience ends; at once where the load cannot be known.
func (q *quiet) wait() {
	if q.patience <= 0 {
		return
	}
	const sample = 100 * time.Millisecond
	for begin := time.Now(); ; {
		before, ok := busy()
		if !ok {
			return
		}
		time.Sleep(sample)
		after, _ := busy()
		cores := (after - before).Seconds() / sample.Seconds()
		if cores <= calm || time.Since(begin) >= q.patience {
			q.others = append(q.others, cores)
			return
		}
	}
}

// busy is the processor time that the machine has spent since its start, on Linux.
func busy() (time.Duration, bool) {
	b, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, false
	}
	line, _, _ := strings.Cut(string(b), "\n")
	var user, nice, system, idle, iowait, irq, softirq, steal int64
	if _, err := fmt.Sscanf(line, "cpu %d %d %d %d %d %d %d %d", &user, &nice, &system, &idle, &iowait, &irq, &softirq, &steal); err != nil {
		return 0, false
	}
	return time.Duration(user+nice+system+irq+softirq+steal) * 10 * time.Millisecond, true
}

// String says how quiet it was.
func (q *quiet) String() string {
	if len(q.others) == 0 {
		return ""
	}
	return fmt.Sprintf(", others used %.2f cores just before a measurement (mean of %d)", mean(q.others), len(q.others))
}
