package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// installed stands in the virtual environment when everything is installed; it holds the requirements as they were then.
const installed = "kun-bench-requirements.txt"

// prepare makes sure that there is a Python for the peers, and returns which packages could not be installed.
func prepare(ctx context.Context, o *options) ([]string, error) {
	if o.python != "" {
		path, err := exec.LookPath(o.python)
		if err != nil {
			return nil, fmt.Errorf("python: %w", err)
		}
		o.python = path
		return nil, nil
	}
	dir := filepath.Join(o.root, "bench", ".venv")
	o.python = filepath.Join(dir, "bin", "python")
	if runtime.GOOS == "windows" {
		o.python = filepath.Join(dir, "Scripts", "python.exe")
	}
	list := filepath.Join(o.root, "bench", "requirements.txt")
	want, err := os.ReadFile(list)
	if err != nil {
		return nil, err
	}
	if have, err := os.ReadFile(filepath.Join(dir, installed)); err == nil && string(have) == string(want) {
		return nil, nil
	}
	if _, err := os.Stat(o.python); err != nil {
		python, err := systemPython()
		if err != nil {
			return nil, err
		}
		if err := command(ctx, python, "-m", "venv", dir); err != nil {
			return nil, err
		}
	}
	fmt.Fprintln(os.Stderr, "installing the peers into bench/.venv (several GB, once)")
	if command(ctx, o.python, "-m", "pip", "install", "-q", "-r", list) == nil {
		return nil, os.WriteFile(filepath.Join(dir, installed), want, 0o644)
	}
	missing, err := oneByOne(ctx, o.python, list)
	if err != nil || len(missing) > 0 {
		return missing, err // the next run tries again
	}
	return nil, os.WriteFile(filepath.Join(dir, installed), want, 0o644)
}

// oneByOne installs what can be installed, and returns the rest.
func oneByOne(ctx context.Context, python, list string) (missing []string, err error) {
	f, err := os.Open(list)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		s := strings.TrimSpace(lines.Text())
		if s == "" || strings.HasPrefix(s, "#") {
			continue
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if command(ctx, python, "-m", "pip", "install", "-q", s) != nil {
			missing = append(missing, s)
		}
	}
	return missing, lines.Err()
}

func systemPython() (string, error) {
	for _, name := range []string{"python3", "python"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("the peers need Python 3 with venv and pip; -only kun measures without them")
}

// command runs a program and shows what it writes on standard error.
func command(ctx context.Context, argv ...string) error {
	c := exec.CommandContext(ctx, argv[0], argv[1:]...)
	c.Stdout, c.Stderr = os.Stderr, os.Stderr
	if err := c.Run(); err != nil {
		return fmt.Errorf("%s: %w", strings.Join(argv, " "), err)
	}
	return nil
}
