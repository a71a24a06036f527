package winograd

import "unsafe"

// pixels is a map in memory, float32 or bfloat16.
type pixels struct {
	single []float32
	half   []uint16 // in place of single
}

// at is the place of value i, also where that is a bfloat16.
func (p *pixels) at(i int) *float32 {
	if p.half != nil {
		return (*float32)(unsafe.Pointer(&p.half[i]))
	}
	return &p.single[i]
}

// from is the map without its first n values.
func (p *pixels) from(n int) pixels {
	if p.half != nil {
		return pixels{half: p.half[n:]}
	}
	return pixels{single: p.single[n:]}
}

// sizeOf is the size in bytes of a value.
func sizeOf(half bool) int {
	if half {
		return 2
	}
	return 4
}
