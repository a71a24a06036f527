package cpu

import (
	"fmt"
	"os"
	"testing"
	"time"
)

// TestMemoryIsFreed allocates much more than it holds.
func TestMemoryIsFreed(t *testing.T) {
	d := newDevice(t, Options{Threads: 1})
	const size, count = collectFrom, 64
	before := addressSpace(t)
	for range count {
		b, err := d.Alloc(size)
		if err != nil {
			t.Fatal(err)
		}
		b.Host()[0] = 1
	}
	// Freeing follows the collector on a goroutine of its own.
	const most = size * count / 2
	grown := 0
	for range 100 {
		if grown = addressSpace(t) - before; grown < most {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Errorf("after %d allocations of %d MiB that nobody holds, the process has %d MiB more", count, size>>20, grown>>20)
}

// addressSpace is the size of the process's address space in bytes.
func addressSpace(t *testing.T) int {
	t.Helper()
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Skip("the size of the process is unknown:", err)
	}
	var pages int
	if _, err := fmt.Sscan(string(text), &pages); err != nil {
		t.Fatal(err)
	}
	return pages * os.Getpagesize()
}
