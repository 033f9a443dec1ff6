package cli

import (
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"

	"github.com/kun-ml/kun/internal/cpu"
)

// build is what the binary knows about itself.
type build struct {
	Module   string `json:"module_version"`
	Commit   string `json:"commit,omitempty"`
	Time     string `json:"commit_time,omitempty"`
	Modified bool   `json:"modified"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
	Level    string `json:"cpu_level"`
}

// buildInfo reads what the Go tool wrote into the binary.
func buildInfo() build {
	b := build{Module: "unknown", Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH, Level: cpu.InForce().String()}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	if info.Main.Version != "" {
		b.Module = strings.Trim(info.Main.Version, "()")
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.Commit = s.Value
		case "vcs.time":
			b.Time = s.Value
		case "vcs.modified":
			b.Modified = s.Value == "true"
		}
	}
	return b
}

func (a *app) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "print the version, the commit, Go and the processor's level",
		Args:  args(),
		RunE: func(*cobra.Command, []string) error {
			b := buildInfo()
			a.printf("kun %s\n", b.Module)
			if b.Commit != "" {
				a.printf("  commit   %s", b.Commit)
				if b.Time != "" {
					a.printf(" of %s", b.Time)
				}
				if b.Modified {
					a.printf(", modified")
				}
				a.printf("\n")
			}
			a.printf("  go       %s\n", b.Go)
			a.printf("  platform %s\n", b.Platform)
			a.printf("  kernels  %s\n", b.Level)
			if w := cpu.Warning(); w != "" {
				a.logf("%s %s", a.warning(), w)
			}
			return a.emit(struct {
				envelope
				build
			}{envelope{jsonVersion, "version"}, b})
		},
	}
}
