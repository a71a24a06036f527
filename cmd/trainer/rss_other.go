//go:build !unix

package main

import "runtime"

// peakRSS is the memory that the process obtained from the system, in MiB, where
// the system does not tell the peak that it held.
func peakRSS() int {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.Sys >> 20)
}
