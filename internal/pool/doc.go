// Package pool runs the pieces of one piece of work on a fixed set of
// goroutines, fast enough to be used once for every layer of a network.
//
// A [Pool] is made once and lives as long as the program that needs it. Its
// [Pool.Run] hands out the numbers 0..n-1 to the workers, the caller being one
// of them, and returns when all are done:
//
//	p := pool.New(0)
//	defer p.Close()
//	p.Run(len(rows), task)
//
// Run allocates nothing. A worker without work spins for some 100 microseconds,
// which covers the gap between two layers, and then parks.
//
// Each worker begins with the same part of the numbers every time, so that what
// one layer leaves in a processor's cache is there for the next, and helps the
// others when that is done. So which worker gets which number changes from run
// to run. Results that must not change therefore have to depend on the number
// alone; the worker's own number is only good for choosing private scratch memory.
package pool
