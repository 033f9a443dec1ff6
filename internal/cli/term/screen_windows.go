package term

import (
	"os"

	"golang.org/x/sys/windows"
)

// prepareTerminal asks the console to obey escape sequences, which colours and lines that are drawn over need.
func prepareTerminal(f *os.File) bool {
	var mode uint32
	h := windows.Handle(f.Fd())
	if windows.GetConsoleMode(h, &mode) != nil {
		return false
	}
	return windows.SetConsoleMode(h, mode|windows.ENABLE_VIRTUAL_TERMINAL_PROCESSING) == nil
}
