package vec

import (
	"github.com/seed52467199/trainer/cpu/isa"
	"github.com/seed52467199/trainer/cpu/vec/portable"
)

// bytePattern is the elements that the kernel takes at a time: whole pixels of
// one or three channels, whole vectors of any width.
const bytePattern = 48

// NormalizeBytes is y = x*scale + shift for pixels x (pixels, C) of bytes, with
// scale and shift (C).
func NormalizeBytes(y []float32, x []uint8, scale, shift []float32) {
	agree(len(y), len(x))
	agree(len(scale), len(shift))
	checkRows(len(y), len(scale))
	if active == isa.Generic || bytePattern%len(scale) != 0 {
		portable.NormalizeBytes(y, x, scale, shift)
		return
	}
	var a, b [bytePattern]float32
	tile(a[:], scale)
	tile(b[:], shift)
	normalizeBytes(y, x, a[:], b[:])
}

// NormalizeBytesFlipped is NormalizeBytes with the pixels in reverse order: a
// row of an image, flipped.
func NormalizeBytesFlipped(y []float32, x []uint8, scale, shift []float32) {
	agree(len(y), len(x))
	channels := len(scale)
	checkRows(len(y), channels)
	var reversed [16 * bytePattern]uint8
	most := len(reversed) / channels * channels
	if most == 0 {
		portable.NormalizeBytesFlipped(y, x, scale, shift)
		return
	}
	for at := 0; at < len(y); at += most {
		part := reversed[:min(most, len(y)-at)]
		from := len(x) - at - len(part)
		reversePixels(part, x[from:from+len(part)], channels)
		NormalizeBytes(y[at:at+len(part)], part, scale, shift)
	}
}

// reversePixels copies the pixels of src to dst, the last one first.
func reversePixels(dst, src []uint8, channels int) {
	last := len(src) - channels
	switch channels {
	case 1:
		for i := range dst {
			dst[i] = src[last-i]
		}
	case 3:
		for i := 0; i < len(dst); i += 3 {
			*(*[3]uint8)(dst[i:]) = *(*[3]uint8)(src[last-i:])
		}
	default:
		for i := 0; i < len(dst); i += channels {
			copy(dst[i:i+channels], src[last-i:])
		}
	}
}
