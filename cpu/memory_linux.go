package cpu

import "golang.org/x/sys/unix"

// mapMemory returns zeroed memory from the operating system, in large pages
// where it has them to give.
func mapMemory(n int) ([]byte, error) {
	b, err := unix.Mmap(-1, 0, n, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		return nil, err
	}
	// Advice that a kernel without large pages refuses changes speed alone.
	_ = unix.Madvise(b, unix.MADV_HUGEPAGE)
	return b, nil
}

// unmapMemory gives memory back. It was mapped by mapMemory, so it cannot fail.
func unmapMemory(b []byte) { _ = unix.Munmap(b) }
