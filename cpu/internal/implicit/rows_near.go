package implicit

import (
	"unsafe"

	"github.com/seed52467199/trainer/cpu/vec"
)

// near is what a worker's kernels bring nearer while they sum: maps like the result, which
// Then reads beside it, and the result itself where the sums are added to it.
type near struct {
	maps [][]byte
	at   []unsafe.Pointer // a place in each
	_    [64]byte         // workers write theirs at the same time
}

// nearFor is that of each of so many workers; what it was before is used again. y is
// nil where it is only written.
func nearFor(before []near, workers int, then *Then, y []byte) []near {
	if len(before) < workers {
		before = make([]near, workers)
	}
	for i := range before {
		n := &before[i]
		n.maps = n.maps[:0]
		if y != nil {
			n.maps = append(n.maps, y)
		}
		if then != nil {
			n.maps = append(n.maps, then.Beside...)
		}
		if cap(n.at) < len(n.maps) {
			n.at = make([]unsafe.Pointer, len(n.maps))
		}
		n.at = n.at[:len(n.maps)]
	}
	return before
}

// of is the maps from a byte on, and their number.
func (n *near) of(at int) (unsafe.Pointer, int) {
	for i, m := range n.maps {
		n.at[i] = unsafe.Pointer(&m[at])
	}
	return unsafe.Pointer(unsafe.SliceData(n.at)), len(n.maps)
}

// bytesOf is the memory of a map, or nil unless it is wanted.
func bytesOf[E vec.Element](y []E, wanted bool) []byte {
	if !wanted {
		return nil
	}
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(y))), len(y)*int(unsafe.Sizeof(y[0])))
}
