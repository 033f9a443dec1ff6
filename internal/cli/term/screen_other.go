//go:build !windows

package term

import "os"

// prepareTerminal makes escape sequences work; elsewhere than on Windows they do.
func prepareTerminal(*os.File) bool { return true }
