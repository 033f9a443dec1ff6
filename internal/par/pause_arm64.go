//go:build !purego

package par

// pause tells the processor n times that the thread spins.
//
//go:noescape
func pause(n int)
