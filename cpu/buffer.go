package cpu

import (
	"fmt"
	"runtime"
	"unsafe"

	"github.com/seed52467199/trainer/graph/op"
)

const (
	// alignment is a cache line, and the widest vector register.
	alignment = 64
	// hugePage is the size of a large page of memory. Allocations of at least
	// this size come from the operating system, outside Go's heap: they then
	// can have large pages, and do not make the garbage collector let as much
	// garbage pile up.
	hugePage = 2 << 20
	// collectFrom is the size from which an allocation first lets the garbage
	// collector find memory that nobody holds any more: that lies outside Go's
	// heap, so that the collector does not see it pile up.
	collectFrom = 64 << 20
)

// number is an element type of the kernels.
type number interface{ float32 | float64 }

// element is what memory is read as: numbers, the bits of bfloat16, or bytes.
type element interface{ number | uint16 | byte }

// buffer is memory of the host.
type buffer struct {
	bytes []byte
	// owner keeps memory from outside Go's heap alive; it is freed when the last
	// buffer that shares it is unreachable.
	owner *owner
}

type owner struct{ mapped []byte }

func newBuffer(n int) (op.Buffer, error) {
	if n >= collectFrom {
		runtime.GC()
	}
	if n >= hugePage {
		if mapped, err := mapMemory(n + hugePage); err != nil {
			return nil, fmt.Errorf("cpu: allocating %d bytes: %w", n, err)
		} else if mapped != nil {
			o := &owner{mapped}
			runtime.AddCleanup(o, unmapMemory, mapped)
			return &buffer{aligned(mapped, n, hugePage), o}, nil
		}
	}
	return &buffer{bytes: aligned(make([]byte, n+alignment), n, alignment)}, nil
}

// aligned returns the first n bytes of b that start at a multiple of to.
func aligned(b []byte, n, to int) []byte {
	at := -int(uintptr(unsafe.Pointer(unsafe.SliceData(b)))) & (to - 1)
	return b[at : at+n : at+n]
}

// Len implements op.Buffer.
func (b *buffer) Len() int { return len(b.bytes) }

// Slice implements op.Buffer.
func (b *buffer) Slice(off, n int) op.Buffer {
	return &buffer{b.bytes[off : off+n : off+n], b.owner}
}

// Host implements op.Buffer. The bytes are valid as long as the buffer, or
// another one that shares its memory, is reachable.
func (b *buffer) Host() []byte { return b.bytes }

// Upload implements op.Buffer.
func (b *buffer) Upload(src []byte) error {
	if len(src) > len(b.bytes) {
		return fmt.Errorf("cpu: %d bytes do not fit into a buffer of %d", len(src), len(b.bytes))
	}
	copy(b.bytes, src)
	return nil
}

// Download implements op.Buffer.
func (b *buffer) Download(dst []byte) error {
	if len(dst) > len(b.bytes) {
		return fmt.Errorf("cpu: %d bytes asked of a buffer of %d", len(dst), len(b.bytes))
	}
	copy(dst, b.bytes)
	return nil
}

// as is the memory as numbers: the one place where bytes become elements.
func as[T element](b []byte) []T {
	size := int(unsafe.Sizeof(T(0)))
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(b))), len(b)/size)
}

// isAligned tells whether b may be read as numbers of this size.
func isAligned(b []byte, size int) bool {
	return len(b) == 0 || uintptr(unsafe.Pointer(unsafe.SliceData(b)))%uintptr(size) == 0
}
