// Package machine asks the operating system what this computer has: memory, disk, the processor's name, and how much
// this process has used. What cannot be known is zero or empty. It imports nothing of Kun.
package machine
