//go:build !linux

package cpu

// mapMemory returns nil: Go's heap serves.
func mapMemory(int) ([]byte, error) { return nil, nil }

func unmapMemory([]byte) {}
