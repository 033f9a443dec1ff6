//go:build !windows

package term

import "os"

// prepareTerminal makes colours work; elsewhere than on Windows they do.
func prepareTerminal(*os.File) bool { return true }
