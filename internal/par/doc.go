// Package par runs the pieces of one computation on several threads.
//
//	pool := par.New(2)
//	defer pool.Close()
//	pool.Run(8, func(piece, worker int) { ... })   // returns when all 8 are done
//
// Pieces are claimed as they come, by the caller and by helpers that wait in a short spin, then asleep. The caller never
// waits for a helper that claimed nothing, so a busy core costs its share of the work and not more. What a piece computes must
// depend on its number alone, never on the worker that runs it: then the result is the same for any number of threads.
//
// It imports the standard library only.
package par
