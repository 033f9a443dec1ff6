package cpu_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/kun-ml/kun/device"
	"github.com/kun-ml/kun/device/cpu"
	"github.com/kun-ml/kun/program"
)

// BenchmarkQuickStartStep is the training step of the MNIST quick-start: batch 32, 784-128-10, dropout, Adam.
func BenchmarkQuickStartStep(b *testing.B) {
	for _, threads := range []int{1, 2} {
		b.Run(fmt.Sprintf("threads=%d", threads), func(b *testing.B) {
			g := program.Optimize(network(b, 32, 784, 128, 10))
			d := cpu.New(cpu.Options{Threads: threads})
			defer d.Close()
			exe, err := d.Compile(g)
			if err != nil {
				b.Fatal(err)
			}
			inst, err := exe.Instance(variables(g))
			if err != nil {
				b.Fatal(err)
			}
			r := device.Run{Inputs: batch(32, 784, 10)}
			b.ReportAllocs()
			for b.Loop() {
				if err := inst.Run(&r); err != nil {
					b.Fatal(err)
				}
				r.Step++
			}
		})
	}
}

// BenchmarkCompile is the way from the trace to an instance.
func BenchmarkCompile(b *testing.B) {
	d := cpu.New(cpu.Options{Threads: 1})
	defer d.Close()
	for b.Loop() {
		g := program.Optimize(network(b, 32, 784, 128, 10))
		exe, err := d.Compile(g)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := exe.Instance(variables(g)); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkProfile prints where the time of a step goes.
func BenchmarkProfile(b *testing.B) {
	g := program.Optimize(network(b, 32, 784, 128, 10))
	d := cpu.New(cpu.Options{Threads: 1, Profile: true})
	defer d.Close()
	exe, err := d.Compile(g)
	if err != nil {
		b.Fatal(err)
	}
	inst, err := exe.Instance(variables(g))
	if err != nil {
		b.Fatal(err)
	}
	r := device.Run{Inputs: batch(32, 784, 10)}
	for b.Loop() {
		if err := inst.Run(&r); err != nil {
			b.Fatal(err)
		}
	}
	for _, s := range inst.(device.Profiler).Profile() {
		b.Logf("%8.2f us  %-24s %-12s %9.0f flops %8d bytes", float64(s.Time)/float64(time.Microsecond)/float64(s.Runs), s.Op, s.Layer, s.FLOPs, s.Bytes)
	}
}
