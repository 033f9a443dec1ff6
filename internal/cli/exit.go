package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"slices"
	"syscall"

	"github.com/kun-ml/kun"
	"github.com/kun-ml/kun/data"
	"github.com/kun-ml/kun/dataset"
	"github.com/kun-ml/kun/internal/config"
	"github.com/kun-ml/kun/store"
	"github.com/kun-ml/kun/tensor"
	"github.com/kun-ml/kun/train"
)

// The exit codes of kun.
const (
	OK          = 0
	Bug         = 1 // a mistake in kun
	Usage       = 2 // a flag or an argument
	Config      = 3 // the configuration, or a model that cannot be built from it
	Data        = 4 // the data
	Resources   = 5 // memory, disk, permissions
	Diverged    = 6 // NaN or infinity while training
	Corrupt     = 7 // a model file that is damaged
	Missed      = 8 // a figure that --require demanded
	Network     = 9 // a download or a port
	Interrupted = 130
	Terminated  = 143
)

// Exit is an error with its exit code and what to do next.
type Exit struct {
	Code int
	Err  error
	Hint string // the next command or the likely cause; may be empty
}

// Error is the message of Err.
func (e *Exit) Error() string { return e.Err.Error() }

// Unwrap is Err.
func (e *Exit) Unwrap() error { return e.Err }

// fail makes an Exit with a message.
func fail(code int, hint, format string, args ...any) error {
	return &Exit{code, fmt.Errorf(format, args...), hint}
}

// coded gives an error a code, unless it carries one or its kind has one of its own.
func coded(code int, err error) error {
	if err == nil || Code(err) != Bug {
		return err
	}
	return &Exit{Code: code, Err: err}
}

// stopped is the cause of a context that a signal ended.
type stopped struct{ signal os.Signal }

func (s stopped) Error() string { return "stopped by " + s.signal.String() }

func (s stopped) code() int {
	if s.signal == syscall.SIGTERM {
		return Terminated
	}
	return Interrupted
}

// Code is the exit code of an error: that of an Exit in its chain, or what its kind says; Bug for an error of no known
// kind, OK for nil.
func Code(err error) int {
	var exit *Exit
	var told *reported
	var s stopped
	var one *config.Error
	var missing *dataset.MissingError
	switch {
	case err == nil:
		return OK
	case errors.As(err, &exit):
		return exit.Code
	case errors.As(err, &told):
		return told.code
	case errors.As(err, &s):
		return s.code()
	case errors.Is(err, context.Canceled):
		return Interrupted
	case errors.As(err, &one), errors.As(err, new(*tensor.ShapeError)), errors.As(err, new(*kun.ResumeError)):
		return Config
	case errors.As(err, new(*store.CorruptError)):
		return Corrupt
	case errors.As(err, new(*train.DivergedError)):
		return Diverged
	case errors.As(err, &missing):
		if missing.Err != nil {
			return Network
		}
		return Data
	case errors.As(err, new(*data.FormatError)), errors.As(err, new(*kun.LabelError)):
		return Data
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT), errors.Is(err, syscall.EROFS),
		errors.Is(err, syscall.ENOMEM), errors.Is(err, syscall.EMFILE), errors.Is(err, fs.ErrPermission):
		return Resources
	case errors.Is(err, fs.ErrNotExist):
		return Data
	case errors.As(err, new(*net.OpError)), errors.As(err, new(*net.DNSError)), errors.As(err, new(*url.Error)):
		return Network // not net.Error: every error number of the system has its methods
	}
	return Bug
}

// hintOf is the hint that goes with an error, or "".
func hintOf(err error) string {
	var exit *Exit
	if errors.As(err, &exit) && exit.Hint != "" {
		return exit.Hint
	}
	var corrupt *store.CorruptError
	switch {
	case errors.As(err, &corrupt):
		return corrupt.Hint
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return "the disk is full; what was saved before is still valid"
	case errors.Is(err, syscall.EROFS), errors.Is(err, fs.ErrPermission):
		if writes(err) {
			return "choose a folder that you may write to, with --out DIR"
		}
		return "look at the permissions of the file and of its folders"
	}
	return ""
}

// writes reports whether an error is surely of something that was to be written; opening a file may be for either.
func writes(err error) bool {
	var p *fs.PathError
	return errors.Is(err, syscall.EROFS) || errors.As(err, new(*os.LinkError)) ||
		errors.As(err, &p) && slices.Contains([]string{"mkdir", "write", "remove", "unlinkat", "sync", "createtemp", "chmod", "truncate"}, p.Op)
}
