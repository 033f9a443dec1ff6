package cpu

import (
	"fmt"
	"math"
	"time"

	"github.com/kun-ml/kun/device"
)

// observed runs the steps one by one with a look at each: what it took, whether its results are finite.
func (in *instance) observed() error {
	if in.times == nil {
		in.times = make([]time.Duration, len(in.run))
	}
	in.runs++
	stale := in.stale()
	for i, f := range in.run {
		if i < in.e.prologue && !stale {
			continue
		}
		start := time.Now()
		f()
		in.times[i] += time.Since(start)
		if err := in.failed; err != nil {
			in.failed = nil
			return err
		}
		if in.d.check {
			if err := in.finite(&in.e.steps[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

// finite tests the results of a step when its operands are finite.
func (in *instance) finite(s *step) error {
	for _, v := range s.writes {
		at, x := in.firstBad(v)
		if at < 0 {
			continue
		}
		for _, r := range s.reads {
			if p, _ := in.firstBad(r); p >= 0 {
				return nil // the operand was not finite before: a constant or an input
			}
		}
		e := &device.NotFiniteError{Op: s.name, Layer: s.label, Index: at, Value: x}
		if file, line, fn := s.nodes[0].Where(); file != "" {
			e.Where = fmt.Sprintf("%s:%d  %s", file, line, fn)
		}
		return e
	}
	return nil
}

func (in *instance) firstBad(v *value) (at int, x float64) {
	if !v.t.DType.IsFloat() {
		return -1, 0
	}
	f := make([]float64, v.t.Shape.Size())
	load(v.t.DType, in.ptr[v.id], f)
	for i, x := range f {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return i, x
		}
	}
	return -1, 0
}

// Profile lists what each step took.
func (in *instance) Profile() []device.StepTime {
	var out []device.StepTime
	for i := range in.e.steps {
		s := &in.e.steps[i]
		t := device.StepTime{Op: s.name, Layer: s.label, Runs: in.runs}
		if in.times != nil {
			t.Time = in.times[i]
		}
		for _, n := range s.nodes {
			t.FLOPs += n.FLOPs()
		}
		for _, list := range [][]*value{s.reads, s.writes} {
			for _, v := range list {
				t.Bytes += v.bytes()
			}
		}
		out = append(out, t)
	}
	return out
}

var _ device.Profiler = (*instance)(nil)
